//! A decoder for streams in AWS's framing: cuts the bytes into frames, hands on what the events among them say, and
//! ends the stream at the first that is an error.

use super::event_stream::{Frame, Frames};
use super::exception;
use crate::dialect::Decoder;
use crate::dialect::sequence::Sequence;
use crate::event::Event;
use crate::{Failure, FailureKind, Terms};

/// What is different about the APIs that stream so.
pub(crate) trait ReadFrame: Send {
    /// Reads the payload of one event, which may be anything.
    fn read(&mut self, event_type: &str, payload: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>);

    /// No more events come.
    fn end(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>);
}

pub(crate) struct FrameDecoder<R> {
    reader: R,
    frames: Frames,
    sequence: Sequence,
}

impl<R: ReadFrame> FrameDecoder<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            frames: Frames::default(),
            sequence: Sequence::default(),
        }
    }

    fn read(&mut self, frame: &Frame, events: &mut Vec<Event>) {
        match frame.header(":message-type") {
            Some("event") => {
                let event_type = frame.header(":event-type").unwrap_or_default();
                self.reader.read(event_type, &frame.payload, &mut self.sequence, events);
            }
            Some("exception" | "error") => self.sequence.fail(exception::read(frame), events),
            _ => malformed("the provider sent a frame of no known type", &mut self.sequence, events),
        }
    }
}

impl<R: ReadFrame> Decoder for FrameDecoder<R> {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        if self.sequence.is_over() {
            return;
        }
        self.frames.push(bytes);
        while !self.sequence.is_over() {
            match self.frames.next() {
                Ok(Some(frame)) => self.read(&frame, events),
                Ok(None) => return,
                Err(broken) => malformed(&broken.to_string(), &mut self.sequence, events),
            }
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        self.reader.end(&mut self.sequence, events);
        self.sequence.finish(events);
    }

    fn terms(&self) -> Terms {
        self.sequence.told_terms()
    }
}

pub(super) fn malformed(reason: &str, sequence: &mut Sequence, events: &mut Vec<Event>) {
    sequence.fail(Failure::new(FailureKind::Malformed, reason), events);
}
