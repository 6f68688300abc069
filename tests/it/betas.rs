//! Beta features that a provider refuses: the same is asked again without them, once, and the caller is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatewright_types::api::Outcome;
use harness::chat::request_id;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization, bedrock, provider};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const CLAUDE_CODE: &str = "claude-code-20250219";
const INTERLEAVED: &str = "interleaved-thinking-2025-05-14";

async fn organization(provider: &Value, model: &str) -> (Organization, Key) {
    Organization::with_model(Installation::shared().await, provider, model).await
}

fn anthropic(upstream: &Upstream) -> Value {
    provider("anthropic", &upstream.base_url())
}

async fn ask(organization: &Organization, key: &Key, headers: &[(&str, &str)], stream: bool) -> Answer {
    send(organization, key, headers, &json!({ "stream": stream })).await
}

/// The usual question, with more members.
async fn send(organization: &Organization, key: &Key, headers: &[(&str, &str)], more: &Value) -> Answer {
    let message = json!({"role": "user", "content": "Say hello."});
    let mut body = json!({"model": "m", "max_tokens": 9, "messages": [message]});
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    let request = Request::new("POST", "/v1/messages")
        .header("x-api-key", &key.secret)
        .headers(headers);
    let address = organization.chat(key).address;
    request.json(&body).send(address).await.expect("the data plane answers")
}

fn refused(message: &str) -> Script {
    let error = json!({"type": "invalid_request_error", "message": message});
    Script::json(400, &json!({"type": "error", "error": error}))
}

fn hello() -> Script {
    let content = json!([{"type": "text", "text": "Hello."}]);
    Script::json(
        200,
        &json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content,
            "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 7, "output_tokens": 3}}),
    )
}

/// The first so many calls are refused, and all others answered.
fn refuse(upstream: &Upstream, times: usize, message: &'static str) {
    let calls = Arc::new(AtomicUsize::new(0));
    upstream.answer_by(move |_| match calls.fetch_add(1, Ordering::SeqCst) < times {
        true => refused(message),
        false => hello(),
    });
}

#[tokio::test]
async fn what_anthropic_refuses_by_name_is_left_out_and_the_rest_is_asked_again() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&anthropic(&upstream), "claude-x").await;
    refuse(
        &upstream,
        1,
        "Unexpected value(s) `claude-code-20250219` for the `anthropic-beta` header. Please consult our documentation.",
    );
    let betas = [
        (
            "anthropic-beta",
            "claude-code-20250219, interleaved-thinking-2025-05-14",
        ),
        ("anthropic-version", "2023-01-01"),
    ];

    let answer = ask(&organization, &key, &betas, false).await.expect(200);

    assert_eq!(
        answer.headers.need("x-gw-dropped-params"),
        format!("anthropic-beta={CLAUDE_CODE}")
    );
    assert_eq!(answer.headers.need("x-gw-attempts"), "2");
    let [first, second] = &upstream.seen()[..] else {
        panic!("two calls are made: {:?}", upstream.seen());
    };
    assert_eq!(
        first.headers.need("anthropic-beta"),
        "claude-code-20250219, interleaved-thinking-2025-05-14"
    );
    assert_eq!(second.headers.need("anthropic-beta"), INTERLEAVED);
    assert_eq!(second.headers.need("anthropic-version"), "2023-01-01");
    assert_eq!(first.body, second.body);
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(row.outcome, Outcome::Complete);
}

/// As a cloud does, by its body.
fn refuse_all(upstream: &Upstream) {
    upstream.answer_by(|body| match body.get("anthropic_beta") {
        Some(_) => Script::json(
            400,
            &json!({"message": "The model returned the following errors: invalid beta flag"}),
        ),
        None => hello(),
    });
}

#[tokio::test]
async fn where_a_cloud_names_none_all_are_left_out() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&bedrock(&upstream.origin()), CLAUDE).await;
    refuse_all(&upstream);
    let betas = [("anthropic-beta", "context-1m-2025-08-07,effort-2025-11-24")];

    let answer = ask(&organization, &key, &betas, false).await.expect(200);

    assert_eq!(
        answer.headers.need("x-gw-dropped-params"),
        "anthropic-beta=context-1m-2025-08-07, anthropic-beta=effort-2025-11-24"
    );
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn they_are_left_out_and_told_of_what_is_written_anew_as_well() {
    let upstream = Upstream::start().await;
    let mut provider = bedrock(&upstream.origin());
    provider["api"] = json!("invoke");
    let (organization, key) = organization(&provider, CLAUDE).await;
    refuse_all(&upstream);
    let beta = [("anthropic-beta", "context-1m-2025-08-07")];
    // It says itself what the envelope is to say.
    let own = json!({"anthropic_version": "x"});

    let answer = send(&organization, &key, &beta, &own).await.expect(200);

    assert_eq!(
        answer.headers.need("x-gw-dropped-params"),
        "anthropic_version, anthropic-beta=context-1m-2025-08-07"
    );
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn a_stream_is_asked_for_again_as_well() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&anthropic(&upstream), "claude-x").await;
    let calls = Arc::new(AtomicUsize::new(0));
    upstream.answer_by(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => refused("invalid beta flag"),
        _ => Script::stream([
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"c\",\"content\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\n",
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello.\"}}\n\n",
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ]),
    });

    let answer = ask(&organization, &key, &[("anthropic-beta", CLAUDE_CODE)], true)
        .await
        .expect(200);

    assert!(answer.text().contains("Hello."), "{}", answer.text());
    assert_eq!(
        answer.headers.need("x-gw-dropped-params"),
        format!("anthropic-beta={CLAUDE_CODE}")
    );
    let calls = upstream.seen();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls.last().expect("calls").headers.get("anthropic-beta"), None);
}

