//! Reads a request's body: bounded in size, and only as long as it makes progress.

use std::time::Duration;

use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::{LocalBoxStream, unfold};
use tokio::time::timeout;

use crate::refusal::Refusal;

/// Memory set aside on the caller's word alone.
const TRUSTED_BYTES: usize = 256 << 10;

/// What the head says of the body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) length: Option<usize>,
    pub(super) limit_bytes: usize,
    pub(super) idle: Duration,
}

pub(super) async fn read(mut payload: Payload, expected: Expected) -> Result<Bytes, Refusal> {
    let too_large = Refusal::BodyTooLarge {
        limit_bytes: expected.limit_bytes,
    };
    if expected.length.is_some_and(|length| length > expected.limit_bytes) {
        return Err(too_large);
    }
    let Some(first) = next(&mut payload, expected.idle).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > expected.limit_bytes {
        return Err(too_large);
    }
    if expected.length == Some(first.len()) {
        return Ok(first);
    }
    let capacity = expected.length.unwrap_or(0).min(TRUSTED_BYTES).max(first.len());
    let mut whole = BytesMut::with_capacity(capacity);
    whole.extend_from_slice(&first);
    while let Some(more) = next(&mut payload, expected.idle).await? {
        if whole.len() + more.len() > expected.limit_bytes {
            return Err(too_large);
        }
        whole.extend_from_slice(&more);
    }
    if expected.length.is_some_and(|length| length != whole.len()) {
        return Err(Refusal::BodyBroken);
    }
    Ok(whole.freeze())
}

/// The same piece by piece: no more of it than the limit, and no less than was announced.
pub(super) fn pieces(payload: Payload, expected: Expected) -> LocalBoxStream<'static, Result<Bytes, Refusal>> {
    let Expected {
        length,
        limit_bytes,
        idle,
    } = expected;
    let too_large = Refusal::BodyTooLarge { limit_bytes };
    if length.is_some_and(|length| length > limit_bytes) {
        return futures_util::stream::iter([Err(too_large)]).boxed_local();
    }
    let begin = Some((payload, 0_usize));
    let pieces = unfold(begin, move |place| async move {
        let (mut payload, seen) = place?;
        let piece = match next(&mut payload, idle).await {
            Ok(Some(piece)) => piece,
            Ok(None) => {
                let is_whole = length.is_none_or(|length| length == seen);
                return (!is_whole).then_some((Err(Refusal::BodyBroken), None));
            }
            Err(refusal) => return Some((Err(refusal), None)),
        };
        let seen = seen + piece.len();
        match seen > limit_bytes {
            true => Some((Err(Refusal::BodyTooLarge { limit_bytes }), None)),
            false => Some((Ok(piece), Some((payload, seen)))),
        }
    });
    pieces.boxed_local()
}

async fn next(payload: &mut Payload, idle: Duration) -> Result<Option<Bytes>, Refusal> {
    match timeout(idle, payload.next()).await {
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(_))) => Err(Refusal::BodyBroken),
        Ok(None) => Ok(None),
        Err(_) => Err(Refusal::BodyTooSlow),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::FromRequest as _;
    use actix_web::test::TestRequest;

    use super::*;

    async fn read_of(bytes: &'static [u8], length: Option<usize>) -> Result<Bytes, Refusal> {
        let (request, mut stream) = TestRequest::default().set_payload(bytes).to_http_parts();
        let payload = Payload::from_request(&request, &mut stream).await.expect("a payload");
        let expected = Expected {
            length,
            limit_bytes: 10,
            idle: Duration::from_secs(1),
        };
        read(payload, expected).await
    }

    #[actix_web::test]
    async fn a_body_is_bounded_whether_or_not_it_says_its_length() {
        let too_large = |read: Result<Bytes, Refusal>| matches!(read, Err(Refusal::BodyTooLarge { limit_bytes: 10 }));

        assert_eq!(
            read_of(b"0123456789", None).await.ok().as_deref(),
            Some(&b"0123456789"[..])
        );
        assert!(too_large(read_of(b"0123456789a", None).await));
        assert!(too_large(read_of(b"0123456789a", Some(11)).await));
    }

    #[actix_web::test]
    async fn a_body_shorter_than_announced_is_broken() {
        assert!(matches!(read_of(b"0123", Some(9)).await, Err(Refusal::BodyBroken)));
    }
}
