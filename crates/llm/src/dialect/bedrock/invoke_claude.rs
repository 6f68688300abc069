//! Claude's own API through Bedrock (`invoke-with-response-stream`): each frame wraps one event of Anthropic's stream.
//! Unwraps it; what it says is for the reader of Anthropic's dialect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::frame_decoder::{FrameDecoder, ReadFrame, malformed};
use crate::dialect::sequence::Sequence;
use crate::dialect::sse_decoder::ReadData;
use crate::event::Event;
use crate::json::Members;

pub(super) const WRAPS_NOTHING: &str = "the provider sent a frame that wraps no event";

/// The decoder of one such stream.
pub(crate) type InvokeClaude<R> = FrameDecoder<Unwrap<R>>;

/// Hands the event inside of each frame to its reader.
pub(crate) struct Unwrap<R> {
    reader: R,
}

impl<R: ReadData> InvokeClaude<R> {
    pub(crate) fn of(reader: R) -> Self {
        Self::new(Unwrap { reader })
    }
}

impl<R: ReadData> ReadFrame for Unwrap<R> {
    fn read(&mut self, event_type: &str, payload: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        if event_type != "chunk" {
            return;
        }
        match unwrapped(payload) {
            Some(data) => self.reader.read(&data, sequence, events),
            None => malformed(WRAPS_NOTHING, sequence, events),
        }
    }

    fn end(&mut self, _: &mut Sequence, _: &mut Vec<Event>) {}
}

/// The data in `{"bytes":"…"}`.
pub(super) fn unwrapped(payload: &[u8]) -> Option<Vec<u8>> {
    let mut members = Members::of_document(payload).ok()?;
    let mut data = None;
    while let Some(member) = members.next_member().ok()? {
        if &*member.key == b"bytes" {
            data = BASE64.decode(member.value.string()?.as_bytes()).ok();
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;
    use crate::dialect::Decoder as _;
    use crate::dialect::bedrock::event_stream::write_frame;
    use crate::event::{Opening, Stop};

    /// Says each event's data as text, and stops at `stop`.
    struct Echo;

    impl ReadData for Echo {
        fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
            if data == b"stop" {
                return sequence.stop(Stop::End);
            }
            sequence.open(0, Opening::Text, events);
            sequence.add(0, &String::from_utf8_lossy(data), events);
        }
    }

    fn decoded(payloads: &[&str]) -> Vec<Event> {
        let mut decoder = InvokeClaude::of(Echo);
        let mut events = Vec::new();
        for payload in payloads {
            let headers = [(":message-type", "event"), (":event-type", "chunk")];
            decoder.push(&write_frame(&headers, payload.as_bytes()), &mut events);
        }
        decoder.end(&mut events);
        events
    }

    #[test]
    fn wrapped_events_are_handed_on_as_they_were() {
        let events = decoded(&[
            r#"{"bytes":"eyJ0eXBlIjoicGluZyJ9","p":"abcdefgh"}"#,
            r#"{"bytes":"c3RvcA=="}"#,
        ]);

        let expected = [
            Event::Start { id: None, model: None },
            Event::Open(Opening::Text),
            Event::Add(r#"{"type":"ping"}"#.into()),
            Event::Close,
            Event::Stop(Stop::End),
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn a_frame_that_wraps_nothing_is_malformed() {
        for payload in ["{}", r#"{"bytes":7}"#, r#"{"bytes":"*"}"#, "", "[]"] {
            let events = decoded(&[payload]);

            assert!(
                matches!(&events[..], [Event::Failed(failure)] if failure.kind == FailureKind::Malformed),
                "{payload}: {events:?}"
            );
        }
    }
}