#[tokio::test]
async fn it_is_asked_again_only_once_and_in_strict_mode_not_at_all() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&anthropic(&upstream), "claude-x").await;
    refuse(
        &upstream,
        usize::MAX,
        "Unexpected value(s) `claude-code-20250219` for the `anthropic-beta` header.",
    );
    let beta = ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14");

    let answer = ask(&organization, &key, &[beta], false).await.expect(400);
    assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    assert_eq!(upstream.seen().len(), 2);

    let strict = ask(&organization, &key, &[beta, ("x-gw-strict", "true")], false)
        .await
        .expect(400);
    assert!(
        strict.text().contains("anthropic-beta=claude-code-20250219"),
        "{}",
        strict.text()
    );
    assert_eq!(upstream.seen().len(), 3);
}

#[tokio::test]
async fn another_mistake_is_told_as_it_is() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&anthropic(&upstream), "claude-x").await;
    refuse(&upstream, usize::MAX, "max_tokens: too many");

    let answer = ask(&organization, &key, &[("anthropic-beta", CLAUDE_CODE)], false)
        .await
        .expect(400);

    assert_eq!(answer.json()["error"]["message"], "max_tokens: too many");
    assert_eq!(upstream.seen().len(), 1);
    let error = json!({"type": "api_error", "message": "invalid beta flag"});
    let broken = Script::json(500, &json!({"type": "error", "error": error}));
    upstream.answer_by(move |_| broken.clone());
    let beta = [("anthropic-beta", CLAUDE_CODE)];
    ask(&organization, &key, &beta, false).await.expect(502);
    assert_eq!(upstream.seen().len(), 2);
}

/// An organization whose model `m` falls back from the one upstream to the other.
async fn falling_back(first: &Upstream, second: &Upstream) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    for (name, upstream) in [("first", first), ("second", second)] {
        let mut provider = anthropic(upstream);
        provider["name"] = json!(name);
        organization.add("/providers", &provider).await;
    }
    let route = json!({"fallback": [{"target": "first/claude-x"}, {"target": "second/claude-x"}]});
    let model = json!({"name": "m", "route": route, "retries": {"attempts": 0}});
    organization.add("/models", &model).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (organization, key)
}

#[tokio::test]
async fn who_stands_in_is_asked_for_all_of_them() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let (organization, key) = falling_back(&first, &second).await;
    let calls = AtomicUsize::new(0);
    first.answer_by(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => refused("invalid beta flag"),
        _ => Script::json(
            529,
            &json!({"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}}),
        ),
    });
    second.answer_by(|_| hello());

    let beta = [("anthropic-beta", CLAUDE_CODE)];
    let answer = ask(&organization, &key, &beta, false).await.expect(200);

    assert_eq!(answer.headers.need("x-gw-provider"), "second");
    assert_eq!(answer.headers.get("x-gw-dropped-params"), None);
    let sent: Vec<_> = first
        .seen()
        .iter()
        .chain(&second.seen())
        .map(|seen| seen.headers.get("anthropic-beta").map(str::to_owned))
        .collect();
    assert_eq!(sent, [Some(CLAUDE_CODE.to_owned()), None, Some(CLAUDE_CODE.to_owned())]);
}

#[tokio::test]
async fn in_strict_mode_a_refused_beta_is_the_callers_to_take_back_and_nobody_stands_in() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let (organization, key) = falling_back(&first, &second).await;
    refuse(&first, usize::MAX, "invalid beta flag");
    second.answer_by(|_| hello());

    let headers = [("anthropic-beta", CLAUDE_CODE), ("x-gw-strict", "true")];
    let answer = ask(&organization, &key, &headers, false).await.expect(400);

    assert!(
        answer.text().contains("anthropic-beta=claude-code-20250219"),
        "{}",
        answer.text()
    );
    assert_eq!((first.seen().len(), second.seen().len()), (1, 0));
}
