//! Providers that speak HTTP/2: many calls share a connection, and what a server did not look at is sent again.

use gatewright_types::Page;
use gatewright_types::api::{Provider, SelfTest, SelfTestOutcome};
use harness::chat::{question, refused, request_id, streaming};
use harness::http2::{Http2Upstream, Unseen};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::tls::Authority;
use serde_json::json;
use tokio::task::JoinSet;

/// A provider and its model `m`, which is not tried again by its own rules.
async fn reached() -> (Http2Upstream, Organization, Key, Provider) {
    let authority = Authority::new("private");
    let upstream = Http2Upstream::start(&authority).await;
    let organization = Organization::make(Installation::shared().await).await;
    let provider = json!({
        "name": "up", "kind": "openai-compatible", "base_url": upstream.base_url(),
        "network": {"ca": authority.pem()},
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}],
    });
    let path = organization.path("/providers");
    let provider = organization.owner.post(&path, &provider).await.expect(201).read();
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (upstream, organization, key, provider)
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let (upstream, organization, key, _) = reached().await;
    let chat = organization.chat(&key);
    assert_eq!(chat.ask("m").await.status, 200);
    assert_eq!(upstream.connections(), 1);

    let mut asking = JoinSet::new();
    for _ in 0..30 {
        let chat = organization.chat(&key);
        asking.spawn(async move { chat.ask("m").await.status });
    }

    assert_eq!(asking.join_all().await, vec![200; 30]);
    assert_eq!(upstream.answered().len(), 31);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_call_that_was_not_looked_at_is_sent_again() {
    for unseen in [vec![Unseen::Refused; 2], vec![Unseen::GoneAway; 2]] {
        // In one piece, and in several: the gateway asks for what was used.
        for asked in [question("m"), streaming("m")] {
            let (upstream, organization, key, _) = reached().await;
            upstream.refuses(unseen.clone());

            let answer = organization.chat(&key).send(&asked).await;

            assert_eq!(answer.status, 200, "{unseen:?}: {}", answer.text());
            assert!(answer.text().contains("Hello"), "{}", answer.text());
            assert_eq!(upstream.refused(), 2);
            assert_eq!(upstream.answered().len(), 1);
            let row = organization.usage(&request_id(&answer)).await;
            assert_eq!(row.attempts, 1, "it is one and the same attempt");
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_on_refusing_has_failed() {
    let (upstream, organization, key, _) = reached().await;
    upstream.refuses([Unseen::Refused; 10]);

    let answer = organization.chat(&key).ask("m").await;

    refused(&answer, 502, "upstream_error");
    assert_eq!(upstream.refused(), 3);
}

#[tokio::test]
async fn a_trial_that_was_not_looked_at_is_made_again() {
    let (upstream, organization, _, provider) = reached().await;
    let path = organization.path(&format!("/providers/{}/test", provider.id));
    upstream.refuses([Unseen::Refused; 2]);

    let tried: Page<SelfTest> = organization.owner.post(&path, &json!({})).await.expect(200).read();

    let outcomes: Vec<_> = tried.items.iter().map(|trial| trial.outcome).collect();
    assert_eq!(outcomes, [SelfTestOutcome::Works], "{tried:?}");
    assert_eq!(upstream.refused(), 2);
}
