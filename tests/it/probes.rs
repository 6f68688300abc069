//! Calls of the gateway's own: in place of callers' requests where something failed, and where nobody calls.

use std::time::Duration;

use harness::http::Answer;
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Seen, Upstream};
use harness::wait::{SOON, always, eventually};
use serde_json::{Value, json};

/// An organization whose model `m` goes to a provider that is probed, and falls back to one that is not.
struct World {
    probed: Upstream,
    other: Upstream,
    organization: Organization,
    key: Key,
}

impl World {
    async fn make(breaker: &Value, probe: &Value) -> Self {
        let (probed, other) = (Upstream::start().await, Upstream::start().await);
        let organization = Organization::make(Installation::shared().await).await;
        for (name, upstream, probe) in [("probed", &probed, probe), ("other", &other, &Value::Null)] {
            let body = json!({"name": name, "kind": "openai-compatible", "base_url": upstream.base_url(),
                "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001", "weight": 1}],
                "breaker": breaker, "probe": probe});
            post(&organization, "/providers", &body).await.expect(201);
        }
        let route = json!({"fallback": [{"target": "probed/m"}, {"target": "other/m"}]});
        let body = json!({"name": "m", "route": route, "retries": {"attempts": 0}});
        post(&organization, "/models", &body).await.expect(201);
        let world = Self {
            probed,
            other,
            key: organization.key("main").await,
            organization,
        };
        world.organization.settled(&world.key, &["m"]).await;
        world
    }

    async fn ask(&self) -> Answer {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "Say hello."}]});
        self.organization.chat(&self.key).send(&body).await.expect(200)
    }

    /// What is told of the probed provider's model `m`.
    async fn target(&self) -> Option<Value> {
        let listed = self.organization.owner.get(&self.organization.path("/targets")).await;
        let listed = listed.expect(200).json();
        let items = listed.get("items").and_then(Value::as_array).cloned();
        items
            .unwrap_or_default()
            .into_iter()
            .find(|item| item.get("provider") == Some(&json!("probed")) && item.get("model") == Some(&json!("m")))
    }

    async fn probed_with(&self, outcome: &str) -> Value {
        eventually("the probe is told of", SOON, async || {
            let target = self.target().await?;
            (target.pointer("/probe/outcome") == Some(&json!(outcome))).then_some(target)
        })
        .await
    }
}

async fn post(organization: &Organization, tail: &str, body: &Value) -> Answer {
    organization.owner.post(&organization.path(tail), body).await
}

fn is_probe(seen: &Seen) -> bool {
    seen.json().pointer("/messages/0/content") == Some(&json!("Reply with: ok"))
}

#[tokio::test]
async fn a_model_that_was_left_alone_is_tried_again_by_a_probe_and_no_callers_request() {
    let breaker = json!({"min_requests": 4, "window": "60s", "open_for": "1s"});
    let world = World::make(&breaker, &json!({"every": "1s", "model": "other-model"})).await;
    world
        .probed
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    let mut asked = 0;
    for _ in 0..4 {
        world.ask().await;
        asked += 1;
    }

    eventually("it is probed more than once", SOON, async || {
        world.ask().await;
        asked += 1;
        let seen = world.probed.seen();
        let to_m = seen.iter().filter(|seen| seen.json().get("model") == Some(&json!("m")));
        (to_m.filter(|seen| is_probe(seen)).count() >= 2).then_some(())
    })
    .await;
    world.probed.on("m", Script::answer("Hello again", 9, 2));
    eventually("a probe closes the breaker", SOON, async || {
        asked += 1;
        (world.ask().await.headers.need("x-gw-provider") == "probed").then_some(())
    })
    .await;

    let seen = world.probed.seen();
    let to_m: Vec<_> = seen
        .iter()
        .filter(|seen| seen.json().get("model") == Some(&json!("m")))
        .collect();
    let probes: Vec<_> = to_m.iter().map(|seen| is_probe(seen)).collect();
    assert_eq!(
        probes.iter().take(4).filter(|is_probe| !**is_probe).count(),
        4,
        "{probes:?}"
    );
    let in_vain = probes.iter().skip(4).take_while(|is_probe| **is_probe).count();
    assert!(in_vain >= 3, "two failed and one closed it: {probes:?}");
    assert_eq!(
        probes.len(),
        4 + in_vain + 1,
        "callers' requests come after that: {probes:?}"
    );
    let one = to_m.iter().find(|seen| is_probe(seen)).expect("there is one").json();
    assert_eq!(one.get("max_tokens"), Some(&json!(16)));
    world.organization.usage_settles().await;
    assert_eq!(
        world.organization.rows().await.len(),
        asked,
        "no probe is anybody's request"
    );
}

#[tokio::test]
async fn an_idle_provider_is_asked_for_its_models_and_what_comes_is_told() {
    let world = World::make(&json!({}), &json!({"every": "1s"})).await;

    let well = world.probed_with("answered").await;
    assert_eq!(well.get("failures"), Some(&json!(0)), "{well}");
    let asked = world.probed.seen();
    assert!(
        asked
            .iter()
            .all(|seen| seen.method == "GET" && seen.target == "/v1/models"),
        "{asked:?}"
    );
    let first = asked.first().expect("it was asked");
    assert_eq!(first.headers.need("authorization"), "Bearer sk-upstream-secret-0001");

    world
        .probed
        .on("/v1/models", Script::json(500, &json!({"error": {"message": "no"}})));
    let failed = world.probed_with("failed").await;
    assert_eq!(
        failed.get("state"),
        Some(&json!("closed")),
        "one failure opens nothing: {failed}"
    );
    eventually("it counts like any call's failure", SOON, async || {
        (world.target().await?.get("failures")?.as_u64()? > 0).then_some(())
    })
    .await;
    world.ask().await;
    assert!(world.other.seen().is_empty(), "it is not left alone");
}

#[tokio::test]
async fn an_idle_provider_is_asked_for_a_few_tokens_of_the_model_that_is_named() {
    let world = World::make(&json!({}), &json!({"every": "1s", "model": "m"})).await;

    let target = world.probed_with("answered").await;

    assert!(target.get("latency_ms").is_some(), "{target}");
    let asked = world.probed.seen();
    assert!(asked.iter().all(is_probe), "{asked:?}");
}

#[tokio::test]
async fn a_provider_that_answers_requests_is_not_probed() {
    let every = json!({"every": "5s"});
    let world = World::make(&json!({}), &every).await;

    let probes = || world.probed.seen().iter().filter(|seen| seen.method != "POST").count();
    // On a busy machine nobody may have called for long enough while the world was made.
    world.ask().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = probes();

    always("it is called by callers only", Duration::from_secs(6), async || {
        world.ask().await;
        probes() == before
    })
    .await;
}
