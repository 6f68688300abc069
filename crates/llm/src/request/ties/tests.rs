use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::*;
use crate::dialect::PathFacts;

fn request(dialect: Dialect, members: Json) -> Request {
    let path = PathFacts {
        model: (dialect == Dialect::GeminiGenerate).then_some("m"),
        stream: false,
    };
    let mut body = members;
    if dialect != Dialect::GeminiGenerate
        && let Some(body) = body.as_object_mut()
    {
        body.insert("model".to_owned(), json!("m"));
    }
    Request::parse(dialect, Bytes::from(body.to_string()), path).expect("a request")
}

fn chat(more: Json) -> Request {
    let mut body = json!({"messages": [{"role": "user", "content": "Hi"}]});
    if let (Some(body), Json::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    request(Dialect::OpenaiChat, body)
}

fn messages(user_id: &str) -> Request {
    request(
        Dialect::AnthropicMessages,
        json!({"max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], "metadata": {"user_id": user_id}}),
    )
}

#[test]
fn a_session_is_found_wherever_a_dialect_names_it() {
    let check = |request: Request, expected: Option<&str>| assert_eq!(request.session().as_deref(), expected);

    check(chat(json!({})), None);
    check(chat(json!({"prompt_cache_key": "k"})), Some("k"));
    check(
        chat(json!({"prompt_cache_key": "k", "metadata": {"session_id": "s"}})),
        Some("s"),
    );
    check(
        chat(json!({"prompt_cache_key": "", "metadata": {"session_id": 5}})),
        None,
    );
    let responses = |members| request(Dialect::OpenaiResponses, members);
    check(
        responses(json!({"input": "Hi", "conversation": "conv_1"})),
        Some("conv_1"),
    );
    check(
        responses(json!({"input": "Hi", "conversation": {"id": "conv_2"}})),
        Some("conv_2"),
    );
    check(
        responses(json!({"input": "Hi", "previous_response_id": "resp_1"})),
        None,
    );
    check(messages("user_a_account_b_session_c"), Some("c"));
    check(
        messages(r#"{"device_id":"d","account_uuid":"a","session_id":"s"}"#),
        Some("s"),
    );
    check(messages("somebody"), None);
}

#[test]
fn a_user_is_found_wherever_a_dialect_names_it_and_without_the_session() {
    let check = |request: Request, expected: Option<&str>| assert_eq!(request.end_user().as_deref(), expected);

    check(chat(json!({})), None);
    check(chat(json!({"user": "u"})), Some("u"));
    check(chat(json!({"user": "u", "safety_identifier": "s"})), Some("s"));
    check(messages("somebody"), Some("somebody"));
    check(messages("user_a_account_b_session_c"), Some("user_a_account_b"));
    check(
        messages(r#"{"device_id":"d","account_uuid":"","session_id":"s"}"#),
        Some("d"),
    );
}

#[test]
fn labels_are_read_as_texts() {
    let labelled = chat(json!({"metadata": {"a": "b\n", "n": 1}}));

    assert_eq!(labelled.metadata("a").as_deref(), Some("b\n"));
    assert_eq!(labelled.metadata("n"), None);
    assert_eq!(labelled.metadata_names(), ["a"]);
    let gemini = request(
        Dialect::GeminiGenerate,
        json!({"contents": [{"parts": [{"text": "Hi"}]}], "labels": {"team": "x"}}),
    );
    assert_eq!(gemini.metadata("team").as_deref(), Some("x"));
}

#[test]
fn a_conversation_is_known_by_how_it_begins() {
    let turn = |system: &str, first: &str, rest: Json| {
        let mut messages = vec![json!({"role": "user", "content": [{"type": "text", "text": first}]})];
        messages.extend(rest.as_array().cloned().unwrap_or_default());
        request(
            Dialect::AnthropicMessages,
            json!({"max_tokens": 5, "system": [{"type": "text", "text": system}], "messages": messages}),
        )
        .beginning()
    };
    let begun = turn("Be kind.", "Hi", json!([]));

    assert!(begun.is_some());
    let later = json!([{"role": "assistant", "content": "Hello"}, {"role": "user", "content": "How are you?"}]);
    assert_eq!(turn("Be kind.", "Hi", later), begun);
    assert_ne!(turn("Be kind.", "Ho", json!([])), begun);
    assert_ne!(turn("Be brief.", "Hi", json!([])), begun);
}

#[test]
fn marks_where_to_cache_do_not_make_another_beginning() {
    let with = |part: Json| {
        let messages = json!([{"role": "system", "content": "S"}, {"role": "user", "content": [part]}]);
        request(Dialect::OpenaiChat, json!({ "messages": messages })).beginning()
    };

    assert_eq!(
        with(json!({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}})),
        with(json!({"type": "text", "text": "Hi"})),
    );
    assert_ne!(
        with(json!({"type": "text", "text": "Hi"})),
        with(json!({"type": "text", "text": "Ho"})),
    );
}

#[test]
fn every_dialect_has_a_beginning_where_there_is_one() {
    let gemini = |text: &str| {
        let contents = json!([{"role": "user", "parts": [{"text": text}]}]);
        request(Dialect::GeminiGenerate, json!({ "contents": contents })).beginning()
    };
    let responses = |input: Json| request(Dialect::OpenaiResponses, json!({ "input": input })).beginning();

    assert_ne!(gemini("Hi"), gemini("Ho"));
    assert_ne!(responses(json!("Hi")), responses(json!("Ho")));
    assert_eq!(
        responses(json!([{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}])),
        responses(
            json!([{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, {"role": "user", "content": "more"}])
        ),
    );
    let stored = request(Dialect::OpenaiResponses, json!({"prompt": {"id": "p"}}));
    assert_eq!(stored.beginning(), None);
}
