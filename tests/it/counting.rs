//! Counting tokens without answering: by the provider where it counts, else by an estimate that says what it is.

use gatewright_types::api::{Dialect, Outcome};
use harness::chat::request_id;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization, provider};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

const GEMINI: &str = "/v1beta/models/m:countTokens";
const CLAUDE: &str = "/v1/messages/count_tokens";

async fn organization(upstream: &Upstream, kind: &str, model: &str) -> (Organization, Key) {
    let provider = provider(kind, &upstream.base_url());
    Organization::with_model(Installation::shared().await, &provider, model).await
}

async fn post(organization: &Organization, key: &Key, path: &str, body: &str) -> Answer {
    let request = Request::new("POST", path)
        .header("x-api-key", &key.secret)
        .header("anthropic-beta", "one,two")
        .bytes("application/json", body.as_bytes().to_vec());
    let sent = request.send(organization.chat(key).address).await;
    sent.expect("the data plane answers")
}

fn claude_body() -> &'static str {
    r#"{"model" : "m",  "messages": [{"role": "user", "content": "Say hello."}], "x": 1.50}"#
}

fn gemini_body() -> &'static str {
    r#"{"contents": [{"parts": [{"text": "Say hello."}]}] }"#
}

fn member<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// Recorded like any call, and free.
async fn recorded(organization: &Organization, answer: &Answer, dialect: Dialect, provider: Option<&str>) {
    assert_eq!(answer.headers.need("x-gw-cost-usd"), "0.00");
    let row = organization.usage(&request_id(answer)).await;
    assert_eq!((row.dialect, row.outcome), (dialect, Outcome::Complete));
    assert_eq!(row.model.as_deref(), Some("m"));
    assert_eq!(row.provider.as_ref().map(|slug| slug.as_str()), provider);
    assert!(row.lines.is_empty() && !row.estimated, "{row:?}");
    assert!(row.cost.is_some_and(|cost| cost.amount.get() == 0), "{row:?}");
}

#[tokio::test]
async fn a_provider_of_the_same_dialect_counts_what_it_is_sent_byte_for_byte() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic", "claude-x").await;
    let said = r#"{ "input_tokens": 14, "x": 2.0 }"#;
    upstream.on("claude-x", Script::body(200, "application/json", said));

    let answer = post(&organization, &key, CLAUDE, claude_body()).await.expect(200);

    assert_eq!(answer.text(), said);
    assert_eq!(answer.headers.get("x-gw-estimated"), None);
    let seen = upstream.only();
    assert_eq!(seen.target, "/v1/messages/count_tokens");
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        claude_body().replace("\"m\"", "\"claude-x\"")
    );
    assert_eq!(seen.headers.need("x-api-key"), "sk-upstream-secret-0001");
    assert_eq!(seen.headers.need("anthropic-beta"), "one,two");
    recorded(&organization, &answer, Dialect::AnthropicMessages, Some("up")).await;
}

#[tokio::test]
async fn gemini_counts_what_it_is_sent() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "gemini", "gemini-x").await;
    let said = json!({"totalTokens": 9, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}]});
    upstream.on("/v1/models/gemini-x:countTokens", Script::json(200, &said));

    let answer = post(&organization, &key, GEMINI, gemini_body()).await.expect(200);

    assert_eq!(answer.json(), said);
    assert_eq!(String::from_utf8_lossy(&upstream.only().body), gemini_body());
    recorded(&organization, &answer, Dialect::GeminiGenerate, Some("up")).await;
}

