//! A decoder for dialects whose streams are server-sent events: cuts the bytes into events and hands their data on.

use bytes::Bytes;

use super::Decoder;
use super::sequence::Sequence;
use crate::event::Event;
use crate::sse::{Payload, Splitter, events, payload};
use crate::{Failure, FailureKind, Terms};

/// What is different about each of these dialects.
pub(crate) trait ReadData: Send {
    /// Reads the data of one event, which may be anything.
    fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>);
}

pub(crate) struct SseDecoder<R> {
    reader: R,
    splitter: Splitter,
    sequence: Sequence,
}

impl<R: ReadData> SseDecoder<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            splitter: Splitter::default(),
            sequence: Sequence::default(),
        }
    }

    fn read(&mut self, block: &[u8], out: &mut Vec<Event>) {
        for range in events(block) {
            if self.sequence.is_over() {
                return;
            }
            match payload(block.get(range).unwrap_or_default()) {
                Payload::Comment | Payload::Nothing => {}
                Payload::Line(data, _) => self.reader.read(data, &mut self.sequence, out),
                Payload::Joined(data) => self.reader.read(&data, &mut self.sequence, out),
            }
        }
    }
}

impl<R: ReadData> Decoder for SseDecoder<R> {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        match self.splitter.push(Bytes::copy_from_slice(bytes)) {
            Ok(whole) => self.read(&whole, events),
            Err(_) => {
                let failure = Failure::new(FailureKind::Malformed, "the provider sent an event of more than 16 MiB");
                self.sequence.fail(failure, events);
            }
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        // A last event may lack its blank line.
        let rest = self.splitter.rest();
        self.read(&rest, events);
        self.sequence.finish(events);
    }

    fn terms(&self) -> Terms {
        self.sequence.told_terms()
    }
}
