//! Kept answers that are voided: by what they are of, and on every node.

use harness::chat::{question, streaming};
use harness::upstream::Upstream;
use harness::wait::{SOON, eventually};
use serde_json::json;

use crate::cache::{ask, organization as cached, wish};

#[tokio::test]
async fn what_was_purged_is_asked_again_on_every_node_and_kept_anew() {
    let upstream = Upstream::start().await;
    let (organization, key) = cached(&upstream, &json!({})).await;
    let (foreign, foreign_key) = cached(&upstream, &json!({})).await;
    let listed = organization.owner.get(&organization.path("/models")).await.expect(200);
    let model = listed.json()["items"][0]["id"].clone();
    let purges = organization.path("/cache/purges");
    let statuses = async || {
        let mut statuses = Vec::new();
        for node in 0..organization.nodes.len() {
            let chat = organization.chat_at(node, &key);
            let request = chat.request(&question("m")).header("x-gw-cache-namespace", "docs");
            let request = request.header("x-gw-cache-control", "only-if-cached");
            statuses.push(request.send(chat.address).await.expect("the data plane answers").status);
        }
        statuses
    };
    wish(&foreign, &foreign_key, "").await.expect(200);

    for of in [
        json!("everything"),
        json!({"model": model}),
        json!({"key": key.id}),
        json!({"namespace": "docs"}),
    ] {
        let headers = [("x-gw-cache-namespace", "docs")];
        eventually("the answer is kept", SOON, async || {
            ask(&organization, &key, &question("m"), &headers).await.expect(200);
            statuses().await.iter().all(|status| *status == 200).then_some(())
        })
        .await;

        let purged = organization.owner.post(&purges, &json!({"of": of})).await.expect(201);

        assert_eq!(purged.json()["of"], of);
        eventually("every node knows", SOON, async || {
            statuses().await.iter().all(|status| *status == 504).then_some(())
        })
        .await;
    }
    let audited = organization.audit().await;
    let purged = audited.iter().filter(|entry| entry.action == "cache.purge");
    assert_eq!(purged.count(), 4);
    eventually("others keep theirs", SOON, async || {
        let answer = wish(&foreign, &foreign_key, "only-if-cached").await;
        (answer.status == 200).then_some(())
    })
    .await;
    let wrong = organization.owner.post(&purges, &json!({"of": "something"})).await;
    wrong.expect(422);
}

#[tokio::test]
async fn what_requests_with_a_tag_brought_is_purged_on_every_node_whoever_asks_for_it() {
    let upstream = Upstream::start().await;
    let (organization, key) = cached(&upstream, &json!({"scope": "organization"})).await;
    let tags = json!({"name": "Acme", "tags": [{"name": "project"}, {"name": "tier"}]});
    let changed = organization.owner.patch(&organization.path(""), &tags).await;
    changed.expect(200);
    let of_key = json!({"name": "tagged", "tags": {"project": "gemini"}});
    let tagged = organization.key_as(&of_key).await;
    organization.settled(&tagged, &["m"]).await;
    eventually("every node knows the tags", SOON, async || {
        let mut statuses = Vec::new();
        for node in 0..organization.nodes.len() {
            let chat = organization.chat_at(node, &key);
            let request = chat
                .request(&question("m"))
                .header("x-gw-tags", "project=apollo, tier=free");
            let request = request.header("x-gw-cache-control", "only-if-cached");
            statuses.push(request.send(chat.address).await.expect("the data plane answers").status);
        }
        statuses.iter().all(|status| *status == 504).then_some(())
    })
    .await;
    // A namespace for each way in which a request has tags; who looks for the answer has none.
    let mut in_body = question("m");
    in_body["metadata"] = json!({"tier": "free", "project": "apollo"});
    let ask_all = async || {
        let headers = |namespace, tags| [("x-gw-cache-namespace", namespace), ("x-gw-tags", tags)];
        let question = question("m");
        ask(&organization, &key, &question, &headers("header", "project=apollo"))
            .await
            .expect(200);
        ask(&organization, &key, &in_body, &headers("body", ""))
            .await
            .expect(200);
        ask(&organization, &tagged, &question, &headers("key", "tier=free"))
            .await
            .expect(200);
        ask(&organization, &key, &streaming("m"), &headers("stream", "tier=paid"))
            .await
            .expect(200);
        ask(&organization, &key, &question, &headers("none", ""))
            .await
            .expect(200);
    };
    let kept = async |node: usize| {
        let chat = organization.chat_at(node, &key);
        let mut kept = Vec::new();
        for namespace in ["header", "body", "key", "stream", "none"] {
            let request = chat.request(&question("m")).header("x-gw-cache-namespace", namespace);
            let request = request.header("x-gw-cache-control", "only-if-cached");
            if request.send(chat.address).await.expect("the data plane answers").status == 200 {
                kept.push(namespace);
            }
        }
        kept
    };

    for (tag, left) in [
        (
            json!({"name": "project", "value": "apollo"}),
            vec!["key", "stream", "none"],
        ),
        (json!({"name": "project"}), vec!["stream", "none"]),
        (
            json!({"name": "tier", "value": "free"}),
            vec!["header", "stream", "none"],
        ),
        (
            json!({"name": "tier", "value": "other"}),
            vec!["header", "body", "key", "stream", "none"],
        ),
    ] {
        // A cache that is slow is passed by for a while.
        eventually("all are kept", SOON, async || {
            ask_all().await;
            (kept(0).await.len() == 5).then_some(())
        })
        .await;
        let of = json!({"tag": tag});
        let purge = json!({"of": of});

        let purged = organization
            .owner
            .post(&organization.path("/cache/purges"), &purge)
            .await
            .expect(201);

        assert_eq!(purged.json()["of"], of);
        for node in 0..organization.nodes.len() {
            eventually("the node knows", SOON, async || {
                (kept(node).await == left).then_some(())
            })
            .await;
        }
        let audited = organization.audit().await;
        let line = audited
            .iter()
            .find(|entry| entry.action == "cache.purge")
            .expect("an audit line");
        assert_eq!(line.detail["of"], of, "{line:?}");
    }
    let wrong = json!({"of": {"tag": {"name": "project", "of": "apollo"}}});
    let refused = organization
        .owner
        .post(&organization.path("/cache/purges"), &wrong)
        .await
        .expect(422);
    assert!(refused.text().contains("of.tag"), "{}", refused.text());
}
