//! Callers and providers of different dialects: what passes unread, what is translated, what is told of what was lost,
//! and who is told of an error in which words.

mod refusals;
mod translated;

use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, Outcome, UsageRow};
use harness::chat::request_id;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization, provider};
use harness::sse;
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

/// An organization whose provider `up` is of this kind, with a model `m` that leads to the model `m` there.
async fn organization(upstream: &Upstream, kind: &str) -> (Organization, Key) {
    let provider = provider(kind, &upstream.base_url());
    Organization::with_model(Installation::shared().await, &provider, "m").await
}

async fn post(organization: &Organization, key: &Key, path: &str, body: &Value) -> Answer {
    let request = Request::new("POST", path).header("x-api-key", &key.secret).json(body);
    request
        .send(organization.chat(key).address)
        .await
        .expect("the data plane answers")
}

fn quantity(row: &UsageRow, unit: UsageUnit) -> u64 {
    let line = row.lines.iter().find(|line| line.unit == unit);
    line.map_or(0, |line| line.quantity)
}

fn member<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn claude_says(text: &str) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-real", "vendor_extra": [1, 2.50],
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 7, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 5, "output_tokens": 3}})
}

fn asked_in_anthropic(stream: bool) -> Value {
    json!({"model": "m", "max_tokens": 50, "stream": stream, "messages": [{"role": "user", "content": "Say hello."}]})
}

#[tokio::test]
async fn anthropic_to_anthropic_passes_byte_for_byte_with_its_headers() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic").await;
    upstream.on("m", Script::json(200, &claude_says("Hello.")));
    let mut body = asked_in_anthropic(false);
    body["x_future"] = json!({"a": [null, -0.5]});

    let request = Request::new("POST", "/v1/messages?beta=true")
        .header("x-api-key", &key.secret)
        .header("anthropic-version", "2026-10-21")
        .header("anthropic-beta", "one,two")
        .header("anthropic-beta", "three")
        .json(&body);
    let answer = request
        .send(organization.chat(&key).address)
        .await
        .expect("an answer")
        .expect(200);

    assert_eq!(answer.json(), claude_says("Hello."));
    let seen = upstream.only();
    assert_eq!(seen.target, "/v1/messages");
    assert_eq!(seen.json(), body);
    assert_eq!(seen.headers.need("x-api-key"), "sk-upstream-secret-0001");
    assert_eq!(seen.headers.get("authorization"), None);
    assert_eq!(seen.headers.need("anthropic-version"), "2026-10-21");
    let betas = seen.headers.0.iter().filter(|(name, _)| name == "anthropic-beta");
    assert_eq!(
        betas.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
        ["one,two", "three"]
    );
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.dialect, row.outcome),
        (Dialect::AnthropicMessages, Outcome::Complete)
    );
    assert_eq!(quantity(&row, UsageUnit::InputUncached), 7);
    assert_eq!(quantity(&row, UsageUnit::InputCacheRead), 30);
    assert_eq!(quantity(&row, UsageUnit::InputCacheWrite5m), 5);
    assert_eq!(quantity(&row, UsageUnit::OutputText), 3);
}

#[tokio::test]
async fn gemini_to_gemini_names_the_model_in_the_address() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "gemini").await;
    let said = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]}, "finishReason": "STOP",
        "x_future": 1}], "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 2, "thoughtsTokenCount": 5,
        "totalTokenCount": 15}});
    upstream.on("/v1/models/m:generateContent", Script::json(200, &said));
    let stream = Script::stream([sse::data(&said)]);
    upstream.on("/v1/models/m:streamGenerateContent?alt=sse", stream);
    let asked = json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}], "x_future": true});

    let whole = post(&organization, &key, "/v1beta/models/m:generateContent", &asked)
        .await
        .expect(200);
    let streamed_path = "/v1/models/m:streamGenerateContent?alt=sse";
    let streamed = post(&organization, &key, streamed_path, &asked).await.expect(200);

    assert_eq!(whole.json(), said);
    assert_eq!(sse::chunks(&streamed.body), [said]);
    for seen in upstream.seen() {
        assert_eq!(seen.json(), asked);
        assert_eq!(seen.headers.need("x-goog-api-key"), "sk-upstream-secret-0001");
    }
    for answer in [&whole, &streamed] {
        let row = organization.usage(&request_id(answer)).await;
        assert_eq!(row.dialect, Dialect::GeminiGenerate);
        assert_eq!(quantity(&row, UsageUnit::InputUncached), 8);
        assert_eq!(quantity(&row, UsageUnit::OutputText), 2);
        assert_eq!(quantity(&row, UsageUnit::OutputReasoning), 5);
    }
}

#[tokio::test]
async fn a_gemini_stream_without_events_is_one_array() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let asked = json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]});

    let answer = post(&organization, &key, "/v1beta/models/echo:streamGenerateContent", &asked)
        .await
        .expect(200);

    assert_eq!(answer.headers.need("content-type"), "application/json");
    let pieces = answer.json();
    let pieces = pieces.as_array().expect("an array");
    assert!(pieces.len() > 1, "{pieces:?}");
    let last = pieces.last().expect("a last piece");
    assert_eq!(member(last, "/candidates/0/finishReason"), "STOP");
}

