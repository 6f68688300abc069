//! Whole answers, read and written.

use gatewright_llm::FailureKind;
use gatewright_llm::chat::{Chat, Maker, Part, Signature, Thinking};
use gatewright_llm::dialect::gemini::Gemini;
use gatewright_llm::dialect::{Inbound, Outbound};
use gatewright_llm::event::{Answer, Stop};
use gatewright_types::UsageUnit;

use crate::{answer, call, fixture, own_signature, path, reply, sealed, thought, used};

#[test]
fn answers_are_read() {
    let basic = answer("basic");
    assert_eq!(basic.parts, [Part::text("Paris is the capital of France.")]);
    assert_eq!(
        (basic.id.as_deref(), basic.stop),
        (Some("8OkOabCJEeyqxN8P5vyA4A8"), Stop::End)
    );
    assert_eq!(
        basic.usage,
        used(&[(UsageUnit::InputUncached, 8), (UsageUnit::OutputText, 7)])
    );

    let tools = answer("tools");
    let made_up = "call_8OkOabCJEeyqxN8P5vyA4A8_1";
    assert_eq!(
        (tools.parts, tools.stop),
        (
            vec![call(
                made_up,
                "get_weather",
                r#"{"city":"Paris","days":2}"#,
                Some(own_signature())
            )],
            Stop::ToolCalls
        )
    );

    let parallel = answer("parallel-tools");
    let expected = [
        Part::text("I look both up."),
        call("v9k2wq1x", "get_weather", r#"{"city":"Oslo"}"#, Some(own_signature())),
        call("c07zmmsd", "get_time", "{}", None),
    ];
    assert_eq!(parallel.parts, expected);

    let text = r#"{"name":"Toast","steps":["Toast it."]}"#;
    assert_eq!(answer("structured").parts, [Part::text(text)]);

    let reasoning = answer("reasoning");
    let thought = thought("I multiply 17 by 20 and by 3.");
    assert_eq!(reasoning.parts, [thought, sealed(own_signature()), Part::text("391")]);
    assert_eq!(
        reasoning.usage,
        used(&[
            (UsageUnit::InputUncached, 12),
            (UsageUnit::OutputText, 3),
            (UsageUnit::OutputReasoning, 85),
        ])
    );

    let cached = answer("cached").usage.expect("usage");
    assert_eq!(cached.get(UsageUnit::InputCacheRead), 2048);
    assert_eq!(cached.get(UsageUnit::InputUncached), 52);

    let refusal = answer("refusal");
    assert_eq!((refusal.stop, refusal.parts.is_empty()), (Stop::Blocked, true));
    assert_eq!(answer("length").stop, Stop::Length);
}

#[test]
fn what_is_no_answer_is_a_failure() {
    let error = Gemini
        .read_answer(&fixture("answers/error-before.json"))
        .expect_err("an error");
    assert_eq!((error.kind, error.status), (FailureKind::ErrorEvent, Some(429)));
    for body in [
        &b"[]"[..],
        b"{}",
        b"{\"candidates\":[]}",
        b"",
        b"{\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}",
    ] {
        let error = Gemini.read_answer(body).expect_err("a failure");
        assert_eq!(error.kind, FailureKind::Malformed);
    }
}

#[test]
fn an_answer_written_and_read_again_is_the_same() {
    let chat = Chat::default();
    for case in [
        "basic",
        "tools",
        "parallel-tools",
        "structured",
        "reasoning",
        "cached",
        "length",
    ] {
        let answer = answer(case);

        let written = Gemini.write_answer(&answer, &reply(&chat));

        assert_eq!(Gemini.read_answer(&written), Ok(answer), "{case}");
    }
}

#[test]
fn an_answer_of_another_model_comes_back_as_it_was() {
    let foreign = |text: &str| Signature {
        maker: Maker::Anthropic,
        text: text.into(),
    };
    let parts = vec![
        Part::Thinking(Thinking {
            text: "Hm.".into(),
            signature: Some(foreign("a+/=")),
        }),
        sealed(foreign("b")),
        Part::text("Well."),
        call("toolu_1", "draw", "{}", None),
    ];
    let answer = Answer {
        parts: parts.clone(),
        stop: Stop::ToolCalls,
        ..Answer::default()
    };
    let chat = Chat::default();

    let written = Gemini.write_answer(&answer, &reply(&chat));
    let written: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(written["responseId"], "req_1");
    assert_eq!(written["candidates"][0]["finishReason"], "STOP");
    let history = serde_json::json!({"contents": [
        {"role": "user", "parts": [{"text": "x"}]},
        written["candidates"][0]["content"],
    ]});

    let again = Gemini
        .read_request(history.to_string().as_bytes(), path(false))
        .expect("a request");
    assert_eq!(again.turns[1].parts, parts);
}

/// Google's SDK forgets the turn otherwise.
#[test]
fn an_answer_without_words_still_has_a_part() {
    let chat = Chat::default();
    let answer = Answer {
        stop: Stop::Refused,
        ..Answer::default()
    };

    let written = Gemini.write_answer(&answer, &reply(&chat));

    let written: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    let expected = serde_json::json!([{
        "content": {"role": "model", "parts": [{"text": ""}]},
        "finishReason": "SAFETY",
        "index": 0,
    }]);
    assert_eq!(written["candidates"], expected);
}
