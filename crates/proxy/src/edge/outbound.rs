//! Hands a reply to actix.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use crate::reply::{Header, Reply, ReplyBody};
use crate::waiting::Streamed;

pub(super) fn send(reply: Reply) -> HttpResponse {
    let mut response = begin(reply.status, reply.headers);
    match reply.body {
        ReplyBody::Whole(bytes) => response.body(bytes),
        ReplyBody::Stream(stream) => response.body(StreamBody(stream)),
    }
}

/// A response with our headers.
pub(super) fn begin(status: u16, headers: Vec<Header>) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY));
    for (name, value) in headers {
        // Names of providers and models are visible ASCII; whatever else a header cannot carry is left out.
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            response.insert_header((HeaderName::from_static(name), value));
        }
    }
    response
}

struct StreamBody(Box<Streamed>);

impl MessageBody for StreamBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_next(cx).map(|piece| piece.map(Ok))
    }
}
