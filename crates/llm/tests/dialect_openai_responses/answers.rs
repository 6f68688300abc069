//! Whole answers: read as OpenAI writes them, written as callers expect them.

use gatewright_llm::chat::{Amount, Chat, Effort, Maker, Part, Reasoning, Role, Text, Thinking, Turn};
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts};
use gatewright_llm::event::{Answer, Stop};
use gatewright_llm::{Failure, FailureKind, NotAnAnswer};
use gatewright_types::UsageUnit;
use gatewright_types::api::ServedTier;
use serde_json::{Value, json};

use crate::fixtures::{ANSWERS, answer, call, counts, events_of, fixture, last_response, reply, request, signature};

fn written(answer: &Answer, chat: &Chat) -> Value {
    let body = OpenaiResponses.write_answer(answer, &reply("req_1", chat));
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn answers_are_read() {
    let check = |name: &str, parts: &[Part], stop: Stop| {
        let answer = answer(name);
        assert_eq!((answer.parts.as_slice(), answer.stop), (parts, stop), "{name}");
        assert_eq!(answer.model.as_deref(), Some("gpt-5.1-2025-11-13"));
    };

    check("basic", &[Part::text("Salve — ave.")], Stop::End);
    check(
        "tools",
        &[
            Part::text("Let me look."),
            Part::ToolCall(call("call_turin", "get_weather", r#"{"place":"Turin","unit":null}"#)),
        ],
        Stop::ToolCalls,
    );
    check(
        "parallel-tools",
        &[
            Part::ToolCall(call("call_a", "get_weather", r#"{"place":"Turin"}"#)),
            Part::ToolCall(call("call_b", "get_time", "{}")),
        ],
        Stop::ToolCalls,
    );
    check(
        "structured",
        &[Part::text(r#"{"city":"Turin","population":841600}"#)],
        Stop::End,
    );
    check(
        "reasoning",
        &[
            Part::Thinking(Thinking {
                text: "**Trying factors**\n\n97 has none.\n\n**Answering**\n\nIt is prime.".into(),
                signature: signature(Maker::Openai, "gAAAAABreasoned=="),
            }),
            Part::text("Yes."),
        ],
        Stop::End,
    );
    check(
        "refusal",
        &[Part::Refusal("I can't help with that.".into())],
        Stop::Refused,
    );
    check("length", &[Part::text("One, two, th")], Stop::Length);
}

#[test]
fn usage_is_read_in_disjoint_units() {
    assert_eq!(
        counts(answer("cached").usage),
        [
            (UsageUnit::InputUncached, 440),
            (UsageUnit::InputCacheRead, 2_048),
            (UsageUnit::InputCacheWrite5m, 512),
            (UsageUnit::OutputText, 9),
        ]
    );
    assert_eq!(
        counts(answer("reasoning").usage),
        [
            (UsageUnit::InputUncached, 30),
            (UsageUnit::OutputText, 10),
            (UsageUnit::OutputReasoning, 190),
        ]
    );
}

#[test]
fn what_is_no_answer_is_a_failure() {
    let check = |body: &[u8], kind: FailureKind, words: &str| {
        let failure = OpenaiResponses.read_answer(body).expect_err("a failure");
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.message.contains(words), "{failure:?}");
    };

    check(
        &fixture("answers/error-before.json"),
        FailureKind::ErrorEvent,
        "Rate limit reached",
    );
    check(b"<html>", FailureKind::Malformed, "not a JSON object");
    check(b"{}", FailureKind::Malformed, "no output");
    check(
        br#"{"status":"in_progress","output":[]}"#,
        FailureKind::Malformed,
        "not finished",
    );
    check(
        br#"{"status":"failed","output":[]}"#,
        FailureKind::ErrorEvent,
        "reported an error",
    );
    check(
        br#"{"status":"cancelled","output":[]}"#,
        FailureKind::ErrorEvent,
        "cancelled",
    );
    check(
        br#"{"status":"failed","error":{"code":"server_error","message":"no luck"},"output":[]}"#,
        FailureKind::ErrorEvent,
        "no luck",
    );
}

#[test]
fn other_servers_shapes_are_read() {
    let body = r#"{"output":[
        {"type":"reasoning","content":[{"type":"reasoning_text","text":"hm"}],"summary":[]},
        {"type":"reasoning","summary":[]},
        {"type":"web_search_call","id":"ws_1"},
        {"type":"function_call","id":"fc_1","name":"f","arguments":""},
        {"type":"message","content":[{"type":"output_text","text":""}]}]}"#;

    let answer = OpenaiResponses.read_answer(body.as_bytes()).expect("an answer");

    let thinking = Part::Thinking(Thinking {
        text: "hm".into(),
        signature: None,
    });
    assert_eq!(answer.parts, [thinking, Part::ToolCall(call("fc_1", "f", "{}"))]);
    assert_eq!((answer.id, answer.model, answer.usage), (None, None, None));
}

#[test]
fn an_answer_written_and_read_again_is_the_same() {
    for name in ANSWERS {
        let first = answer(name);

        let body = OpenaiResponses.write_answer(&first, &reply("req_1", &Chat::default()));
        let mut again = OpenaiResponses.read_answer(&body).expect(name);

        assert_eq!(again.id.as_deref(), Some("resp_1"));
        again.id.clone_from(&first.id);
        again.terms = first.terms;
        assert_eq!(again, first, "{name}");
    }
}

#[test]
fn a_written_answer_has_all_that_openais_has() {
    for name in ANSWERS {
        let theirs: Value = serde_json::from_slice(&fixture(&format!("answers/{name}.json"))).expect("JSON");
        let ours = written(&answer(name), &Chat::default());

        let names = |value: &Value| {
            value
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut missing = names(&theirs);
        missing.retain(|member| ours.get(member).is_none());
        // The proxy alone knows whether it stored the response.
        assert_eq!(missing, ["store"], "{name}");
        let items = theirs["output"].as_array().expect("items").iter();
        for (theirs, ours) in items.zip(ours["output"].as_array().expect("items")) {
            assert_eq!(names(theirs), names(ours), "{name}");
        }
        for member in [
            "object",
            "status",
            "error",
            "incomplete_details",
            "usage",
            "model",
            "text",
            "tool_choice",
        ] {
            assert_eq!(ours[member], theirs[member], "{name}: {member}");
        }
    }
}

#[test]
fn an_answer_repeats_what_was_asked() {
    let mut chat = request("forced-tool");
    chat.instructions = vec![Text::new("a"), Text::new("b")];
    chat.reasoning = Some(Reasoning {
        amount: Amount::Effort(Effort::Low),
        shown: Some(true),
    });
    chat.sampling.temperature = Some(1.into());
    chat.sampling.max_tokens = Some(99);
    chat.user = Some("u".into());
    chat.format = request("structured").format;

    let body = written(&Answer::default(), &chat);

    assert_eq!(body["instructions"], "a\n\nb");
    assert_eq!(body["reasoning"], json!({"effort": "low", "summary": "auto"}));
    assert_eq!(
        (&body["temperature"], &body["max_output_tokens"]),
        (&json!(1), &json!(99))
    );
    assert_eq!(body["safety_identifier"], "u");
    assert_eq!(body["parallel_tool_calls"], false);
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": "get_weather"}));
    assert_eq!(body["tools"][1]["name"], "get_time");
    assert_eq!(body["tools"][0]["strict"], true);
    assert_eq!(body["text"]["format"]["name"], "city");
    assert_eq!(
        (&body["id"], &body["model"], &body["created_at"]),
        (&json!("resp_1"), &json!("target-model"), &json!(1_764_500_000))
    );
    assert_eq!(body["usage"], Value::Null);
}

#[test]
fn why_it_ended_is_told_by_the_status() {
    let refusal = [Part::Refusal("no".into())];
    let text = [Part::text("x")];
    let check = |stop: Stop, parts: &[Part], status: &str, reason: Value| {
        let answer = Answer {
            stop: stop.clone(),
            parts: parts.to_vec(),
            ..Answer::default()
        };
        let body = written(&answer, &Chat::default());
        assert_eq!(
            (&body["status"], &body["incomplete_details"]),
            (&json!(status), &reason),
            "{stop:?}"
        );
        assert_eq!(body["output"][0]["status"], status, "{stop:?}");
    };

    check(Stop::End, &text, "completed", Value::Null);
    check(Stop::Sequence(None), &text, "completed", Value::Null);
    check(Stop::Paused, &text, "completed", Value::Null);
    check(
        Stop::Length,
        &text,
        "incomplete",
        json!({"reason": "max_output_tokens"}),
    );
    check(
        Stop::Context,
        &text,
        "incomplete",
        json!({"reason": "max_output_tokens"}),
    );
    check(Stop::Refused, &text, "incomplete", json!({"reason": "content_filter"}));
    check(Stop::Refused, &refusal, "completed", Value::Null);
}

/// Answers as other providers give them.
fn foreign() -> Vec<Answer> {
    let thinking = |text: &str, maker, seal: &str| {
        Part::Thinking(Thinking {
            text: text.into(),
            signature: signature(maker, seal),
        })
    };
    let mut signed = call("a", "f", "{\"x\":1}");
    signed.signature = signature(Maker::Gemini, "sealed/+=:");
    let of = |parts: Vec<Part>| Answer {
        parts,
        stop: Stop::ToolCalls,
        ..Answer::default()
    };
    vec![
        of(vec![
            thinking("Let me see.", Maker::Anthropic, "EqQB:+"),
            thinking("", Maker::AnthropicRedacted, "EmwK"),
            Part::text("First"),
            Part::text(" this."),
            Part::ToolCall(call("a", "f", "{}")),
        ]),
        of(vec![
            thinking("Hm.", Maker::Gemini, "thought"),
            Part::ToolCall(signed),
            Part::ToolCall(call("b", "f", "{}")),
        ]),
        of(vec![Part::Thinking(Thinking {
            text: "unsigned".into(),
            signature: None,
        })]),
    ]
}

fn given_back(output: &Value) -> Vec<Turn> {
    let body = json!({"model": "m", "input": output}).to_string();
    OpenaiResponses
        .read_request(body.as_bytes(), PathFacts::default())
        .expect("a request")
        .turns
}

#[test]
fn an_output_given_back_as_input_is_what_it_was() {
    let own = ANSWERS.into_iter().map(answer);
    for answer in own.chain(foreign()) {
        let expected = [Turn {
            role: Role::Assistant,
            parts: answer.parts.clone(),
        }];

        let whole = written(&answer, &Chat::default());
        let streamed = last_response(&crate::fixtures::encode(&events_of(&answer), "req_1"));

        assert_eq!(given_back(&whole["output"]), expected);
        assert_eq!(given_back(&streamed["output"]), expected);
    }
}

#[test]
fn facts_of_an_answer_are_its_usage_and_its_tier() {
    let facts = OpenaiResponses
        .read_facts(&fixture("answers/cached.json"))
        .expect("an answer");
    assert_eq!(
        (facts.usage, facts.terms.served),
        (answer("cached").usage, Some(ServedTier::Standard))
    );
    assert_eq!(OpenaiResponses.read_facts(b"[]"), Err(NotAnAnswer::NotJson));
    let error = OpenaiResponses.read_facts(&fixture("answers/error-before.json"));
    assert!(
        matches!(error, Err(NotAnAnswer::Error(Failure { code: Some(code), .. })) if code == "rate_limit_exceeded")
    );
    let failed = OpenaiResponses.read_facts(br#"{"status":"failed","output":[]}"#);
    assert!(matches!(failed, Err(NotAnAnswer::Error { .. })), "{failed:?}");
}
