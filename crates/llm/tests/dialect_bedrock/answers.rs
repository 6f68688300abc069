//! Answers and streams as they are read.

use chrono::DateTime;
use gatewright_llm::chat::{Maker, Part};
use gatewright_llm::dialect::Outbound as _;
use gatewright_llm::dialect::bedrock::BedrockConverse;
use gatewright_llm::event::{Answer, Event, Stop};
use gatewright_llm::{FailureKind, Terms, Tokens, classify};
use gatewright_types::UsageUnit;
use http::HeaderMap;

use crate::{CLAUDE, SEALED, SIGNATURE, call, events_of, read, stream, thinking};

fn answer_of(events: &[Event]) -> Answer {
    Answer::gather(events.iter().cloned()).expect("a whole stream")
}

fn usage(counts: &[(UsageUnit, u64)]) -> Option<Tokens> {
    let mut tokens = Tokens::default();
    for (unit, count) in counts {
        tokens.set(*unit, *count);
    }
    Some(tokens)
}

fn plain_usage(input: u64, output: u64) -> Option<Tokens> {
    usage(&[(UsageUnit::InputUncached, input), (UsageUnit::OutputText, output)])
}

/// Arguments without the spaces that a fixture's formatting put there.
fn compact(mut answer: Answer) -> Answer {
    for part in &mut answer.parts {
        if let Part::ToolCall(call) = part {
            let arguments: serde_json::Value = serde_json::from_str(&call.arguments).expect("JSON");
            call.arguments = arguments.to_string().into();
        }
    }
    answer
}

