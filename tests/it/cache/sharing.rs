//! Which callers and which questions have an answer in common.

use harness::chat::question;
use harness::http::Request;
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::json;

use super::{ask, cache, organization, organization_of, wish};

#[tokio::test]
async fn namespaces_share_nothing() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let within = async |namespace: &str| {
        let headers = [("x-gw-cache-namespace", namespace)];
        let answer = ask(&organization, &key, &question("m"), &headers).await.expect(200);
        cache(&answer).to_owned()
    };

    assert_eq!(within("a").await, "miss");
    assert_eq!(within("b").await, "miss");
    assert_eq!(within("a").await, "hit");
    assert_eq!(cache(&wish(&organization, &key, "").await), "miss");
}

#[tokio::test]
async fn answers_are_shared_as_far_as_the_models_scope_goes_and_never_with_another_organization() {
    let upstream = Upstream::start().await;
    for (scope, shares) in [
        ("key", [false, false, false]),
        ("team", [true, false, false]),
        ("organization", [true, true, false]),
    ] {
        let (ours, _) = organization(&upstream, &json!({"scope": scope})).await;
        let (theirs, foreign) = organization(&upstream, &json!({"scope": scope})).await;
        let mut keys = Vec::new();
        for team in ["one", "two"] {
            let made = ours
                .owner
                .post(&ours.path("/teams"), &json!({"name": team}))
                .await
                .expect(201);
            let team_id = made.json()["id"].clone();
            for number in 0..2 {
                let body = json!({"name": format!("{team} {number}"), "team": team_id});
                keys.push(ours.key_as(&body).await);
            }
        }
        let [first, colleague, other_team, _] = &keys[..] else {
            panic!("four keys")
        };
        for key in &keys {
            ours.settled(key, &["m"]).await;
        }

        wish(&ours, first, "").await.expect(200);
        let hits = [
            wish(&ours, colleague, "no-store").await,
            wish(&ours, other_team, "no-store").await,
            wish(&theirs, &foreign, "no-store").await,
        ];

        assert_eq!(hits.map(|answer| cache(&answer) == "hit"), shares, "{scope}");
        assert_eq!(cache(&wish(&ours, first, "").await), "hit");
    }
}

#[tokio::test]
async fn end_users_share_nothing_where_the_scope_is_theirs() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({"scope": "user"})).await;
    let by = async |user: Option<&str>| {
        let mut body = question("m");
        if let Some(user) = user {
            body["user"] = json!(user);
        }
        cache(&ask(&organization, &key, &body, &[]).await.expect(200)).to_owned()
    };

    for user in [Some("ann"), Some("bob"), None] {
        assert_eq!(by(user).await, "miss", "{user:?}");
        assert_eq!(by(user).await, "hit", "{user:?}");
    }
}

#[tokio::test]
async fn every_node_finds_what_another_one_kept() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    wish(&organization, &key, "").await.expect(200);

    for node in 0..organization.nodes.len() {
        let answer = organization.chat_at(node, &key).ask("m").await.expect(200);
        assert_eq!(cache(&answer), "hit", "node {node}");
    }
}

#[tokio::test]
async fn what_shapes_answers_is_part_of_the_question() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    wish(&organization, &key, "").await.expect(200);
    let listed = organization.owner.get(&organization.path("/models")).await.expect(200);
    let model = listed.json()["items"][0]["id"].clone();
    let path = organization.path(&format!("/models/{}", model.as_str().expect("an identifier")));
    let change = json!({"route": {"target": "up/other"}, "cache": {"ttl": "1h"}});
    organization.owner.patch(&path, &change).await.expect(200);
    upstream.on("other", Script::answer("Another model", 9, 1));

    eventually("the model leads elsewhere", SOON, async || {
        let answer = wish(&organization, &key, "").await.expect(200);
        answer.text().contains("Another model").then_some(())
    })
    .await;
}

#[tokio::test]
async fn beta_headers_are_part_of_the_question() {
    let upstream = Upstream::start().await;
    let said = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 4}});
    upstream.on("m", Script::json(200, &said));
    let (organization, key) = organization_of("anthropic", &upstream.base_url(), &json!({})).await;
    let message = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let with = async |beta: &str| {
        let request = Request::new("POST", "/v1/messages")
            .header("x-api-key", &key.secret)
            .header("anthropic-beta", beta);
        let sent = request.json(&message).send(organization.chat(&key).address).await;
        cache(&sent.expect("the data plane answers").expect(200)).to_owned()
    };

    assert_eq!(with("one").await, "miss");
    assert_eq!(with("two").await, "miss");
    assert_eq!(with("one").await, "hit");
}
