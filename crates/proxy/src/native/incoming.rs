//! A body on its way in. It is read whole where something of it has to be known before it goes on: the model it names, what
//! is signed, what a key may not ask. Where nothing has to, a long one is passed on as it comes, and no more of it is held
//! than its beginning and the few pieces under way. What was passed on is gone: it cannot be sent again.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::LocalBoxStream;
use gatewright_llm::Failure;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::call::refused;
use crate::refusal::Refusal;

/// Longer ones are passed on as they come, where that may be.
const HELD_BYTES: usize = 1 << 20;
/// Memory set aside on the caller's word alone.
const TRUSTED_BYTES: usize = 256 << 10;
/// Pieces between the caller's connection and the provider's.
const PIECES_UNDER_WAY: usize = 2;

/// A body of which nothing was read yet. Its pieces keep to the limit and to the length that was announced.
pub(crate) struct Incoming {
    pub(crate) pieces: LocalBoxStream<'static, Result<Bytes, Refusal>>,
    /// As announced.
    pub(crate) length: Option<usize>,
}

/// What there is of a body when its provider is asked.
pub(super) enum Body {
    Whole(Bytes),
    Flowing(Flowing),
}

/// The beginning of a body, and the rest of it still to come.
pub(super) struct Flowing {
    head: Bytes,
    rest: Incoming,
}

/// What fills a body that is sent while it comes in.
pub(super) struct Pump {
    rest: Incoming,
    into: Sender<Piece>,
    pumped_bytes: usize,
}

/// A body that is sent while it comes in.
#[derive(Debug)]
pub(crate) struct Streamed {
    head: Option<Bytes>,
    rest: Receiver<Piece>,
    left_bytes: Option<u64>,
    over: bool,
}

#[derive(Debug)]
enum Piece {
    Of(Bytes),
    End,
}

/// The caller's body broke off, and with it the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the caller's body broke off")]
pub(crate) struct CutOff;

impl Incoming {
    pub(super) async fn whole(mut self) -> Result<Bytes, Refusal> {
        let Some(first) = self.pieces.next().await.transpose()? else {
            return Ok(Bytes::new());
        };
        if self.length == Some(first.len()) {
            return Ok(first);
        }
        let capacity = self.length.unwrap_or(0).min(TRUSTED_BYTES).max(first.len());
        let mut whole = BytesMut::with_capacity(capacity);
        whole.extend_from_slice(&first);
        while let Some(more) = self.pieces.next().await {
            whole.extend_from_slice(&more?);
        }
        Ok(whole.freeze())
    }

    /// All of it where it is short.
    pub(super) async fn begun(mut self) -> Result<Body, Refusal> {
        let mut head = BytesMut::new();
        while head.len() <= HELD_BYTES {
            match self.pieces.next().await {
                Some(piece) => head.extend_from_slice(&piece?),
                None => return Ok(Body::Whole(head.freeze())),
            }
        }
        let head = head.freeze();
        Ok(Body::Flowing(Flowing { head, rest: self }))
    }
}

impl Body {
    /// As much of it as is there.
    pub(super) fn seen(&self) -> &Bytes {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Flowing(flowing) => &flowing.head,
        }
    }

    /// What is not there yet, as far as it was announced.
    pub(super) fn unseen_bytes(&self) -> usize {
        match self {
            Self::Whole(_) => 0,
            Self::Flowing(flowing) => {
                let length = flowing.rest.length.unwrap_or_default();
                length.saturating_sub(flowing.head.len())
            }
        }
    }
}

impl Flowing {
    /// The body to send, and what has to be polled beside it.
    pub(super) fn split(self) -> (Streamed, Pump) {
        let (into, rest) = channel(PIECES_UNDER_WAY);
        let streamed = Streamed {
            left_bytes: self.rest.length.map(|length| length as u64),
            head: Some(self.head),
            rest,
            over: false,
        };
        let pump = Pump {
            rest: self.rest,
            into,
            pumped_bytes: 0,
        };
        (streamed, pump)
    }
}

