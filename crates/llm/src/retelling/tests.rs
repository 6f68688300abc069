use serde_json::{Value as Tree, json};

use super::*;
use crate::dialect::PathFacts;

const STREAM: Form = Form::Events { usage: true };
const SILENT: Form = Form::Events { usage: false };

fn request(dialect: Dialect, body: &Tree) -> Request {
    let path = PathFacts {
        model: (dialect == Dialect::GeminiGenerate).then_some("m"),
        stream: false,
    };
    Request::parse(dialect, body.to_string().into(), path).expect("a request")
}

fn told(request: &Request, form: Form, body: &Bytes, wanted: Form) -> Option<Bytes> {
    let usage = {
        let mut tokens = Tokens::default();
        tokens.set(gatewright_types::UsageUnit::InputUncached, 9);
        tokens.set(gatewright_types::UsageUnit::OutputText, 4);
        tokens
    };
    let kept = KeptAnswer {
        form,
        body,
        usage: Some(usage),
        model: "gpt",
        created: 5,
        request_id: "req_1",
    };
    retell(request, kept, wanted)
}

/// From whole to stream and back.
fn there_and_back(request: &Request, whole: &Tree, stream: Form) -> Tree {
    let body = Bytes::from(whole.to_string());
    let events = told(request, Form::Whole, &body, stream).expect("it can be told as a stream");
    let again = told(request, stream, &events, Form::Whole).expect("it can be told as a whole");
    serde_json::from_slice(&again).expect("JSON")
}

fn chat_request(more: &Tree) -> Request {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    request(Dialect::OpenaiChat, &body)
}

fn completion() -> Tree {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 5, "model": "gpt",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello", "refusal": null, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ]}, "logprobs": null, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    })
}

#[test]
fn a_completion_with_tools_and_usage_comes_through_both_ways() {
    let again = there_and_back(&chat_request(&json!({})), &completion(), STREAM);

    assert_eq!(again["choices"], completion()["choices"]);
    for (name, count) in [("prompt_tokens", 9), ("completion_tokens", 4), ("total_tokens", 13)] {
        assert_eq!(again["usage"][name], count);
    }
    assert_eq!(again["id"], "chatcmpl-1");
}

#[test]
fn usage_is_in_a_stream_exactly_when_it_is_wanted() {
    let request = chat_request(&json!({}));
    let whole = Bytes::from(completion().to_string());
    let has_usage = |stream: &Bytes| String::from_utf8_lossy(stream).contains("\"total_tokens\":13");

    let silent = told(&request, Form::Whole, &whole, SILENT).expect("a stream");
    assert!(!has_usage(&silent) && silent.ends_with(b"data: [DONE]\n\n"));
    let with = told(&request, SILENT, &silent, STREAM).expect("a stream");
    assert!(has_usage(&with) && with.ends_with(b"data: [DONE]\n\n"));
    let without = told(&request, STREAM, &with, SILENT).expect("a stream");
    assert!(!has_usage(&without) && without.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(told(&request, SILENT, &without, SILENT), Some(without));
}

#[test]
fn a_message_comes_through_both_ways() {
    let asked = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "text", "text": "Hello"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": 4},
    });

    let again = there_and_back(&request(Dialect::AnthropicMessages, &asked), &message, STREAM);

    for name in ["id", "content", "stop_reason", "model"] {
        assert_eq!(again[name], message[name], "{name}");
    }
    assert_eq!(again["usage"]["output_tokens"], 4);
}

#[test]
fn geminis_three_forms_are_one_answer() {
    let request = request(
        Dialect::GeminiGenerate,
        &json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
    );
    let whole = json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"},
            {"functionCall": {"name": "f", "args": {"a": 1}}}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13},
        "modelVersion": "gemini", "responseId": "r1",
    });

    let again = there_and_back(&request, &whole, STREAM);
    let parts = &again["candidates"][0]["content"]["parts"];
    assert_eq!(parts[0]["text"], "Hello");
    assert_eq!(parts[1]["functionCall"]["args"], json!({"a": 1}));
    assert_eq!(again["usageMetadata"]["totalTokenCount"], 13);
    assert_eq!(there_and_back(&request, &whole, Form::Array), again);

    let events = Bytes::from_static(b"data: {\"a\":1}\n\ndata: {\"b\":2}\n\n");
    let array = told(&request, STREAM, &events, Form::Array).expect("an array");
    assert_eq!(&array[..], b"[{\"a\":1},\n{\"b\":2}]");
    assert_eq!(told(&request, Form::Array, &array, STREAM), Some(events));
}

#[test]
fn a_response_is_what_its_last_event_holds() {
    let request = request(
        Dialect::OpenaiResponses,
        &json!({"model": "m", "input": "Hi", "store": false}),
    );
    let response = json!({
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt", "output": [
            {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
             "content": [{"type": "output_text", "text": "Hello", "annotations": []}]},
            {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "c", "name": "f", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}, "made_up": [1],
    });

    assert_eq!(there_and_back(&request, &response, STREAM), response);
}

#[test]
fn what_would_get_lost_is_not_told_in_another_form() {
    let whole = Bytes::from(completion().to_string());
    for more in [
        json!({"n": 2}),
        json!({"logprobs": true}),
        json!({"modalities": ["text", "audio"]}),
    ] {
        assert_eq!(told(&chat_request(&more), Form::Whole, &whole, STREAM), None, "{more}");
    }
    let asked = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let searched = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 4}});
    let searched = Bytes::from(searched.to_string());
    let messages = request(Dialect::AnthropicMessages, &asked);
    assert_eq!(told(&messages, Form::Whole, &searched, STREAM), None);
    let broken = Bytes::from_static(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n");
    assert_eq!(told(&chat_request(&json!({})), SILENT, &broken, Form::Whole), None);
}

#[test]
fn a_response_that_failed_is_not_over() {
    for (status, over) in [
        ("completed", true),
        ("incomplete", true),
        ("failed", false),
        ("queued", false),
    ] {
        let body = json!({"id": "resp_1", "status": status}).to_string();
        assert_eq!(is_over(Dialect::OpenaiResponses, body.as_bytes()), over, "{status}");
    }
    assert!(is_over(Dialect::OpenaiChat, b"{}"));
}