#[tokio::test]
async fn providers_of_the_other_dialect_count_what_is_translated() {
    let upstream = Upstream::start().await;
    let (for_claude, key) = organization(&upstream, "gemini", "gemini-x").await;
    upstream.on(
        "/v1/models/gemini-x:countTokens",
        Script::json(200, &json!({"totalTokens": 9})),
    );
    let answer = post(&for_claude, &key, CLAUDE, claude_body()).await.expect(200);
    assert_eq!(answer.json(), json!({"input_tokens": 9}));
    assert_eq!(answer.headers.need("x-gw-dropped-params"), "x");
    recorded(&for_claude, &answer, Dialect::AnthropicMessages, Some("up")).await;

    let (for_gemini, key) = organization(&upstream, "anthropic", "claude-x").await;
    upstream.on("claude-x", Script::json(200, &json!({"input_tokens": 14})));
    let answer = post(&for_gemini, &key, GEMINI, gemini_body()).await.expect(200);
    assert_eq!(answer.json(), json!({"totalTokens": 14}));
    recorded(&for_gemini, &answer, Dialect::GeminiGenerate, Some("up")).await;
    let sent = upstream.seen().pop().expect("it was asked").json();
    assert_eq!(
        sent,
        json!({"model": "claude-x", "messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello."}]}]})
    );
}

#[tokio::test]
async fn where_nobody_counts_the_answer_is_an_estimate_and_says_so() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible", "m").await;

    let claude = post(&organization, &key, CLAUDE, claude_body()).await.expect(200);
    let gemini = post(&organization, &key, GEMINI, gemini_body()).await.expect(200);

    assert_eq!(claude.headers.need("x-gw-estimated"), "true");
    assert_eq!(gemini.headers.need("x-gw-estimated"), "true");
    // The same text; only one of them says whose it is.
    assert_eq!(member(&claude.json(), "/input_tokens"), &json!(10));
    assert_eq!(member(&gemini.json(), "/totalTokens"), &json!(3));
    recorded(&organization, &claude, Dialect::AnthropicMessages, None).await;
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_provider_that_fails_to_count_is_told_and_not_papered_over() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic", "claude-x").await;
    upstream.on("claude-x", Script::json(503, &json!({"error": {"message": "no"}})));
    let failed = post(&organization, &key, CLAUDE, claude_body()).await;
    upstream.on("claude-x", Script::json(200, &json!({"count": 1})));
    let nonsense = post(&organization, &key, GEMINI, gemini_body()).await;

    assert_eq!(
        (failed.status, member(&failed.json(), "/type")),
        (503, &json!("error")),
        "{}",
        failed.text()
    );
    assert_eq!(nonsense.status, 502, "{}", nonsense.text());
    assert!(member(&nonsense.json(), "/error/status").is_string());
    for answer in [&failed, &nonsense] {
        let row = organization.usage(&request_id(answer)).await;
        assert_eq!((row.outcome, row.lines.len()), (Outcome::Failed, 0));
    }
}

#[tokio::test]
async fn only_who_may_call_the_model_may_count_for_it() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic", "claude-x").await;
    let stranger = Key {
        secret: "gw-nobody-knows-this-one".to_owned(),
        ..key.clone()
    };

    let stranger = post(&organization, &stranger, CLAUDE, claude_body()).await;
    let unknown = post(&organization, &key, "/v1beta/models/nope:countTokens", gemini_body()).await;

    assert_eq!((stranger.status, unknown.status), (401, 404));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn files_that_are_only_named_are_estimated_where_the_provider_wants_their_bytes() {
    let vertex = json!({"name": "up", "kind": "vertex", "project": "acme", "region": "europe-west4",
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}]});
    let gemini =
        json!({"name": "up", "kind": "gemini", "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}]});
    for (mut provider, model) in [(vertex, "claude-sonnet-4-5@20250929"), (gemini, "gemini-2.5-pro")] {
        let upstream = Upstream::start().await;
        provider["base_url"] = json!(upstream.origin());
        let (organization, key) = Organization::with_model(Installation::shared().await, &provider, model).await;
        let source = json!({"type": "url", "url": "https://pictures.example/a"});
        let content = json!([{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]);
        let body = json!({"model": "m", "messages": [{"role": "user", "content": content}]});

        let answer = post(&organization, &key, CLAUDE, &body.to_string()).await.expect(200);

        assert_eq!(answer.headers.need("x-gw-estimated"), "true", "{model}");
        let tokens = answer.json()["input_tokens"].as_u64();
        // A picture is taken for 258 tokens.
        assert!(
            tokens.is_some_and(|tokens| (260..300).contains(&tokens)),
            "{model}: {tokens:?}"
        );
        assert!(upstream.seen().is_empty(), "{model}");
    }
}