impl Pump {
    /// Fills the body while the call is made. An answer that refuses the request is not kept waiting for the rest of it.
    pub(super) async fn along(
        &mut self,
        call: impl Future<Output = Result<reqwest::Response, Failure>>,
    ) -> Result<reqwest::Response, Refusal> {
        let mut call = pin!(call);
        let flowed = match select(call.as_mut(), pin!(self.flow())).await {
            Either::Left((Ok(response), flow)) if response.status().as_u16() < 400 => {
                flow.await?;
                return Ok(response);
            }
            Either::Left((answered, _)) => return answered.map_err(refused),
            Either::Right((flowed, _)) => flowed,
        };
        flowed?;
        call.await.map_err(refused)
    }

    /// Behind the beginning.
    pub(super) const fn pumped_bytes(&self) -> usize {
        self.pumped_bytes
    }

    async fn flow(&mut self) -> Result<(), Refusal> {
        while let Some(piece) = self.rest.pieces.next().await {
            let piece = piece?;
            self.pumped_bytes += piece.len();
            if self.into.send(Piece::Of(piece)).await.is_err() {
                // The provider wants no more of it.
                return Ok(());
            }
        }
        // Nobody waits for its end who is gone.
        let _ = self.into.send(Piece::End).await;
        Ok(())
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let bytes = match self.head.take() {
            Some(head) => head,
            None => match ready!(self.rest.poll_recv(cx)) {
                Some(Piece::Of(bytes)) => bytes,
                Some(Piece::End) => {
                    self.over = true;
                    return Poll::Ready(None);
                }
                None => {
                    self.over = true;
                    return Poll::Ready(Some(Err(CutOff)));
                }
            },
        };
        if let Some(left) = &mut self.left_bytes {
            *left = left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.left_bytes == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left_bytes.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, stream};
    use http_body::Body as _;

    use super::*;

    const PIECE: usize = 64 << 10;

    fn incoming(pieces: usize, end: Option<Refusal>) -> Incoming {
        let pieces = (0..pieces).map(|_| Ok(Bytes::from(vec![7; PIECE]))).chain(end.map(Err));
        Incoming {
            pieces: stream::iter(pieces.collect::<Vec<_>>()).boxed_local(),
            length: None,
        }
    }

    async fn flowing(pieces: usize, end: Option<Refusal>) -> Flowing {
        match incoming(pieces, end).begun().await {
            Ok(Body::Flowing(flowing)) => flowing,
            Ok(Body::Whole(_)) | Err(_) => panic!("a long body flows"),
        }
    }

    async fn next(streamed: &mut Streamed) -> Option<Result<usize, CutOff>> {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *streamed).poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.into_data().map_or(0, |data| data.len())))
    }

    #[tokio::test]
    async fn a_short_body_is_whole_and_a_long_one_flows_with_few_pieces_under_way() {
        assert!(matches!(incoming(16, None).begun().await, Ok(Body::Whole(whole)) if whole.len() == 16 * PIECE));

        let (mut streamed, mut pump) = flowing(64, None).await.split();
        // Nobody reads: the pump waits with what it was given.
        assert!(pump.flow().now_or_never().is_none());
        assert_eq!(pump.pumped_bytes(), (PIECES_UNDER_WAY + 1) * PIECE);
        let mut sizes = 0;
        let reading = async {
            while let Some(read) = next(&mut streamed).await {
                sizes += read.expect("bytes");
            }
        };
        let (flowed, ()) = tokio::join!(pump.flow(), reading);
        assert!(flowed.is_ok());
        // One piece went down with the poll that was given up.
        assert_eq!(sizes, 63 * PIECE);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_does_not_end_like_a_whole_one() {
        let (mut streamed, mut pump) = flowing(20, Some(Refusal::BodyBroken)).await.split();
        let reading = async {
            loop {
                match next(&mut streamed).await {
                    Some(Ok(_)) => {}
                    other => return other,
                }
            }
        };
        let pumping = async move { pump.flow().await };

        let (flowed, ended) = tokio::join!(pumping, reading);

        assert!(matches!(flowed, Err(Refusal::BodyBroken)));
        assert_eq!(ended, Some(Err(CutOff)));
    }
}
