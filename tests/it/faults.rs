//! Failures that callers ask for: who may, what they see, and what is left of it.

use harness::chat::refused;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::Upstream;
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

/// An organization with two providers: `m` falls back from the first to the second, `alone` only goes to the first, and
/// so does `cached`, whose answers are kept.
struct World {
    first: Upstream,
    second: Upstream,
    organization: Organization,
    /// One that may ask for failures.
    key: Key,
}

impl World {
    async fn make() -> Self {
        let organization = Organization::make(Installation::shared().await).await;
        let (first, second) = organization.two_providers(&json!({"min_requests": 1_000_000})).await;
        let both = json!({"fallback": [{"target": "first/m"}, {"target": "second/m"}]});
        let one = json!({"target": "first/m"});
        for (name, route, cache) in [
            ("m", &both, Value::Null),
            ("alone", &one, Value::Null),
            ("cached", &one, json!({"ttl": "1h"})),
        ] {
            let timeouts = json!({"first_token": "700ms"});
            let body =
                json!({"name": name, "route": route, "retries": {"attempts": 0}, "timeouts": timeouts, "cache": cache});
            organization.add("/models", &body).await;
        }
        let key = organization.key_as(&json!({"name": "chaos", "faults": true})).await;
        organization.settled(&key, &["m", "alone", "cached"]).await;
        Self {
            first,
            second,
            organization,
            key,
        }
    }

    async fn ask(&self, model: &str, fault: &str) -> Answer {
        self.ask_by(&self.key, "/v1/chat/completions", model, Some(fault)).await
    }

    async fn ask_by(&self, key: &Key, path: &str, model: &str, fault: Option<&str>) -> Answer {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}]});
        let mut request = Request::new("POST", path).header("x-api-key", &key.secret).json(&body);
        if let Some(fault) = fault {
            request = request.header("x-gw-fault", fault);
        }
        let address = self.organization.chat_at(0, key).address;
        request.send(address).await.expect("the data plane answers")
    }
}

#[tokio::test]
async fn a_caller_who_may_sees_the_failure_it_asks_for() {
    let world = World::make().await;

    for (fault, status, code) in [
        ("error", 502, "upstream_error"),
        ("rate_limit", 429, "rate_limit_exceeded"),
        ("malformed", 502, "upstream_error"),
        ("stall", 504, "upstream_timeout"),
    ] {
        refused(&world.ask("alone", fault).await, status, code);
    }
    assert!(world.first.seen().is_empty(), "nobody was asked");

    let elsewhere = world.ask("m", "error;target=first/m").await.expect(200);
    assert_eq!(elsewhere.headers.need("x-gw-provider"), "second");
    world.second.only();
    world.ask("alone", "error; target=second/m").await.expect(200);
    world.ask("alone", "slow;delay=10ms").await.expect(200);
    refused(&world.ask("alone", "cut").await, 502, "upstream_error");
}

#[tokio::test]
async fn nothing_of_a_request_with_a_fault_is_kept_or_answered_from_what_is() {
    let world = World::make().await;
    let plain = async || {
        let answer = world.ask_by(&world.key, "/v1/chat/completions", "cached", None).await;
        answer.expect(200).headers.need("x-gw-cache").to_owned()
    };

    world.ask("cached", "slow;delay=1ms").await.expect(200);
    assert_eq!(plain().await, "miss", "nothing was kept");
    assert_eq!(plain().await, "hit");
    refused(&world.ask("cached", "error").await, 502, "upstream_error");
    assert_eq!(world.first.seen().len(), 2);
}

#[tokio::test]
async fn a_fault_that_is_unknown_or_asked_for_by_another_key_is_refused() {
    let world = World::make().await;
    let other = world.organization.key("main").await;
    world.organization.settled(&other, &["m"]).await;

    let unknown = world.ask("m", "explode").await;
    let told = refused(&unknown, 400, "invalid_request");
    assert!(
        told.to_string()
            .contains("rate_limit, error, stall, cut, malformed, slow"),
        "{told}"
    );
    let chat = "/v1/chat/completions";
    refused(
        &world.ask_by(&other, chat, "m", Some("error")).await,
        403,
        "fault_not_allowed",
    );
    let natively = "/native/first/v1/chat/completions";
    refused(
        &world.ask_by(&world.key, natively, "m", Some("error")).await,
        400,
        "invalid_request",
    );

    let path = world.organization.path("/keys");
    let listed = world.organization.owner.get(&path).await.expect(200).json();
    let mut keys = listed.get("items").and_then(Value::as_array).into_iter().flatten();
    let chaos = keys.find(|key| key.get("name") == Some(&json!("chaos")));
    let chaos = chaos.expect("it is listed");
    assert_eq!(chaos.get("faults"), Some(&json!(true)));
    let id = chaos.get("id").and_then(Value::as_str).expect("it has one");
    let change = json!({"name": "chaos", "team": null, "models": null, "faults": false});
    let changed = world.organization.owner.patch(&format!("{path}/{id}"), &change).await;
    changed.expect(200);
    eventually("the key may not any more", SOON, async || {
        (world.ask("m", "error").await.status == 403).then_some(())
    })
    .await;
    assert_eq!(world.first.seen().len(), 0);
}
