//! Collects a stream for the cache while it passes: what the caller reads of the answer, without our comments. Too much
//! of it, or an end that is not the answer's own, and nothing is kept.

use bytes::{Bytes, BytesMut};

use super::keeping::{Given, One};
use super::memory::LARGEST_BYTES;

#[derive(Debug)]
pub(crate) struct Collecting {
    keeping: One,
    pieces: BytesMut,
    has_end: bool,
}

impl Collecting {
    pub(super) fn new(keeping: One) -> Self {
        Self {
            keeping,
            pieces: BytesMut::new(),
            has_end: false,
        }
    }

    /// `None` once it is too much.
    pub(crate) fn add(mut self, piece: &[u8]) -> Option<Self> {
        if self.pieces.len() + piece.len() > LARGEST_BYTES {
            return None;
        }
        self.pieces.extend_from_slice(piece);
        Some(self)
    }

    /// The mark of the end has come.
    pub(crate) fn ends(&mut self) {
        self.has_end = true;
    }

    /// Keeps it, if that is all of the answer.
    pub(crate) async fn keep(self, given: Given) {
        if self.has_end {
            let body = Bytes::from(self.pieces);
            self.keeping.keep(body, given).await;
        }
    }
}
