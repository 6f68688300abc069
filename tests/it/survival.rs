//! Providers that fail in every way there is, and callers who get their answers all the same: what is tried again, where
//! else a request goes, and what is never done.

mod again;
mod left_alone;

use gatewright_types::UsageUnit;
use gatewright_types::api::{Outcome, UsageRow};
use harness::chat::{error, refused, request_id};
use harness::dialect::{CHAT, DIALECTS, Dialect};
use harness::failures::failures;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse::{content, data, opening};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

/// An organization with two providers. The model `m` goes to the first and falls back to the second, and does not wait
/// long for either; `alone` only goes to the first.
struct World {
    first: Upstream,
    second: Upstream,
    organization: Organization,
    key: Key,
}

impl World {
    /// Its breakers never open.
    async fn make(retries: &Value) -> Self {
        Self::with(retries, &json!({"min_requests": 1_000_000})).await
    }

    async fn with(retries: &Value, breaker: &Value) -> Self {
        let organization = Organization::make(Installation::shared().await).await;
        let (first, second) = organization.two_providers(breaker).await;
        let world = Self {
            first,
            second,
            key: organization.key("main").await,
            organization,
        };
        world
            .model(
                "m",
                &json!({"fallback": [{"target": "first/m"}, {"target": "second/m"}]}),
                retries,
            )
            .await;
        world.model("alone", &json!({"target": "first/m"}), retries).await;
        world.organization.settled(&world.key, &["m", "alone"]).await;
        world
    }

    async fn model(&self, name: &str, route: &Value, retries: &Value) {
        let timeouts = json!({"first_token": "700ms", "between_tokens": "700ms"});
        let body = json!({"name": name, "route": route, "retries": retries, "timeouts": timeouts});
        self.organization.add("/models", &body).await;
    }

    async fn ask(&self, dialect: &Dialect, model: &str, stream: bool) -> Answer {
        self.ask_at(0, dialect, model, stream).await
    }

    async fn ask_at(&self, node: usize, dialect: &Dialect, model: &str, stream: bool) -> Answer {
        let (path, body) = (dialect.request)(model, "Say hello.", stream);
        let request = Request::new("POST", &path)
            .header("x-api-key", &self.key.secret)
            .json(&body);
        let address = self.organization.chat_at(node, &self.key).address;
        request.send(address).await.expect("the data plane answers")
    }
}

