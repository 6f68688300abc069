//! A request body in pieces that are sent one after the other without being joined.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gatewright_llm::Segments;
use http_body::{Body, Frame, SizeHint};

/// The pieces that are still to be sent.
pub(super) struct SegmentsBody {
    rest: <Segments as IntoIterator>::IntoIter,
    left_bytes: u64,
}

impl SegmentsBody {
    pub(super) fn wrap(segments: Segments) -> reqwest::Body {
        let left_bytes = segments.len() as u64;
        let mut rest = segments.into_iter();
        if rest.len() == 1
            && let Some(only) = rest.next()
        {
            return reqwest::Body::from(only);
        }
        reqwest::Body::wrap(Self { rest, left_bytes })
    }
}

impl Body for SegmentsBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.rest.next();
        if let Some(bytes) = &next {
            self.left_bytes -= bytes.len() as u64;
        }
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}
