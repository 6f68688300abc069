//! Whole answers are read, written, and read again.

use gatewright_llm::chat::{Amount, Chat, Maker, Part, Reasoning, Thinking, ToolCall};
use gatewright_llm::dialect::openai_chat::{OpenaiChat, OpenaiChatTo, Quirks};
use gatewright_llm::dialect::{Inbound, Outbound};
use gatewright_llm::event::{Answer, Stop};
use gatewright_llm::{FailureKind, Tokens};
use gatewright_types::UsageUnit;
use serde_json::{Value, json};

use crate::{answer, call, encoded, fixture, names, read_answer, reply, signature, stream};

#[test]
fn answers_are_read() {
    let check = |case: &str, parts: &[Part], stop: Stop, (input, cached, output, reasoning): (u64, u64, u64, u64)| {
        let answer = answer(case);
        assert_eq!(answer.parts, parts, "{case}");
        assert_eq!(answer.stop, stop, "{case}");
        assert_eq!(answer.id.as_deref(), Some("chatcmpl-Cq1"));
        let usage = answer.usage.expect(case);
        assert!(!usage.conflicting, "{case}");
        assert_eq!((usage.total_input(), usage.total_output()), (input, output), "{case}");
        assert_eq!(usage.get(UsageUnit::InputCacheRead), cached, "{case}");
        assert_eq!(usage.get(UsageUnit::OutputReasoning), reasoning, "{case}");
    };
    let oslo = || Part::ToolCall(call("call_a1", "get_weather", r#"{"city":"Oslo"}"#));
    let thinking = Thinking {
        text: "Six times seven.".into(),
        signature: Some(signature(Maker::Anthropic, "EqRkLmNv")),
    };

    check(
        "basic",
        &[Part::text("Hello! How can I help?")],
        Stop::End,
        (12, 0, 8, 0),
    );
    check("tools", &[oslo()], Stop::ToolCalls, (60, 0, 18, 0));
    let time = Part::ToolCall(call("call_b2", "get_time", "{}"));
    check(
        "parallel-tools",
        &[Part::text("Both at once."), oslo(), time],
        Stop::ToolCalls,
        (90, 0, 40, 0),
    );
    check(
        "structured",
        &[Part::text(r#"{"name":"Ada","age":36}"#)],
        Stop::End,
        (40, 0, 12, 0),
    );
    check(
        "reasoning",
        &[Part::Thinking(thinking), Part::text("42.")],
        Stop::End,
        (20, 0, 150, 140),
    );
    check("cached", &[Part::text("Done.")], Stop::End, (2100, 2048, 2, 0));
    let refused = Part::Refusal("I can't help with that.".into());
    check("refusal", &[refused], Stop::Refused, (15, 0, 9, 0));
    check("length", &[Part::text("Once upon a")], Stop::Length, (10, 0, 3, 0));
}

#[test]
fn an_error_is_a_failure_whatever_its_status() {
    let failure = OpenaiChatTo(Quirks::OPENAI)
        .read_answer(&fixture("answers/error-before.json"))
        .expect_err("a failure");
    let not_json = OpenaiChatTo(Quirks::OPENAI)
        .read_answer(b"<html>")
        .expect_err("a failure");
    let empty = OpenaiChatTo(Quirks::OPENAI)
        .read_answer(br#"{"choices":[]}"#)
        .expect_err("a failure");

    assert_eq!(failure.kind, FailureKind::ErrorEvent);
    assert_eq!(failure.code.as_deref(), Some("context_length_exceeded"));
    assert_eq!(
        (not_json.kind, empty.kind),
        (FailureKind::Malformed, FailureKind::Malformed)
    );
}

#[test]
fn answers_are_written_and_read_again() {
    let chat = Chat::default();
    for name in names("answers").iter().filter(|name| !name.contains("error")) {
        let answer = read_answer(name);

        let body = OpenaiChat.write_answer(&answer, &reply(&chat));
        let again = OpenaiChatTo(Quirks::OPENAI).read_answer(&body).expect(name);

        assert_eq!(again, answer, "{name}");
        let facts = OpenaiChat.read_facts(&body).expect(name);
        assert_eq!(facts.usage, answer.usage, "{name}");
    }
}

#[test]
fn an_answer_has_the_members_that_sdks_need() {
    let chat = Chat::default();
    let told = Answer {
        parts: vec![Part::ToolCall(ToolCall {
            signature: Some(signature(Maker::Gemini, "Z2Vt")),
            ..call("call_1", "f", "{}")
        })],
        stop: Stop::ToolCalls,
        usage: Some(Tokens::default()),
        ..Answer::default()
    };

    let body: Value = serde_json::from_slice(&OpenaiChat.write_answer(&told, &reply(&chat))).expect("JSON");

    assert_eq!(
        body,
        json!({
            "id": "req_1", "object": "chat.completion", "created": 1_794_200_000, "model": "their-model",
            "choices": [{ "index": 0, "logprobs": null, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": null, "refusal": null,
                "reasoning_details": [
                    { "type": "reasoning.encrypted", "data": "Z2Vt", "id": "call_1", "format": "google-gemini-v1", "index": 0 }
                ],
                "tool_calls": [{ "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{}" } }]
            } }],
            "usage": {
                "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0,
                "prompt_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0 },
                "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0,
                    "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 }
            }
        })
    );
}

#[test]
fn thoughts_are_hidden_from_who_does_not_want_them() {
    let chat = Chat {
        reasoning: Some(Reasoning {
            amount: Amount::Adaptive,
            shown: Some(false),
        }),
        ..Chat::default()
    };
    let whole = OpenaiChat.write_answer(&answer("reasoning"), &reply(&chat));
    let streamed = encoded(OpenaiChat.encoder(&reply(&chat)), &stream("reasoning"));

    for text in [&String::from_utf8_lossy(&whole), &*streamed] {
        assert!(
            text.contains("42.") && !text.contains("times seven") && !text.contains("EqRkLmNv"),
            "{text}"
        );
    }
    // The tool's result cannot be given back without it.
    assert!(streamed.contains("Q2hhdA=="), "{streamed}");
}
