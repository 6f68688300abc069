//! Equal requests that run at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::chat::{question, refused};
use harness::installation::Installation;
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::json;
use tokio::task::JoinSet;

use super::{cache, organization, organization_at};

#[tokio::test]
async fn equal_requests_that_run_at_the_same_time_share_one_call() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    upstream.on("m", Script::answer("once", 9, 2).after(Duration::from_secs(2)));
    let chat = organization.chat_at(0, &key);
    let mut body = question("m");
    body["temperature"] = json!(0);

    let (first, second, third) = tokio::join!(chat.send(&body), chat.send(&body), chat.send(&body));
    body["temperature"] = json!(1);
    let (one, other) = tokio::join!(chat.send(&body), chat.send(&body));

    let mut answers = [first, second, third].map(|answer| answer.expect(200));
    answers.sort_by_key(|answer| cache(answer).to_owned());
    assert_eq!(answers.each_ref().map(cache), ["hit", "hit", "miss"]);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    // What need not be answered alike is asked for each.
    assert_eq!([&one, &other].map(cache), ["miss", "miss"]);
    assert_eq!(upstream.seen().len(), 3);
}

#[tokio::test]
async fn when_the_first_of_equal_requests_comes_to_nothing_the_next_one_asks_for_the_others() {
    let installation = Installation::fresh().await;
    let node = installation.nodes.get(installation.first_data_plane());
    let node = node.expect("it has a data plane");
    let refusal = json!({"error": {"message": "no", "type": "server_error"}});
    let refusing = Script::json(500, &refusal).header("x-should-retry", "false");
    // Those who wait have come by then.
    let refusing = refusing.after(Duration::from_secs(2));
    for (hangs_up, first) in [(false, refusing), (true, Script::silent())] {
        let upstream = Upstream::start().await;
        let address = upstream.base_url();
        let (organization, key) = organization_at(&installation, "openai-compatible", &address, &json!({})).await;
        let is_first = AtomicBool::new(true);
        upstream.answer_by(move |_| match is_first.swap(false, Ordering::Relaxed) {
            true => first.clone(),
            false => Script::answer("at last", 9, 2).after(Duration::from_millis(500)),
        });
        let mut body = question("m");
        body["temperature"] = json!(0);
        let ask = || {
            let chat = organization.chat_at(0, &key);
            let body = body.clone();
            async move { chat.send(&body).await }
        };

        let (mut leading, mut following) = (JoinSet::new(), JoinSet::new());
        leading.spawn(ask());
        upstream.arrived(1).await;
        for _ in 0..2 {
            following.spawn(ask());
        }
        eventually("all have come", SOON, async || {
            let metrics = node.metrics().await.text();
            let mut lines = metrics.lines();
            lines
                .any(|line| line == "gatewright_requests_in_flight 3")
                .then_some(())
        })
        .await;
        if hangs_up {
            leading.shutdown().await;
        }
        for answer in leading.join_all().await {
            refused(&answer, 502, "upstream_error");
        }

        let mut statuses = Vec::new();
        for answer in following.join_all().await {
            let answer = answer.expect(200);
            assert!(answer.text().contains("at last"), "{}", answer.text());
            statuses.push(cache(&answer).to_owned());
        }
        statuses.sort();
        assert_eq!(statuses, ["hit", "miss"], "hangs up: {hangs_up}");
        assert_eq!(upstream.seen().len(), 2, "hangs up: {hangs_up}");
    }
}
