//! Conversations that are translated: what is told of what was lost, and how their streams come and break.

use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, Outcome};
use harness::chat::request_id;
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::Organization;
use harness::sse;
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

use super::{asked_in_anthropic, claude_says, member, organization, post, quantity};

/// The JSON of the events with this name, in a stream whose events have names.
fn named(stream: &[u8], name: &str) -> Vec<Value> {
    let text = String::from_utf8_lossy(stream).into_owned();
    let blocks = text.split("\n\n").filter_map(|block| {
        let rest = block.strip_prefix(&format!("event: {name}\n"))?;
        Some(serde_json::from_str(rest.strip_prefix("data: ")?).expect("JSON"))
    });
    blocks.collect()
}

#[tokio::test]
async fn openai_to_anthropic_is_translated_and_says_what_was_dropped() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic").await;
    upstream.on("m", Script::json(200, &claude_says("Hello.")));
    let body = json!({"model": "m", "seed": 7, "logit_bias": {"1": 2}, "max_tokens": 9, "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}]});

    let answer = post(&organization, &key, "/v1/chat/completions", &body)
        .await
        .expect(200);

    let told = answer.json();
    assert_eq!(member(&told, "/object"), "chat.completion");
    assert_eq!(member(&told, "/choices/0/message/content"), "Hello.");
    assert_eq!(member(&told, "/choices/0/finish_reason"), "stop");
    assert_eq!(
        member(&told, "/usage"),
        &json!({"prompt_tokens": 42, "completion_tokens": 3, "total_tokens": 45,
            "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 5, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0}})
    );
    let mut dropped: Vec<_> = answer.headers.need("x-gw-dropped-params").split(", ").collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["logit_bias", "seed"]);
    let sent = upstream.only();
    assert_eq!(sent.headers.need("anthropic-version"), "2023-06-01");
    assert_eq!(member(&sent.json(), "/max_tokens"), &json!(9));
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(row.dialect, Dialect::OpenaiChat);
    assert_eq!(quantity(&row, UsageUnit::InputCacheRead), 30);
}

#[tokio::test]
async fn in_strict_mode_nothing_is_dropped_but_the_request_is_refused() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic").await;
    let body = json!({"model": "m", "seed": 7, "messages": [{"role": "user", "content": "Say hello."}]});

    let request = Request::new("POST", "/v1/chat/completions")
        .header("x-api-key", &key.secret)
        .header("x-gw-strict", "true")
        .json(&body);
    let answer = request.send(organization.chat(&key).address).await.expect("an answer");

    let error = harness::chat::refused(&answer, 400, "invalid_request");
    assert!(
        member(&error, "/message")
            .as_str()
            .is_some_and(|text| text.ends_with(": seed")),
        "{error}"
    );
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn what_a_provider_cannot_do_is_refused_by_name() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic").await;
    let body = json!({"model": "m", "n": 2, "messages": [{"role": "user", "content": "Say hello."}]});

    let answer = post(&organization, &key, "/v1/chat/completions", &body).await;

    let error = harness::chat::refused(&answer, 400, "invalid_request");
    assert_eq!(member(&error, "/param"), "n");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_stream_is_translated_as_it_comes_and_metered() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let pieces = [
        sse::opening(),
        sse::content("Hel"),
        sse::content("lo."),
        sse::finish(),
        sse::usage(11, 4),
    ];
    upstream.on("m", Script::stream(pieces).send(sse::DONE));

    let answer = post(&organization, &key, "/v1/messages", &asked_in_anthropic(true))
        .await
        .expect(200);

    assert_eq!(answer.headers.need("content-type"), "text/event-stream");
    let text: String = named(&answer.body, "content_block_delta")
        .iter()
        .filter_map(|event| member(event, "/delta/text").as_str().map(str::to_owned))
        .collect();
    assert_eq!(text, "Hello.");
    let [end] = &named(&answer.body, "message_delta")[..] else {
        panic!("one end: {}", answer.text())
    };
    assert_eq!(member(end, "/delta/stop_reason"), "end_turn");
    assert_eq!(
        (member(end, "/usage/input_tokens"), member(end, "/usage/output_tokens")),
        (&json!(11), &json!(4))
    );
    assert_eq!(named(&answer.body, "message_stop").len(), 1);
    let sent = upstream.only().json();
    assert_eq!(member(&sent, "/stream_options/include_usage"), &json!(true));
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.dialect, row.stream, row.estimated),
        (Dialect::AnthropicMessages, true, false)
    );
    assert_eq!(
        (
            quantity(&row, UsageUnit::InputUncached),
            quantity(&row, UsageUnit::OutputText)
        ),
        (11, 4)
    );
}

#[tokio::test]
async fn a_stream_that_breaks_is_told_in_the_callers_dialect() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    upstream.on("m", Script::stream([sse::opening(), sse::content("Hel")]).cut());

    let anthropic = post(&organization, &key, "/v1/messages", &asked_in_anthropic(true))
        .await
        .expect(200);
    let gemini_path = "/v1beta/models/m:streamGenerateContent?alt=sse";
    let asked = json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]});
    let gemini = post(&organization, &key, gemini_path, &asked).await.expect(200);

    let [error] = &named(&anthropic.body, "error")[..] else {
        panic!("one error: {}", anthropic.text())
    };
    assert_eq!(member(error, "/error/type"), "api_error");
    assert!(named(&anthropic.body, "message_stop").is_empty());
    let last = sse::chunks(&gemini.body).pop().expect("events");
    assert_eq!(member(&last, "/error/code"), &json!(502));
    let row = organization.usage(&request_id(&anthropic)).await;
    assert_eq!(
        (row.outcome, row.code.as_deref()),
        (Outcome::Cut, Some("upstream_error"))
    );
}

#[tokio::test]
async fn responses_and_completions_are_answered_by_a_provider_that_has_neither() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;

    let asked = json!({"model": "echo", "input": "Say hello.", "instructions": "Be brief."});
    let response = post(&organization, &key, "/v1/responses", &asked).await.expect(200);
    let asked = json!({"model": "echo", "input": "Say hello.", "stream": true});
    let streamed = post(&organization, &key, "/v1/responses", &asked).await.expect(200);
    let completion = post(
        &organization,
        &key,
        "/v1/completions",
        &json!({"model": "echo", "prompt": "Say hello."}),
    )
    .await
    .expect(200);

    let said = response.json();
    let text = member(&said, "/output/0/content/0/text").as_str().expect("a text");
    assert!(text.starts_with("You said \"Say hello.\""), "{text}");
    assert_eq!(
        (member(&said, "/object"), member(&said, "/status")),
        (&json!("response"), &json!("completed"))
    );
    let completed = named(&streamed.body, "response.completed");
    let [completed] = &completed[..] else {
        panic!("one end: {}", streamed.text())
    };
    assert_eq!(member(completed, "/response/output/0/content/0/text"), text);
    assert_eq!(member(&completion.json(), "/choices/0/text"), text);
    for (answer, dialect) in [
        (&response, Dialect::OpenaiResponses),
        (&streamed, Dialect::OpenaiResponses),
        (&completion, Dialect::OpenaiCompletions),
    ] {
        let row = organization.usage(&request_id(answer)).await;
        assert_eq!(
            (row.dialect, row.outcome, row.estimated),
            (dialect, Outcome::Complete, false)
        );
        assert!(quantity(&row, UsageUnit::OutputText) > 0);
    }
}