#[tokio::test]
async fn embeddings_pass_on_and_are_metered() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let said = json!({"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": "AACAPw=="}],
        "usage": {"prompt_tokens": 6, "total_tokens": 6}});
    upstream.on("m", Script::json(200, &said));
    let asked = json!({"model": "m", "input": ["Say hello."], "encoding_format": "base64"});

    let answer = post(&organization, &key, "/v1/embeddings", &asked).await.expect(200);

    assert_eq!(answer.json(), said);
    let seen = upstream.only();
    assert_eq!((seen.target.as_str(), seen.json()), ("/v1/embeddings", asked));
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.dialect, quantity(&row, UsageUnit::InputUncached)),
        (Dialect::OpenaiEmbeddings, 6)
    );
}

#[tokio::test]
async fn models_are_listed_in_the_shape_of_who_asks() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let address = organization.chat(&key).address;
    let get = async |path: &str, header: Option<(&str, &str)>| {
        let mut request = Request::new("GET", path).header("x-api-key", &key.secret);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.send(address).await.expect("an answer").expect(200).json()
    };

    let openai = get("/v1/models", None).await;
    let anthropic = get("/v1/models", Some(("anthropic-version", "2023-06-01"))).await;
    let gemini = get("/v1beta/models", None).await;
    let one = get("/v1beta/models/echo", None).await;

    assert_eq!(member(&openai, "/data/0/id"), "echo");
    assert_eq!(
        (member(&anthropic, "/data/0/type"), member(&anthropic, "/first_id")),
        (&json!("model"), &json!("echo"))
    );
    assert_eq!(member(&gemini, "/models/0/name"), "models/echo");
    assert_eq!(member(&one, "/name"), "models/echo");
}

#[tokio::test]
async fn calls_to_bedrock_are_signed_and_name_the_model_in_the_address() {
    let upstream = Upstream::start().await;
    let keys =
        json!({"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG", "session_token": "st"});
    let provider = json!({"name": "up", "kind": "bedrock", "region": "eu-central-1", "base_url": upstream.origin(),
        "headers": {"x-team": "search"}, "credentials": [{"name": "a", "aws": keys}]});
    let model = "anthropic.claude-haiku-4-5-20251001-v1:0";
    let (organization, key) = Organization::with_model(Installation::shared().await, &provider, model).await;
    let said = json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {}});
    let address = "/model/anthropic.claude-haiku-4-5-20251001-v1:0/converse";
    upstream.on(address, Script::json(200, &said));

    let answer = organization.chat(&key).ask("m").await.expect(200);

    assert_eq!(member(&answer.json(), "/choices/0/message/content"), "Hello.");
    let seen = upstream.only();
    assert_eq!(seen.target, address);
    let signature = seen.headers.need("authorization");
    assert!(
        signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        "{signature}"
    );
    assert!(
        signature.contains("/eu-central-1/bedrock/aws4_request, SignedHeaders="),
        "{signature}"
    );
    assert_eq!(seen.headers.need("x-amz-security-token"), "st");
    assert_eq!(seen.headers.need("x-team"), "search");
}

#[tokio::test]
async fn a_classic_azure_provider_is_called_by_its_deployments() {
    let upstream = Upstream::start().await;
    let provider = json!({"name": "up", "kind": "azure", "api_version": "2024-10-21", "base_url": upstream.origin(),
        "deployments": {"gpt-4o-mini": "ours"}, "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}]});
    let (organization, key) = Organization::with_model(Installation::shared().await, &provider, "gpt-4o-mini").await;
    upstream.on("ours", Script::answer("Hello.", 1_000, 1_000));

    let answer = organization.chat(&key).ask("m").await.expect(200);

    let seen = upstream.only();
    assert_eq!(
        seen.target,
        "/openai/deployments/ours/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(seen.headers.need("api-key"), "sk-upstream-secret-0001");
    // Priced as the model that it is, whatever the deployment is called.
    assert_ne!(answer.headers.need("x-gw-cost-usd"), "unpriced");
}

#[tokio::test]
async fn what_a_vendor_refuses_of_its_own_dialect_is_left_out_and_named() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "mistral").await;
    upstream.on("m", Script::answer("Hello.", 1_000, 1_000));
    let body = json!({"model": "m", "user": "u", "store": true, "safe_prompt": true,
        "messages": [{"role": "user", "content": "Say hello."}]});

    let answer = organization.chat(&key).send(&body).await.expect(200);

    assert_eq!(answer.headers.need("x-gw-dropped-params"), "store, user");
    let sent = upstream.only().json();
    assert_eq!((sent.get("user"), sent.get("store")), (None, None));
    assert_eq!(sent.get("safe_prompt"), Some(&json!(true)));
    let strict = Request::new("POST", "/v1/chat/completions")
        .header("x-api-key", &key.secret)
        .header("x-gw-strict", "true")
        .json(&body);
    let refused = strict
        .send(organization.chat(&key).address)
        .await
        .expect("an answer")
        .expect(400);
    assert!(refused.text().contains("store, user"), "{}", refused.text());
    assert_eq!(upstream.seen().len(), 1);
}
