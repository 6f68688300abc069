//! Whole answers, read and written.

use gatewright_llm::FailureKind;
use gatewright_llm::chat::{Chat, Maker, Part, Signature, Thinking, ToolCall};
use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::dialect::{Inbound, Outbound};
use gatewright_llm::event::{Answer, Stop};
use gatewright_types::UsageUnit;

use crate::fixtures::{ANSWERS, fixture};
use crate::{answer, call, reply, signed, usage};

#[test]
fn every_answer_is_read() {
    let input = (UsageUnit::InputUncached, 21);
    let usual = usage(&[input, (UsageUnit::OutputText, 9)]);
    let check = |name: &str, parts: Vec<Part>, stop: Stop, usage| {
        let expected = Answer {
            id: Some(
                format!(
                    "msg_01{}",
                    name.trim_end_matches("-tools").replace("parallel-tools", "parallel")
                )
                .into(),
            ),
            model: Some("claude-sonnet-4-5-20250929".into()),
            parts,
            stop,
            usage,
            ..Answer::default()
        };
        assert_eq!(answer(name), Ok(expected), "{name}");
    };
    let called = |id: &str, name: &str, arguments: &str| {
        Part::ToolCall(ToolCall {
            name: name.into(),
            ..call(id, arguments, None)
        })
    };

    check(
        "basic",
        vec![Part::text("The path is longer at dusk.")],
        Stop::End,
        usual,
    );
    check(
        "tools",
        vec![
            Part::text("I will look."),
            called("toolu_01A", "get_weather", r#"{"city":"Oslo","unit":"celsius"}"#),
        ],
        Stop::ToolCalls,
        usual,
    );
    check(
        "parallel-tools",
        vec![
            called("toolu_01A", "get_weather", r#"{"city":"Oslo"}"#),
            called("toolu_01B", "get_time", "{}"),
        ],
        Stop::ToolCalls,
        usual,
    );
    check(
        "structured",
        vec![Part::text(r#"{"name":"Ada","age":36}"#)],
        Stop::End,
        usual,
    );
    check(
        "reasoning",
        reasoned("EqQBCgIYAhIM1gbcDa9GJwZA2b3h==", "EmwKAhgBEgy3va3pzix"),
        Stop::End,
        usage(&[
            (UsageUnit::InputUncached, 90),
            (UsageUnit::OutputText, 12),
            (UsageUnit::OutputReasoning, 48),
        ]),
    );
    check(
        "cached",
        vec![Part::text("As the handbook says.")],
        Stop::Sequence(Some("###".into())),
        usage(&[
            (UsageUnit::InputUncached, 5),
            (UsageUnit::InputCacheRead, 2000),
            (UsageUnit::InputCacheWrite5m, 100),
            (UsageUnit::InputCacheWrite1h, 200),
            (UsageUnit::OutputText, 7),
        ]),
    );
    check(
        "refusal",
        vec![Part::Refusal("This could help to make something harmful.".into())],
        Stop::Blocked,
        usage(&[(UsageUnit::InputUncached, 30), (UsageUnit::OutputText, 1)]),
    );
    check("length", vec![Part::text("One, two, thr")], Stop::Length, usual);
}

fn reasoned(signature: &str, data: &str) -> Vec<Part> {
    let sealed = |maker, text: &str| {
        Some(Signature {
            maker,
            text: text.into(),
        })
    };
    vec![
        Part::Thinking(Thinking {
            text: "Below zero means a coat.".into(),
            signature: sealed(Maker::Anthropic, signature),
        }),
        Part::Thinking(Thinking {
            text: "".into(),
            signature: sealed(Maker::AnthropicRedacted, data),
        }),
        Part::text("Yes, take one."),
    ]
}

#[test]
fn what_is_no_answer_is_a_failure() {
    let kind = |body: &str| Anthropic.read_answer(body.as_bytes()).expect_err(body).kind;

    let overloaded = answer("error-before").expect_err("an error");
    assert_eq!(overloaded.kind, FailureKind::Overloaded);
    assert_eq!(overloaded.message, "Overloaded");
    assert_eq!(overloaded.code.as_deref(), Some("overloaded_error"));
    let told = |kind: &str| format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"no"}}}}"#);
    assert_eq!(kind(&told("rate_limit_error")), FailureKind::RateLimited);
    assert_eq!(kind(&told("invalid_request_error")), FailureKind::BadRequest);
    assert_eq!(kind(&told("authentication_error")), FailureKind::Credential);
    assert_eq!(kind(&told("api_error")), FailureKind::Server);
    assert_eq!(kind(&told("novel_error")), FailureKind::ErrorEvent);
    assert_eq!(kind("<html>"), FailureKind::Malformed);
    assert_eq!(kind(r#"{"content":[{"type":"text","#), FailureKind::Malformed);
    assert_eq!(kind(r#"{"id":"msg_1"}"#), FailureKind::Malformed);
}

#[test]
fn an_answer_is_read_as_it_was_written() {
    let chat = Chat::default();
    for (name, _) in ANSWERS.iter().filter(|(name, _)| *name != "error-before") {
        let mut original = answer(name).expect(name);

        let body = Anthropic.write_answer(&original, &reply(&chat));

        // Anthropic has no blocks for refusals; callers see their text.
        for part in &mut original.parts {
            if let Part::Refusal(text) = part {
                *part = Part::text(text.clone());
                original.stop = Stop::Refused;
            }
        }
        assert_eq!(Anthropic.read_answer(&body), Ok(original.clone()), "{name}");
        let facts = Anthropic.read_facts(&body).expect(name);
        assert_eq!(facts.usage, original.usage, "{name}");
    }
}

#[test]
fn an_answer_has_every_member_that_sdks_want() {
    let refused = Answer {
        parts: vec![
            Part::text(""),
            Part::Refusal("No.".into()),
            Part::ToolCall(call("a", "[1", None)),
            Part::Thinking(Thinking {
                text: "Hm.".into(),
                signature: signed(Maker::Openai),
            }),
        ],
        ..Answer::default()
    };

    let chat = Chat::default();
    let body: serde_json::Value =
        serde_json::from_slice(&Anthropic.write_answer(&refused, &reply(&chat))).expect("JSON");

    let expected = serde_json::json!({
        "id": "msg_req_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [
            {"type": "text", "text": "No."},
            {"type": "tool_use", "id": "a", "name": "look", "input": {"INVALID_JSON": "[1"}},
            {"type": "thinking", "thinking": "Hm.", "signature": "openai-responses-v1:c2lnbmVk"},
        ],
        "stop_reason": "refusal",
        "stop_sequence": null,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 0,
        },
    });
    assert_eq!(body, expected);
}

#[test]
fn facts_are_read_without_the_answer() {
    let facts = |name: &str| Anthropic.read_facts(fixture(ANSWERS, name).as_bytes());

    for (name, _) in ANSWERS.iter().filter(|(name, _)| *name != "error-before") {
        let told = facts(name).expect(name);
        assert_eq!(told.usage, answer(name).expect(name).usage, "{name}");
    }
    let failure = facts("error-before").expect_err("an error").into_failure();
    assert_eq!(failure.message, "Overloaded");
}
