//! Claude in the clouds, for callers of its own dialect: their bodies arrive as they wrote them, in the cloud's envelope,
//! and what Claude says comes back as it said it.

use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, Outcome, UsageRow};
use harness::chat::request_id;
use harness::frames::{chunk, exception};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sigv4;
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

const MODEL: &str = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
const INVOKE: &str = "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1:0/invoke";
const STREAM: &str = "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1:0/invoke-with-response-stream";
const CONVERSE: &str = "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1:0/converse";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG";

/// An organization whose model `m` is this one of the provider.
async fn organization(provider: &Value, model: &str) -> (Organization, Key) {
    Organization::with_model(Installation::shared().await, provider, model).await
}

/// Claude is always spoken to in its own words there.
fn invoking(upstream: &Upstream) -> Value {
    let mut provider = bedrock(upstream);
    provider["api"] = json!("invoke");
    provider
}

fn bedrock(upstream: &Upstream) -> Value {
    let keys = json!({"access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET_KEY});
    let mut provider = harness::organization::bedrock(&upstream.origin());
    provider["credentials"] = json!([{"name": "a", "aws": keys}]);
    provider
}

async fn ask(organization: &Organization, key: &Key, headers: &[(&str, &str)], body: &str) -> Answer {
    let request = Request::new("POST", "/v1/messages")
        .header("x-api-key", &key.secret)
        .headers(headers);
    let request = request.bytes("application/json", body.as_bytes().to_vec());
    let address = organization.chat(key).address;
    request.send(address).await.expect("the data plane answers")
}

fn claude_says(text: &str) -> Value {
    json!({"id": "msg_bdrk_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null, "new": [1, 2.50],
        "usage": {"input_tokens": 7, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 4}, "output_tokens": 3}})
}

/// The events of a stream, until its end.
fn claude_streams() -> [Value; 6] {
    [
        json!({"type": "message_start", "message": {"id": "msg_bdrk_1", "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-5-20250929", "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": 7, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 0, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}, "new": true}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 3}}),
        json!({"type": "message_stop", "amazon-bedrock-invocationMetrics":
            {"inputTokenCount": 7, "outputTokenCount": 3, "cacheReadInputTokenCount": 30, "invocationLatency": 5}}),
    ]
}

/// Names and data of the events that came, comments left out.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let text = answer.text();
    let blocks = text.split("\n\n").filter(|block| block.starts_with("event: "));
    let read = |block: &str| {
        let (name, data) = block.strip_prefix("event: ")?.split_once("\ndata: ")?;
        Some((name.to_owned(), serde_json::from_str(data).ok()?))
    };
    blocks.map(|block| read(block).expect("an event")).collect()
}

fn quantities(row: &UsageRow) -> Vec<(UsageUnit, u64)> {
    row.lines.iter().map(|line| (line.unit, line.quantity)).collect()
}

