//! Prompts that a provider refuses, and calls that fail after they used something: who stands in, what the caller reads and
//! what is paid.

use gatewright_types::UsageUnit;
use gatewright_types::api::{Outcome, UsageRow};
use harness::chat::request_id;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse::{DONE, content, data, finish, opening, usage};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

const GEMINI: &str = "/v1beta/models/gemini-x:generateContent";
const GEMINI_STREAM: &str = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse";

/// `guarded` goes to Gemini and has another provider for what that refuses; `plain` has one for everything else.
struct World {
    gemini: Upstream,
    other: Upstream,
    organization: Organization,
    key: Key,
}

impl World {
    async fn make() -> Self {
        let (gemini, other) = (Upstream::start().await, Upstream::start().await);
        let organization = Organization::make(Installation::shared().await).await;
        let base = format!("{}/v1beta", gemini.origin());
        organization.provider("google", "gemini", Some(&base)).await;
        organization
            .provider("other", "openai-compatible", Some(&other.base_url()))
            .await;
        for (provider, model) in [("google", "gemini-x"), ("other", "m")] {
            let rates = json!({"input": "1000", "output": "2000"});
            organization.price(provider, model, &rates).await;
        }
        let first = json!({"target": "google/gemini-x"});
        let routes = [
            (
                "guarded",
                json!({"fallback": [first, {"on": ["content_policy", "error"], "route": {"target": "other/m"}}]}),
            ),
            ("plain", json!({"fallback": [first, {"target": "other/m"}]})),
        ];
        for (name, route) in routes {
            let model = json!({"name": name, "route": route, "retries": {"attempts": 0}});
            let path = organization.path("/models");
            organization.owner.post(&path, &model).await.expect(201);
        }
        let key = organization.key("main").await;
        organization.settled(&key, &["guarded", "plain"]).await;
        Self {
            gemini,
            other,
            organization,
            key,
        }
    }

    async fn send(&self, path: &str, body: &Value) -> Answer {
        let request = Request::new("POST", path)
            .header("x-api-key", &self.key.secret)
            .json(body);
        let address = self.organization.chat(&self.key).address;
        request.send(address).await.expect("the data plane answers")
    }

    async fn chat(&self, model: &str, stream: bool) -> Answer {
        let body = json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "Say it."}]});
        self.send("/v1/chat/completions", &body).await
    }
}

fn blocked() -> Value {
    json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "gemini-x",
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}})
}

fn lines(row: &UsageRow) -> Vec<(UsageUnit, u64)> {
    row.lines.iter().map(|line| (line.unit, line.quantity)).collect()
}

#[tokio::test]
async fn a_prompt_that_gemini_blocks_goes_to_whoever_stands_in_for_that() {
    let world = World::make().await;
    world.gemini.on(GEMINI, Script::json(200, &blocked()));
    world.gemini.on(GEMINI_STREAM, Script::stream([data(&blocked())]));
    world.other.on("m", Script::answer("Hello there", 9, 2));
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "Say it."}]}]});

    for answer in [
        world.chat("guarded", false).await,
        world.send("/v1beta/models/guarded:generateContent", &gemini).await,
    ] {
        let answer = answer.expect(200);
        assert_eq!(answer.headers.need("x-gw-provider"), "other", "{}", answer.text());
        let row = world.organization.usage(&request_id(&answer)).await;
        assert_eq!((row.outcome, row.attempts), (Outcome::Complete, 2));
        let expected = [
            (UsageUnit::InputUncached, 9),
            (UsageUnit::OutputText, 2),
            (UsageUnit::InputUncached, 7),
        ];
        assert_eq!(lines(&row), expected, "the prompt was read twice");
        let cost = row.cost.expect("it has a price");
        assert_eq!(cost.amount.to_string(), "0.02", "9 and 7 at 1000, 2 at 2000 a million");
    }
    let streamed = [
        opening(),
        content("Hello there"),
        finish(),
        usage(9, 2),
        DONE.to_owned(),
    ];
    world.other.on("m", Script::stream(streamed));
    let stream = world.chat("guarded", true).await.expect(200);
    assert!(stream.text().contains("Hello there"), "{}", stream.text());
}

#[tokio::test]
async fn a_prompt_that_is_blocked_is_a_refusal_in_the_callers_dialect_where_nobody_stands_in() {
    let world = World::make().await;
    world.gemini.on(GEMINI, Script::json(200, &blocked()));
    world.gemini.on(GEMINI_STREAM, Script::stream([data(&blocked())]));

    let chat = world.chat("plain", false).await.expect(200).json();
    assert_eq!(
        chat.pointer("/choices/0/finish_reason"),
        Some(&json!("content_filter")),
        "{chat}"
    );
    let stream = world.chat("plain", true).await.expect(200);
    assert!(stream.text().contains("\"content_filter\""), "{}", stream.text());
    let messages = json!({"model": "plain", "max_tokens": 9, "messages": [{"role": "user", "content": "Say it."}]});
    let messages = world.send("/v1/messages", &messages).await.expect(200).json();
    assert_eq!(messages.get("stop_reason"), Some(&json!("refusal")), "{messages}");
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "Say it."}]}]});
    let gemini = world.send("/v1beta/models/plain:generateContent", &gemini).await;
    assert_eq!(gemini.expect(200).json(), blocked());
    assert!(world.other.seen().is_empty(), "it stands in for other failures");
}

#[tokio::test]
async fn what_a_call_used_that_failed_is_paid_for_besides_the_answer() {
    let world = World::make().await;
    let spoilt = json!({"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "MALFORMED_FUNCTION_CALL"}],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}});
    world.gemini.on(GEMINI, Script::json(200, &spoilt));
    world.gemini.on(GEMINI_STREAM, Script::stream([data(&spoilt)]));
    world.other.on("m", Script::answer("Hello there", 9, 2));
    let paid = [
        (UsageUnit::InputUncached, 9),
        (UsageUnit::OutputText, 2),
        (UsageUnit::InputUncached, 7),
        (UsageUnit::OutputText, 3),
    ];

    let whole = world.chat("plain", false).await.expect(200);
    let row = world.organization.usage(&request_id(&whole)).await;
    assert_eq!(lines(&row), paid);
    assert_eq!(row.cost.expect("a price").amount.to_string(), "0.026");
    assert_eq!(whole.headers.need("x-gw-cost-usd"), "0.026");

    let streamed = [
        opening(),
        content("Hello there"),
        finish(),
        usage(9, 2),
        DONE.to_owned(),
    ];
    world.other.on("m", Script::stream(streamed));
    let stream = world.chat("plain", true).await.expect(200);
    assert_eq!(lines(&world.organization.usage(&request_id(&stream)).await), paid);

    world
        .other
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    let failed = world.chat("plain", false).await.expect(502);
    let row = world.organization.usage(&request_id(&failed)).await;
    assert_eq!((row.outcome, lines(&row)), (Outcome::Failed, paid[2..].to_vec()));
}
