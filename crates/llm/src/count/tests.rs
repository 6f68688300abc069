//! Who is asked to count, in which words.

use serde_json::{Value, json};

use super::*;

fn messages(body: &str) -> CountRequest {
    CountRequest::parse(
        Dialect::AnthropicMessages,
        Bytes::from(body.to_owned()),
        PathFacts::default(),
    )
    .expect(body)
}

fn contents(body: &str) -> CountRequest {
    let path = PathFacts {
        model: Some("mine"),
        stream: false,
    };
    CountRequest::parse(Dialect::GeminiGenerate, Bytes::from(body.to_owned()), path).expect(body)
}

fn sent(put: &CountPut) -> String {
    let body = put.body.clone().into_iter().collect::<Vec<_>>().concat();
    String::from_utf8(body).expect("text")
}

#[test]
fn a_request_in_the_providers_dialect_is_passed_on_with_the_models_name_changed() {
    let body = r#" {"x": 1.50, "model" : "mine", "messages": [{"role":"user","content":"a"}]}"#;
    let put = messages(body)
        .put(ProviderKind::Anthropic, "claude-x", "claude-x")
        .expect("asked");
    assert_eq!((put.endpoint, put.passed), (Endpoint::CountMessages, true));
    assert_eq!(sent(&put), body.replace(r#""mine""#, r#""claude-x""#));

    let put = messages(body)
        .put(ProviderKind::Vertex, "claude-x", "claude-x")
        .expect("asked");
    assert_eq!(put.endpoint, Endpoint::CountRawPredict);
    let versioned = body
        .replace('{', "{\"anthropic_version\":\"vertex-2023-10-16\",")
        .replacen("mine", "claude-x", 1);
    let inner = "{\"anthropic_version\":\"vertex-2023-10-16\",\"role\"";
    assert_eq!(sent(&put), versioned.replace(inner, "{\"role\""));

    let body = r#"{"contents": [{"parts": [{"text": "a"}]}] }"#;
    for kind in [ProviderKind::Gemini, ProviderKind::Vertex] {
        let put = contents(body).put(kind, "gemini-x", "gemini-x").expect("asked");
        assert_eq!((put.endpoint, sent(&put).as_str()), (Endpoint::CountTokens, body));
    }
}

#[test]
fn a_request_within_another_is_named_anew_or_taken_out_of_it() {
    let body = r#"{"generateContentRequest": {"model": "models/mine", "contents": [{"parts": [{"text": "a"}]}]}}"#;

    let studio = contents(body)
        .put(ProviderKind::Gemini, "gemini-x", "gemini-x")
        .expect("asked");
    let vertex = contents(body)
        .put(ProviderKind::Vertex, "gemini-x", "gemini-x")
        .expect("asked");

    assert_eq!(sent(&studio), body.replace("models/mine", "models/gemini-x"));
    let vertex: Value = serde_json::from_str(&sent(&vertex)).expect("JSON");
    assert_eq!(
        vertex,
        json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]})
    );
}

#[test]
fn a_request_of_the_other_dialect_is_translated_without_what_is_not_counted() {
    let body = r#"{"model":"mine","system":"Be brief.","temperature":0.5,"messages":[{"role":"user","content":"a"}],
        "tools":[{"name":"f","input_schema":{"type":"object"}}]}"#;
    let request = json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "generationConfig": {"temperature": 0.5}});

    let studio = messages(body)
        .put(ProviderKind::Gemini, "gemini-x", "gemini-x")
        .expect("asked");
    let vertex = messages(body)
        .put(ProviderKind::Vertex, "gemini-x", "gemini-x")
        .expect("asked");

    assert!(!studio.passed);
    let mut wrapped = request.clone();
    wrapped["model"] = json!("models/gemini-x");
    let read = |put: &CountPut| serde_json::from_str::<Value>(&sent(put)).expect("JSON");
    assert_eq!(read(&studio), json!({ "generateContentRequest": wrapped }));
    assert_eq!(read(&vertex), request);

    let body = r#"{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"temperature":0.5,"maxOutputTokens":9}}"#;
    let claude = contents(body)
        .put(ProviderKind::Anthropic, "claude-x", "claude-x")
        .expect("asked");
    let said = json!({"model": "claude-x", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]});
    assert_eq!((read(&claude), claude.passed), (said, false));
}

#[test]
fn counts_are_read_and_anything_else_is_a_failure() {
    let claude = messages(r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#);
    let claude = claude.put(ProviderKind::Anthropic, "m", "m").expect("asked");
    let gemini = contents(r#"{"contents":[]}"#)
        .put(ProviderKind::Gemini, "m", "m")
        .expect("asked");

    assert_eq!(claude.read(br#"{"input_tokens":7,"x":1}"#), Ok(7));
    assert_eq!(gemini.read(br#"{"totalTokens":8}"#), Ok(8));
    for body in ["", "{}", "[]", r#"{"input_tokens":"7"}"#, r#"{"input_tokens":7"#] {
        let kind = claude.read(body.as_bytes()).expect_err(body).kind;
        assert_eq!(kind, FailureKind::Malformed, "{body}");
    }
}

#[test]
fn who_cannot_count_is_not_asked() {
    let request = messages(r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#);
    for kind in [ProviderKind::Openai, ProviderKind::Bedrock, ProviderKind::Sandbox] {
        assert!(request.put(kind, "m", "m").is_none(), "{kind:?}");
    }
    assert!(request.check().is_ok());
    // "user" and "a", three around the message and three before the answer.
    assert_eq!(request.estimate("gpt-5"), br#"{"input_tokens":8}"#);
}
