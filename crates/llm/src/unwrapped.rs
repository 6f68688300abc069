//! A stream of the caller's own dialect that comes in the frames of a cloud: taken out of them, it passes on as it is.

use std::fmt;

use bytes::Bytes;
use gatewright_types::api::Dialect;

use crate::dialect::bedrock::unwrapping::Unwrapper;
use crate::dialect::inbound;
use crate::stream::{Ended, PassedStream, Seen};
use crate::{Naming, Tokens};

/// The state of one stream of Claude's on Bedrock.
pub struct UnwrappedStream {
    unwrapper: Unwrapper,
    stream: PassedStream,
    failed: bool,
}

impl fmt::Debug for UnwrappedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnwrappedStream").finish_non_exhaustive()
    }
}

impl Default for UnwrappedStream {
    fn default() -> Self {
        Self {
            unwrapper: Unwrapper::default(),
            stream: PassedStream::other(inbound(Self::DIALECT).watcher()),
            failed: false,
        }
    }
}

impl UnwrappedStream {
    pub(crate) const DIALECT: Dialect = Dialect::AnthropicMessages;

    /// With another name in the place of the model's.
    pub fn named(self, naming: Option<Naming>) -> Self {
        Self {
            stream: self.stream.named(naming),
            ..self
        }
    }

    /// Takes the next bytes, cut anywhere.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Seen {
        if self.failed {
            return Seen::default();
        }
        let mut events = Vec::new();
        let unwrapped = self.unwrapper.push(bytes, &mut events);
        // What came before a failure is the caller's.
        let mut seen = match events.is_empty() {
            true => Seen::default(),
            false => self.stream.push(Bytes::from(events)),
        };
        if !self.is_whole() {
            seen.failed = seen.failed.or(unwrapped.err());
        }
        self.failed = seen.failed.is_some();
        seen
    }

    pub(crate) fn used(&self) -> Option<Tokens> {
        self.stream.facts().usage.or(self.unwrapper.metrics())
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.stream.is_blocked()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.stream.is_done()
    }

    /// To be called once, when no more bytes come or nobody wants them. Half a frame is dropped.
    pub(crate) fn end(&mut self) -> Ended {
        let mut ended = self.stream.end();
        ended.facts.usage = ended.facts.usage.or(self.unwrapper.metrics());
        ended
    }
}

#[cfg(test)]
mod tests;