#[tokio::test]
async fn claude_on_bedrock_gets_the_callers_own_body_and_the_caller_claudes_own_answer() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&bedrock(&upstream), MODEL).await;
    upstream.on(INVOKE, Script::json(200, &claude_says("Hello.")));
    let rest = r#" "max_tokens" : 50,"messages":[{"role":"user","content":[ {"type":"text","text":"Say h\u00e9llo.","cache_control":{"type":"ephemeral","ttl":"1h"}} ]}],"x_future":{"a":[null,-0.50]}"#;
    let betas = "claude-code-20250219, effort-2025-11-24";

    let answer = ask(
        &organization,
        &key,
        &[
            ("anthropic-beta", betas),
            ("anthropic-beta", "context-1m-2025-08-07"),
            ("anthropic-version", "2023-06-01"),
        ],
        &format!(r#"{{"model" : "m","stream":false,{rest}}}"#),
    )
    .await
    .expect(200);

    assert_eq!(answer.text(), claude_says("Hello.").to_string());
    assert_eq!(
        answer.headers.need("x-gw-dropped-params"),
        "anthropic-beta=claude-code-20250219"
    );
    let seen = upstream.only();
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        format!(
            r#"{{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["effort-2025-11-24","context-1m-2025-08-07"],{rest}}}"#
        )
    );
    for name in ["anthropic-beta", "anthropic-version", "x-api-key"] {
        assert_eq!(seen.headers.get(name), None, "{name}");
    }
    let keys = sigv4::Expected {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: SECRET_KEY,
        region: "eu-central-1",
        service: "bedrock",
    };
    assert_eq!(sigv4::verify(&seen, keys), Ok(()));
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.dialect, row.outcome),
        (Dialect::AnthropicMessages, Outcome::Complete)
    );
    assert_eq!(
        quantities(&row),
        [
            (UsageUnit::InputUncached, 7),
            (UsageUnit::InputCacheRead, 30),
            (UsageUnit::InputCacheWrite5m, 1),
            (UsageUnit::InputCacheWrite1h, 4),
            (UsageUnit::OutputText, 3)
        ]
    );
    assert!(row.cost.is_some(), "{row:?}");
}

#[tokio::test]
async fn a_stream_of_frames_becomes_claudes_own_events() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&bedrock(&upstream), MODEL).await;
    let told = claude_streams();
    let frames = told.iter().map(chunk).collect::<Vec<_>>().concat();
    upstream.on(STREAM, Script::stream(frames.chunks(50)));

    let body = r#"{"messages":[{"role":"user","content":"Say hello."}],"max_tokens":9,"stream":true,"model":"m"}"#;
    let answer = ask(&organization, &key, &[], body).await.expect(200);

    assert_eq!(answer.headers.need("content-type"), "text/event-stream");
    let expected = told.iter().map(|event| {
        let name = event.get("type").and_then(Value::as_str).expect("a type");
        (name.to_owned(), event.clone())
    });
    assert_eq!(events(&answer), expected.collect::<Vec<_>>());
    assert_eq!(
        String::from_utf8_lossy(&upstream.only().body),
        r#"{"messages":[{"role":"user","content":"Say hello."}],"max_tokens":9,"anthropic_version":"bedrock-2023-05-31"}"#
    );
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.outcome, row.stream, row.estimated),
        (Outcome::Complete, true, false)
    );
    assert_eq!(
        quantities(&row),
        [
            (UsageUnit::InputUncached, 7),
            (UsageUnit::InputCacheRead, 30),
            (UsageUnit::OutputText, 3)
        ]
    );
}

#[tokio::test]
async fn a_stream_that_breaks_is_told_in_the_callers_dialect_and_what_came_is_billed() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&bedrock(&upstream), MODEL).await;
    let begun = claude_streams().iter().take(3).map(chunk).collect::<Vec<_>>().concat();
    let throttled = exception("throttlingException", "Too many tokens, wait before trying again.");
    let mut damaged = chunk(&json!({"type": "ping"}));
    *damaged.last_mut().expect("a checksum") ^= 1;
    let half = damaged.get(..damaged.len() / 2).expect("half of it").to_vec();
    let body = r#"{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Say hello."}]}"#;

    for (end, kind) in [
        (throttled, "rate_limit_error"),
        (exception("internalServerException", "It broke."), "api_error"),
        (exception("modelTimeoutException", "It took too long."), "timeout_error"),
        (damaged, "api_error"),
        (half, "api_error"),
    ] {
        upstream.on(STREAM, Script::stream([begun.clone(), end]));
        let answer = ask(&organization, &key, &[], body).await.expect(200);

        let told = events(&answer);
        assert_eq!(told.len(), 4, "{}", answer.text());
        let (name, error) = told.last().expect("events");
        assert_eq!(
            (name.as_str(), &error["type"], &error["error"]["type"]),
            ("error", &json!("error"), &json!(kind))
        );
        let row = organization.usage(&request_id(&answer)).await;
        assert_eq!(row.outcome, Outcome::Cut, "{row:?}");
        assert!(
            row.lines.iter().any(|line| line.unit == UsageUnit::InputCacheRead),
            "{row:?}"
        );
    }
}