#[tokio::test]
async fn every_caller_is_served_whole_however_the_first_provider_fails() {
    let world = World::make(&json!({"attempts": 0})).await;
    for failure in failures() {
        for stream in [false, true] {
            let script = if stream { &failure.stream } else { &failure.whole };
            world.first.on("m", script.clone());
            for dialect in &DIALECTS {
                let asked = world.second.seen().len();

                let answer = world.ask(dialect, "m", stream).await;

                let told = format!(
                    "{}, {}, stream: {stream}: {}",
                    failure.name,
                    dialect.name,
                    answer.text()
                );
                assert_eq!(answer.status, 200, "{told}");
                assert_eq!((dialect.text)(&answer, stream), "Hello there", "{told}");
                assert!(!stream || dialect.has_ended(&answer), "{told}");
                assert_eq!(world.second.seen().len(), asked + 1, "{told}");
                // Behind a keepalive the head has left already.
                if !answer.text().contains("keepalive") && !answer.text().starts_with('\n') {
                    assert_eq!(answer.headers.need("x-gw-provider"), "second", "{told}");
                    assert_eq!(answer.headers.need("x-gw-attempts"), "2", "{told}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_stood_in_for() {
    let world = World::make(&json!({"attempts": 0})).await;
    let body = json!({"name": "gone", "kind": "openai-compatible", "base_url": "http://127.0.0.1:1/v1",
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001", "weight": 1}]});
    world.organization.add("/providers", &body).await;
    world
        .model(
            "far",
            &json!({"fallback": [{"target": "gone/m"}, {"target": "second/m"}]}),
            &json!({"attempts": 0}),
        )
        .await;
    world.organization.settled(&world.key, &["far"]).await;

    for stream in [false, true] {
        let answer = world.ask(&CHAT, "far", stream).await.expect(200);

        assert_eq!((CHAT.text)(&answer, stream), "Hello there");
        assert_eq!(answer.headers.need("x-gw-attempts"), "2");
    }
}

#[tokio::test]
async fn what_is_billed_is_the_answer_that_was_given_and_once() {
    let world = World::make(&json!({"attempts": 0})).await;
    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));

    let whole = world.ask(&CHAT, "m", false).await.expect(200);
    let stream = world.ask(&CHAT, "m", true).await.expect(200);

    for answer in [&whole, &stream] {
        let row = world.organization.usage(&request_id(answer)).await;
        assert_eq!((row.outcome, row.attempts), (Outcome::Complete, 2));
        assert_eq!(
            row.provider.as_ref().map(ToString::to_string).as_deref(),
            Some("second")
        );
        assert_eq!(
            (
                quantity(&row, UsageUnit::InputUncached),
                quantity(&row, UsageUnit::OutputText)
            ),
            (9, 2)
        );
    }
    world.organization.usage_settles().await;
    assert_eq!(world.organization.rows().await.len(), 2);
}

fn quantity(row: &UsageRow, unit: UsageUnit) -> u64 {
    let line = row.lines.iter().find(|line| line.unit == unit);
    line.map_or(0, |line| line.quantity)
}

#[tokio::test]
async fn a_chain_for_one_kind_of_failure_is_not_entered_by_another() {
    let world = World::make(&json!({"attempts": 0})).await;
    let route = json!({"fallback": [{"target": "first/m"},
        {"on": ["context_length"], "route": {"target": "second/m"}}]});
    world.model("long", &route, &json!({"attempts": 0})).await;
    world.organization.settled(&world.key, &["long"]).await;

    let too_long = json!({"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}});
    world.first.on("m", Script::json(400, &too_long));
    world.ask(&CHAT, "long", true).await.expect(200);

    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    refused(&world.ask(&CHAT, "long", true).await, 502, "upstream_error");
}

#[tokio::test]
async fn nothing_is_tried_again_once_something_was_said() {
    let world = World::make(&json!({"attempts": 2, "pause": "1ms"})).await;
    let told = json!({"error": {"message": "no", "type": "server_error"}});
    for broken in [
        Script::stream([opening(), content("Hel")]).cut(),
        Script::stream([opening(), content("Hel"), data(&told)]),
        Script::stream([opening(), content("Hel")]).stall(),
    ] {
        world.first.on("m", broken);
        for dialect in &DIALECTS {
            let answer = world.ask(dialect, "m", true).await.expect(200);

            assert_eq!(
                (dialect.text)(&answer, true),
                "Hel",
                "{}: {}",
                dialect.name,
                answer.text()
            );
            assert!(answer.text().contains("error"), "{}: {}", dialect.name, answer.text());
        }
    }
    assert!(world.second.seen().is_empty());
}

#[tokio::test]
async fn a_stream_that_begins_with_keepalives_still_falls_back() {
    let world = World::make(&json!({"attempts": 0})).await;
    world.first.on("m", Script::silent());

    for dialect in &DIALECTS {
        let answer = world.ask(dialect, "m", true).await.expect(200);

        assert_eq!((dialect.text)(&answer, true), "Hello there", "{}", answer.text());
        for name in ["x-gw-provider", "x-gw-model"] {
            assert_eq!(answer.headers.need(name), "none", "{name}: it cannot be known yet");
        }
        let text = answer.text();
        let named = ": x-gw-provider: second\n: x-gw-model: m\n: x-gw-attempts: 2\n";
        assert_eq!(text.contains(named), dialect.name != "gemini", "{text}");
        let row = world.organization.usage(&request_id(&answer)).await;
        assert_eq!((row.outcome, row.attempts), (Outcome::Complete, 2));
    }
}

#[tokio::test]
async fn a_caller_says_how_long_it_waits() {
    let world = World::make(&json!({"attempts": 0})).await;
    world.first.on("m", Script::silent());
    let ask = async |timeout: &str| {
        let (path, body) = (CHAT.request)("m", "Say hello.", false);
        let request = Request::new("POST", &path)
            .header("x-api-key", &world.key.secret)
            .header("x-gw-timeout", timeout)
            .json(&body);
        request
            .send(world.organization.chat(&world.key).address)
            .await
            .expect("an answer")
    };

    let late = ask("50ms").await;
    let told = refused(&late, 504, "upstream_timeout");
    assert!(told.to_string().contains("within 50ms"), "{told}");
    assert!(world.second.seen().is_empty(), "its time is over");
    let wrong = ask("soon").await;
    assert_eq!(wrong.status, 400);
    assert!(error(&wrong).to_string().contains("x-gw-timeout"));
}

#[tokio::test]
async fn of_several_failures_the_one_that_may_pass_is_told() {
    let world = World::make(&json!({"attempts": 0})).await;
    let limited = Script::json(429, &json!({"error": {"message": "slow down"}})).header("retry-after", "7");
    world.first.on("m", limited);
    world
        .second
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));

    let answer = world.ask(&CHAT, "m", false).await;

    refused(&answer, 429, "rate_limit_exceeded");
    assert_eq!(answer.headers.need("retry-after"), "7");
    assert_eq!(answer.headers.need("x-gw-attempts"), "2");
}

#[tokio::test]
async fn a_route_changes_requests_for_one_of_its_targets() {
    let world = World::make(&json!({"attempts": 0})).await;
    let changed = json!({"provider": "second", "model": "m", "params": {"temperature": 0, "seed": null},
        "prompt": "Be brief.", "headers": {"x-team": "blue"}});
    let route = json!({"fallback": [{"target": "first/m"}, {"target": changed}]});
    world.model("changed", &route, &json!({"attempts": 0})).await;
    world.organization.settled(&world.key, &["changed"]).await;
    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    let body = json!({"model": "changed", "temperature": 1, "seed": 7, "x_future": [1.5],
        "messages": [{"role": "system", "content": "Be long."}, {"role": "user", "content": "Say hello."}]});

    let chat = world.organization.chat(&world.key);
    chat.send(&body).await.expect(200);

    let first = world.first.only();
    assert_eq!(first.json().get("seed"), Some(&json!(7)));
    assert_eq!(first.headers.get("x-team"), None);
    let second = world.second.only();
    assert_eq!(
        second.json(),
        json!({"model": "m", "temperature": 0, "x_future": [1.5],
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}]})
    );
    assert_eq!(second.headers.need("x-team"), "blue");
}

#[tokio::test]
async fn a_fault_of_a_route_is_survived_like_a_real_one() {
    let world = World::make(&json!({"attempts": 0})).await;
    for kind in ["rate_limit", "error", "stall", "cut", "malformed", "slow"] {
        let fault = match kind {
            "slow" => json!({"kind": kind, "delay": "10ms"}),
            _ => json!({"kind": kind}),
        };
        let faulty = json!({"provider": "first", "model": "m", "fault": fault});
        let route = json!({"fallback": [{"target": faulty}, {"target": "second/m"}]});
        let name = kind.replace('_', "-");
        world.model(&name, &route, &json!({"attempts": 0})).await;
        world.organization.settled(&world.key, &[&name]).await;
        let (first, second) = (world.first.seen().len(), world.second.seen().len());

        let whole = world.ask(&CHAT, &name, false).await.expect(200);

        assert_eq!((CHAT.text)(&whole, false), "Hello there", "{kind}");
        let called = (world.first.seen().len() - first, world.second.seen().len() - second);
        let expected = match kind {
            "slow" => (1, 0),
            "cut" => (1, 1),
            _ => (0, 1),
        };
        assert_eq!(called, expected, "{kind}");
    }
    let cut = world.ask(&CHAT, "cut", true).await.expect(200);
    assert!(
        cut.text().contains("error") || (CHAT.text)(&cut, true) == "Hello there",
        "{}",
        cut.text()
    );
    let harmless = json!({"target": {"provider": "first", "model": "m", "fault": {"kind": "error", "percent": 0}}});
    world.model("harmless", &harmless, &json!({"attempts": 0})).await;
    world.organization.settled(&world.key, &["harmless"]).await;
    world.ask(&CHAT, "harmless", false).await.expect(200);
}