/// What the fixtures of this name say, whole and as a stream.
fn expected(name: &str) -> Answer {
    let zurich = call(
        "tooluse_7bTz4kQ2Rm-9xYvLcA0dJg",
        "get_weather",
        r#"{"city":"Zürich","unit":"celsius"}"#,
    );
    let (parts, stop, usage) = match name {
        "basic" => (
            vec![Part::text("The capital of Norway is Oslo.")],
            Stop::End,
            plain_usage(14, 10),
        ),
        "tools" => (
            vec![Part::text("I'll look that up."), zurich],
            Stop::ToolCalls,
            plain_usage(412, 68),
        ),
        "parallel-tools" => (
            vec![
                zurich,
                call("tooluse_Qk3mX8sTS1eVnPf5uW2hLw", "get_weather", r#"{"city":"Oslo"}"#),
                call("tooluse_a9RpE6yHQ7G1cBd0MzKjVg", "get_time", "{}"),
            ],
            Stop::ToolCalls,
            plain_usage(431, 121),
        ),
        "structured" => (
            vec![Part::text(r#"{"name":"Ada Lovelace","born":1815}"#)],
            Stop::End,
            plain_usage(208, 17),
        ),
        "reasoning" => (
            vec![
                thinking(
                    "17 times 23: 17 times 20 is 340, 17 times 3 is 51, together 391.",
                    Maker::Anthropic,
                    SIGNATURE,
                ),
                thinking("", Maker::AnthropicRedacted, SEALED),
                Part::text("17 × 23 = 391"),
            ],
            Stop::End,
            plain_usage(46, 142),
        ),
        "cached" => (
            vec![Part::text("Chapter two, second paragraph.")],
            Stop::End,
            usage(&[
                (UsageUnit::InputUncached, 21),
                (UsageUnit::InputCacheRead, 4096),
                (UsageUnit::InputCacheWrite5m, 512),
                (UsageUnit::InputCacheWrite1h, 1536),
                (UsageUnit::OutputText, 9),
            ]),
        ),
        "refusal" => (
            vec![Part::text("Sorry, the model cannot answer this question.")],
            Stop::Refused,
            plain_usage(19, 0),
        ),
        "length" => (
            vec![Part::text("Once upon a time there was a")],
            Stop::Length,
            plain_usage(11, 8),
        ),
        "stop-sequence" => (
            vec![Part::text("one, two, ")],
            Stop::Sequence(Some("three".into())),
            plain_usage(13, 6),
        ),
        other => panic!("{other} is no answer"),
    };
    Answer {
        id: None,
        model: None,
        parts,
        stop,
        usage,
        terms: Terms::default(),
    }
}

pub(crate) const ANSWERS: [&str; 9] = [
    "basic",
    "tools",
    "parallel-tools",
    "structured",
    "reasoning",
    "cached",
    "refusal",
    "length",
    "stop-sequence",
];

#[test]
fn answers_are_read() {
    for name in ANSWERS {
        let body = read(&format!("answers/{name}.json"));

        let answer = BedrockConverse::of(CLAUDE).read_answer(&body).expect(name);

        assert_eq!(compact(answer), expected(name), "{name}");
    }
}

#[test]
fn streams_say_the_same_as_whole_answers() {
    for name in ANSWERS {
        let events = events_of([&stream(name)[..]]);

        assert_eq!(answer_of(&events), expected(name), "{name}");
        assert!(
            matches!(events.first(), Some(Event::Start { id: None, model: None })),
            "{name}"
        );
        assert!(matches!(events.last(), Some(Event::Stop(_))), "{name}");
    }
}

#[test]
fn thoughts_of_other_models_are_bedrocks() {
    let body = read("answers/reasoning.json");
    let other = BedrockConverse::of("us.amazon.nova-2-lite-v1:0");

    let answer = other.read_answer(&body).expect("an answer");

    let makers = answer.parts.iter().filter_map(|part| match part {
        Part::Thinking(thinking) => thinking.signature.as_ref().map(|signature| signature.maker),
        _ => None,
    });
    assert_eq!(makers.collect::<Vec<_>>(), [Maker::Bedrock, Maker::Bedrock]);
}

#[test]
fn streams_that_break_off_have_failed_after_what_came() {
    let check = |name: &str, text: &str, kind: FailureKind, message: &str| {
        let events = events_of([&stream(name)[..]]);
        let texts = events.iter().filter_map(|event| match event {
            Event::Add(text) => Some(&**text),
            _ => None,
        });
        assert_eq!(texts.collect::<String>(), text, "{name}");
        let Some(Event::Failed(failure)) = events.last() else {
            panic!("{name}: {events:?}");
        };
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message), "{name}");
        assert!(!events.iter().any(|event| matches!(event, Event::Stop(_))), "{name}");
    };
    let ended = "the stream ended before the answer did";

    check("stall", "The capital of Norway", FailureKind::Malformed, ended);
    check("cut", "The capital", FailureKind::Malformed, ended);
    check(
        "wrong-checksum",
        "The capital",
        FailureKind::Malformed,
        "the provider sent a frame with a wrong checksum",
    );
    check(
        "error-midstream",
        "The capital",
        FailureKind::Server,
        "The model's stream broke off.",
    );
    check(
        "malformed-tool",
        "Let me",
        FailureKind::Malformed,
        "the model's tool call could not be read",
    );
}

#[test]
fn usage_is_told_before_a_model_that_wrote_nonsense_has_failed() {
    let events = events_of([&stream("malformed-tool")[..]]);

    let before = events.iter().rev().nth(1);
    assert_eq!(before, plain_usage(400, 30).map(Event::Usage).as_ref());
}

#[test]
fn errors_are_failures_in_whichever_shape() {
    let check = |body: &[u8], kind: FailureKind, message: &str| {
        let failure = BedrockConverse::of(CLAUDE).read_answer(body).expect_err(message);
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
    };

    check(
        &read("answers/error-front.json"),
        FailureKind::ErrorEvent,
        "Bearer Token has expired",
    );
    check(
        &read("answers/malformed-tool.json"),
        FailureKind::Malformed,
        "the model's tool call could not be read",
    );
    let not_json = "the provider's answer is not a JSON object";
    check(b"<html>", FailureKind::Malformed, not_json);
    check(
        br#"{"output":{"message":{"content":["#,
        FailureKind::Malformed,
        not_json,
    );
    check(
        br#"{"stopReason":"end_turn"}"#,
        FailureKind::Malformed,
        "the provider's answer has no message",
    );
    let before = classify(
        400,
        &HeaderMap::new(),
        &read("answers/error-before.json"),
        DateTime::UNIX_EPOCH,
    );
    assert_eq!(
        (before.kind, before.message.as_str()),
        (
            FailureKind::BadRequest,
            "The model returned the following errors: temperature: range: 0..1"
        )
    );
}

/// `streams/recorded.bin` is the stream `tools` framed by another writer (Python's `struct` and `zlib.crc32`). botocore
/// 1.44.8 reads it as 11 events: `EventStream(raw, shape, EventStreamJSONParser(), "ConverseStream")`, with `shape` from
/// `service_model("bedrock-runtime").operation_model("ConverseStream").get_event_stream_output()` and `raw` giving 7
/// bytes at a time. All other stream fixtures were read by it in the same way.
#[test]
fn frames_of_another_writer_are_read_alike() {
    let events = events_of([&read("streams/recorded.bin")[..]]);

    assert_eq!(events, events_of([&stream("tools")[..]]));
}
