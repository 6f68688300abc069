//! `/native/{provider}/…`: a provider's own addresses, byte for byte.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use gatewright_types::api::KeyEndpoint;
use tokio::time::Instant;

use super::serve::{expected, presented, traceparent, wants_trace};
use super::{body, outbound, unserved};
use crate::gateway::Gateway;
use crate::native::{self, Asked, Broken, Incoming, NativeAnswer, NativeBody, NativeRelay, NativeReply, Tail};
use crate::pipeline::{self, Head};
use crate::reply::Reply;

pub(super) async fn pass(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    // As it was sent: nothing here reads its percent signs.
    let Some(rest) = request.uri().path().strip_prefix("/native/") else {
        return unserved::unknown(request).await;
    };
    let (provider, path) = rest.split_once('/').unwrap_or((rest, ""));
    let Some(method) = method(&request) else {
        return unserved::wrong_method(request).await;
    };
    let started = Instant::now();
    let presented = presented(&request, &gateway, KeyEndpoint::Native);
    let head = Head {
        started,
        dialect: unserved::dialect_of(&request),
        route: "/native/{provider}/{path}",
        presented,
        traceparent: traceparent(&request),
        wants_trace: wants_trace(&request),
    };
    let dialect = head.dialect;
    let admitted = match pipeline::admit(&gateway, head).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            gateway.parts.metrics.rejected();
            return outbound::send(Reply::stranger(&refusal, dialect, started.elapsed()));
        }
    };
    let asked = Asked {
        method,
        provider,
        tail: Tail {
            path,
            query: request.uri().query(),
        },
        headers: headers(&request),
        secret: presented.secret.unwrap_or_default(),
    };
    let expected = expected(&request, &gateway);
    let incoming = Incoming {
        pieces: body::pieces(payload, expected),
        length: expected.length,
    };
    match native::run(&gateway, admitted, asked, incoming).await {
        NativeReply::Refused(reply) => outbound::send(reply),
        NativeReply::Answered(answer) => send(*answer),
    }
}

/// `TRACE` would show the caller what we send; `CONNECT` and upgrades are no requests.
fn method(request: &HttpRequest) -> Option<http::Method> {
    match request.method().as_str() {
        "TRACE" | "CONNECT" => None,
        name => http::Method::from_bytes(name.as_bytes()).ok(),
    }
}

/// Read by one HTTP library and sent by another: what one takes the other does too.
fn headers(request: &HttpRequest) -> http::HeaderMap {
    let mut headers = http::HeaderMap::with_capacity(request.headers().len());
    for (name, value) in request.headers() {
        if let (Ok(name), Ok(value)) = (
            http::HeaderName::from_bytes(name.as_str().as_bytes()),
            http::HeaderValue::from_bytes(value.as_bytes()),
        ) {
            headers.append(name, value);
        }
    }
    headers
}

fn send(answer: NativeAnswer) -> HttpResponse {
    let mut response = outbound::begin(answer.status, answer.headers);
    for (name, value) in &answer.passed {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_str().as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            response.append_header((name, value));
        }
    }
    match answer.body {
        NativeBody::Whole(bytes) => response.body(bytes),
        NativeBody::Stream(relay) => response.body(StreamBody(relay)),
    }
}

struct StreamBody(Box<NativeRelay>);

impl MessageBody for StreamBody {
    type Error = Broken;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        self.0.poll_next(cx)
    }
}
