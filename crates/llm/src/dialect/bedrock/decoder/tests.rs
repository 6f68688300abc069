use super::*;
use crate::FailureKind;
use crate::chat::{Maker, Signature};
use crate::dialect::Decoder as _;
use crate::dialect::bedrock::event_stream::write_frame;
use crate::dialect::bedrock::frame_decoder::FrameDecoder;
use crate::event::Stop;

fn decoded(model: BedrockConverse, frames: &[Vec<u8>]) -> Vec<Event> {
    let mut decoder = FrameDecoder::new(ConverseEvents::of(model));
    let mut events = Vec::new();
    for frame in frames {
        decoder.push(frame, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn event(event_type: &str, payload: &str) -> Vec<u8> {
    let headers = [(":message-type", "event"), (":event-type", event_type)];
    write_frame(&headers, payload.as_bytes())
}

fn delta(index: u8, delta: &str) -> Vec<u8> {
    let payload = format!(r#"{{"contentBlockIndex":{index},"delta":{delta}}}"#);
    event("contentBlockDelta", &payload)
}

fn end() -> Vec<u8> {
    event("messageStop", r#"{"stopReason":"end_turn"}"#)
}

#[test]
fn signatures_and_sealed_thoughts_are_put_together_without_being_told_to_end() {
    let frames = [
        delta(0, r#"{"reasoningContent":{"signature":"ab"}}"#),
        delta(0, r#"{"reasoningContent":{"signature":"cd"}}"#),
        delta(1, r#"{"reasoningContent":{"redactedContent":"YQ=="}}"#),
        delta(1, r#"{"reasoningContent":{"redactedContent":"Yg=="}}"#),
        end(),
    ];

    let signatures = |model| -> Vec<(Maker, String)> {
        let events = decoded(model, &frames).into_iter();
        let signatures = events.filter_map(|event| match event {
            Event::Sign(Signature { maker, text }) => Some((maker, text.into())),
            _ => None,
        });
        signatures.collect()
    };

    assert_eq!(
        signatures(BedrockConverse::Claude),
        [
            (Maker::Anthropic, "abcd".to_owned()),
            (Maker::AnthropicRedacted, "YWI=".to_owned())
        ]
    );
    assert_eq!(
        signatures(BedrockConverse::Others),
        [(Maker::Bedrock, "abcd".to_owned()), (Maker::Bedrock, "YWI=".to_owned())]
    );
}

#[test]
fn calls_of_tools_that_bedrock_runs_are_left_out() {
    let start =
        r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"search","type":"server_tool_use"}}}"#;
    let events = decoded(
        BedrockConverse::Others,
        &[
            event("contentBlockStart", start),
            delta(0, r#"{"toolUse":{"input":"{}"}}"#),
            event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            delta(1, r#"{"text":"found"}"#),
            end(),
        ],
    );

    let expected = [
        Event::Start { id: None, model: None },
        Event::Open(Opening::Text),
        Event::Add("found".into()),
        Event::Close,
        Event::Stop(Stop::End),
    ];
    assert_eq!(events, expected);
}

#[test]
fn exceptions_fail_by_their_type() {
    let check = |headers: &[(&str, &str)], payload: &str, kind: FailureKind, message: &str| {
        let events = decoded(BedrockConverse::Claude, &[write_frame(headers, payload.as_bytes())]);
        let [Event::Failed(failure)] = &events[..] else {
            panic!("{headers:?}: {events:?}");
        };
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message), "{headers:?}");
    };
    let exception = |name: &str, kind: FailureKind| {
        let headers = [(":message-type", "exception"), (":exception-type", name)];
        check(&headers, r#"{"message":"no"}"#, kind, "no");
    };

    exception("throttlingException", FailureKind::RateLimited);
    exception("modelStreamErrorException", FailureKind::Server);
    exception("internalServerException", FailureKind::Server);
    exception("serviceUnavailableException", FailureKind::Overloaded);
    exception("validationException", FailureKind::BadRequest);
    exception("modelTimeoutException", FailureKind::Timeout);
    exception("somethingNewException", FailureKind::ErrorEvent);
    check(
        &[
            (":message-type", "exception"),
            (":exception-type", "modelStreamErrorException"),
        ],
        r#"{"originalStatusCode":500,"originalMessage":"boom"}"#,
        FailureKind::Server,
        "boom",
    );
    check(
        &[
            (":message-type", "error"),
            (":error-code", "InternalFailure"),
            (":error-message", "gone"),
        ],
        "",
        FailureKind::Server,
        "gone",
    );
    check(
        &[(":event-type", "messageStart")],
        "{}",
        FailureKind::Malformed,
        "the provider sent a frame of no known type",
    );
}

#[test]
fn a_payload_that_is_no_object_is_malformed() {
    for payload in ["", "[]", r#"{"delta":"#, r#"{"delta":{"text":"x"}}}"#] {
        let events = decoded(BedrockConverse::Claude, &[event("contentBlockDelta", payload)]);

        assert!(
            matches!(&events[..], [Event::Failed(failure)] if failure.kind == FailureKind::Malformed),
            "{payload}: {events:?}"
        );
    }
}