#[tokio::test]
async fn errors_of_bedrock_are_told_as_anthropic_tells_them() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&bedrock(&upstream), MODEL).await;
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Say hello."}]}"#;
    let refused = |status, name: &str, message: &str| {
        Script::json(status, &json!({"message": message})).header("x-amzn-errortype", name)
    };

    upstream.on(
        INVOKE,
        refused(
            400,
            "ValidationException:http://internal.amazon.com/",
            "max_tokens: too many",
        ),
    );
    let answer = ask(&organization, &key, &[], body).await.expect(400);
    let error = answer.json();
    assert_eq!(
        (&error["type"], &error["error"]["type"]),
        (&json!("error"), &json!("invalid_request_error"))
    );
    assert_eq!(error["error"]["message"], "max_tokens: too many");

    upstream.on(INVOKE, refused(429, "ThrottlingException", "Too many requests"));
    let answer = ask(&organization, &key, &[], body).await.expect(429);
    assert_eq!(answer.json()["error"]["type"], "rate_limit_error");

    upstream.on(
        INVOKE,
        refused(403, "AccessDeniedException", "You don't have access to the model."),
    );
    let answer = ask(&organization, &key, &[], body).await.expect(502);
    assert_eq!(answer.json()["error"]["type"], "api_error");
}

#[tokio::test]
async fn what_the_envelope_has_no_place_for_goes_by_converse() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&bedrock(&upstream), MODEL).await;
    let said = json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {}});
    upstream.on(CONVERSE, Script::json(200, &said));
    upstream.on(INVOKE, Script::json(200, &claude_says("Hello.")));

    organization.chat(&key).ask("m").await.expect(200);
    let own = r#"{"model":"m","max_tokens":9,"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":"Hi."}]}"#;
    let answer = ask(&organization, &key, &[], own).await.expect(200);

    assert_eq!(answer.headers.need("x-gw-dropped-params"), "anthropic_version");
    let targets: Vec<_> = upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [CONVERSE, CONVERSE]);
    let strict = [("x-gw-strict", "true"), ("anthropic-beta", "files-api-2025-04-14")];
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi."}]}"#;
    let refused = ask(&organization, &key, &strict, body).await.expect(400);
    assert!(refused.text().contains("files-api-2025-04-14"), "{}", refused.text());
}

#[tokio::test]
async fn claude_on_vertex_gets_the_callers_own_body_and_betas() {
    let upstream = Upstream::start().await;
    let provider = json!({"name": "up", "kind": "vertex", "project": "acme", "region": "europe-west4",
        "base_url": upstream.origin(), "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}]});
    let (organization, key) = organization(&provider, "claude-sonnet-4-5@20250929").await;
    let at = "/v1/projects/acme/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929";
    upstream.on(&format!("{at}:rawPredict"), Script::json(200, &claude_says("Hello.")));

    let betas = [("anthropic-beta", "context-1m-2025-08-07,files-api-2025-04-14")];
    let body = r#"{"max_tokens":9, "x_future":1,"model":"m","messages":[{"role":"user","content":"Say hello."}]}"#;
    let answer = ask(&organization, &key, &betas, body).await.expect(200);

    assert_eq!(answer.text(), claude_says("Hello.").to_string());
    let seen = upstream.only();
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        body.replace(r#""model":"m""#, r#""anthropic_version":"vertex-2023-10-16""#)
    );
    assert_eq!(seen.headers.need("anthropic-beta"), "context-1m-2025-08-07");
}

#[tokio::test]
async fn a_provider_that_is_set_to_invoke_speaks_to_claude_in_anthropics_words_whoever_asks() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&invoking(&upstream), MODEL).await;
    upstream.on(INVOKE, Script::json(200, &claude_says("Hello.")));
    let frames = claude_streams().iter().map(chunk).collect::<Vec<_>>().concat();
    upstream.on(STREAM, Script::stream(frames.chunks(50)));

    let answer = organization.chat(&key).ask("m").await.expect(200);

    assert_eq!(answer.json()["choices"][0]["message"]["content"], "Hello.");
    let sent: Value = serde_json::from_slice(&upstream.only().body).expect("JSON");
    assert_eq!(sent["anthropic_version"], "bedrock-2023-05-31");
    assert!(sent["max_tokens"].is_u64(), "{sent}");
    assert_eq!((sent.get("model"), sent.get("stream")), (None, None));
    let classes = [
        (UsageUnit::InputUncached, 7),
        (UsageUnit::InputCacheRead, 30),
        (UsageUnit::InputCacheWrite5m, 1),
        (UsageUnit::InputCacheWrite1h, 4),
        (UsageUnit::OutputText, 3),
    ];
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(quantities(&row), classes);

    let body = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "Say hello."}]});
    let answer = organization.chat(&key).send(&body).await.expect(200);
    assert!(answer.text().contains("\"content\":\"Hello.\""), "{}", answer.text());
    assert!(answer.text().contains("\"prompt_tokens\":37"), "{}", answer.text());
    let targets: Vec<_> = upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [INVOKE, STREAM]);
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!((row.outcome, row.estimated), (Outcome::Complete, false));
}

