//! Takes the events of Anthropic's stream out of Bedrock's frames, and writes them as Anthropic sends them: each with its
//! name, its data as it came.

use super::event_stream::{Frame, Frames};
use super::exception;
use super::invoke_any::metrics;
use super::invoke_claude::{WRAPS_NOTHING, unwrapped};
use crate::dialect::anthropic::event_name;
use crate::{Failure, FailureKind, Tokens};

/// The state of one stream.
#[derive(Debug, Default)]
pub(crate) struct Unwrapper {
    frames: Frames,
    metrics: Option<Tokens>,
}

impl Unwrapper {
    /// Takes the next bytes, cut anywhere, and appends the events that are whole by then. After a failure there is
    /// nothing more to be had.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        self.frames.push(bytes);
        loop {
            match self.frames.next() {
                Ok(Some(frame)) => self.read(&frame, out)?,
                Ok(None) => return Ok(()),
                Err(broken) => return Err(malformed(&broken.to_string())),
            }
        }
    }

    /// What Bedrock itself counted, once it was told.
    pub(crate) fn metrics(&self) -> Option<Tokens> {
        self.metrics
    }

    fn read(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<(), Failure> {
        match frame.header(":message-type") {
            Some("event") if frame.header(":event-type") == Some("chunk") => {
                let data = unwrapped(&frame.payload).ok_or_else(|| malformed(WRAPS_NOTHING))?;
                self.metrics = metrics(&data).or(self.metrics);
                write_event(data, out)
            }
            // Whatever else may be told one day is not for the caller.
            Some("event") => Ok(()),
            Some("exception" | "error") => Err(exception::read(frame)),
            _ => Err(malformed("the provider sent a frame of no known type")),
        }
    }
}

fn write_event(mut data: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(name) = event_name(&data) else {
        return Err(malformed("the provider sent an event that is not a JSON object"));
    };
    // Between the tokens of JSON a line's end is as good as a space; within them there is none.
    for byte in &mut data {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    for piece in [b"event: ", name.as_bytes(), b"\ndata: ", &data, b"\n\n"] {
        out.extend_from_slice(piece);
    }
    Ok(())
}

fn malformed(reason: &str) -> Failure {
    Failure::new(FailureKind::Malformed, reason)
}
