//! Claude behind Bedrock's own envelope: answers are plain, and each event of a stream comes in a frame.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gatewright_llm::dialect::Outbound as _;
use gatewright_llm::dialect::anthropic::{Anthropic, AnthropicOn, Envelope};
use gatewright_llm::dialect::bedrock::event_stream::write_frame;

use crate::decode;
use crate::fixtures::{ANSWERS, STREAMS};

#[test]
fn wrapped_streams_say_what_plain_ones_say() {
    // Where a stream was cut inside of an event there is no frame.
    for (name, plain) in STREAMS.iter().filter(|(name, _)| *name != "cut") {
        let mut wrapped = AnthropicOn(Envelope::Bedrock).decoder();
        let mut events = Vec::new();
        for data in plain.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let payload = format!(r#"{{"bytes":"{}"}}"#, BASE64.encode(data));
            let headers = [(":message-type", "event"), (":event-type", "chunk")];
            wrapped.push(&write_frame(&headers, payload.as_bytes()), &mut events);
        }
        wrapped.end(&mut events);

        assert_eq!(events, decode(plain.as_bytes()), "{name}");
    }
}

#[test]
fn streams_on_vertex_are_plain() {
    for (name, plain) in STREAMS {
        let mut decoder = AnthropicOn(Envelope::Vertex).decoder();
        let mut events = Vec::new();
        decoder.push(plain.as_bytes(), &mut events);
        decoder.end(&mut events);

        assert_eq!(events, decode(plain.as_bytes()), "{name}");
    }
}

#[test]
fn whole_answers_are_plain() {
    for (name, answer) in ANSWERS {
        let wrapped = AnthropicOn(Envelope::Bedrock).read_answer(answer.as_bytes());

        assert_eq!(wrapped, Anthropic.read_answer(answer.as_bytes()), "{name}");
    }
}
