//! `POST /v1/chat/completions`.

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::Instant;

use super::body::{self, Expected};
use super::outbound;
use crate::gateway::Gateway;
use crate::pipeline::{self, Head};
use crate::reply::Reply;

pub(super) async fn completions(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let started = Instant::now();
    let head = Head {
        secret: secret(&request),
        traceparent: text_header(&request, "traceparent"),
    };
    let admitted = match pipeline::admit(&gateway, head).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            gateway.parts.metrics.rejected();
            return outbound::send(Reply::stranger(&refusal, started.elapsed()));
        }
    };
    let settings = &gateway.parts.settings;
    let expected = Expected {
        length: text_header(&request, CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok()),
        limit_bytes: settings.body_limit_bytes,
        idle: settings.body_idle,
    };
    let body = body::read(payload, expected).await;
    outbound::send(pipeline::run(&gateway, admitted, body).await)
}

/// The caller's secret, wherever its dialect puts it.
pub(super) fn secret(request: &HttpRequest) -> Option<&[u8]> {
    let headers = request.headers();
    let bearer = headers.get("authorization").and_then(|value| {
        let (scheme, secret) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| secret.trim_ascii())
    });
    let named = || {
        ["x-api-key", "api-key", "x-goog-api-key"]
            .into_iter()
            .find_map(|name| headers.get(name))
    };
    bearer.or_else(|| named().map(|value| value.as_bytes().trim_ascii()))
}

fn text_header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}