#[tokio::test]
async fn what_has_to_be_written_anew_for_claude_keeps_the_callers_betas() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&invoking(&upstream), MODEL).await;
    upstream.on(INVOKE, Script::json(200, &claude_says("Hello.")));
    // It says itself what the envelope is to say.
    let body = r#"{"model":"m","max_tokens":9,"anthropic_version":"x","messages":[{"role":"user","content":"Hi."}]}"#;
    let betas = [("anthropic-beta", "context-1m-2025-08-07,files-api-2025-04-14")];

    let answer = ask(&organization, &key, &betas, body).await.expect(200);

    let sent: Value = serde_json::from_slice(&upstream.only().body).expect("JSON");
    assert_eq!(sent["anthropic_beta"], json!(["context-1m-2025-08-07"]));
    assert_eq!(
        answer.headers.need("x-gw-dropped-params"),
        "anthropic_version, anthropic-beta=files-api-2025-04-14"
    );
    let strict = [betas[0], ("x-gw-strict", "true")];
    ask(&organization, &key, &strict, body).await.expect(400);
}

#[tokio::test]
async fn other_makers_models_are_spoken_to_by_converse_all_the_same() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&invoking(&upstream), "amazon.nova-pro-v1:0").await;
    let said = json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {}});
    upstream.on("/model/amazon.nova-pro-v1:0/converse", Script::json(200, &said));

    organization.chat(&key).ask("m").await.expect(200);

    assert_eq!(upstream.only().target, "/model/amazon.nova-pro-v1:0/converse");
}

#[tokio::test]
async fn an_inference_profile_that_is_said_to_be_claude_is_spoken_to_as_claude() {
    let upstream = Upstream::start().await;
    let profile = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2";
    let at = "/model/arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile%2Fa1b2/invoke";
    let (organization, key) = organization(&invoking(&upstream), profile).await;
    let facts = json!({"kind": "bedrock", "model": MODEL, "facts": {"aliases": [profile]}});
    organization
        .owner
        .post(&organization.path("/catalog/overlays"), &facts)
        .await
        .expect(201);
    upstream.on(at, Script::json(200, &claude_says("Hello.")));
    upstream.on(
        &at.replace("/invoke", "/converse"),
        Script::json(404, &json!({"message": "not yet"})),
    );

    eventually("the alias is known", SOON, async || {
        let answer = organization.chat(&key).ask("m").await;
        (answer.status == 200).then_some(())
    })
    .await;

    assert_eq!(upstream.seen().last().expect("calls").target, at);
}
