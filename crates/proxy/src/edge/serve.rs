//! Every address that asks a model for something: one way through the pipeline, whatever the dialect.

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gatewright_types::api::Dialect;
use http::header::HeaderValue;
use tokio::time::Instant;

use super::body::{self, Expected};
use super::outbound;
use crate::gateway::Gateway;
use crate::pipeline::{self, Head};
use crate::reply::Reply;
use crate::speech::Wishes;
use crate::told::{PASSED, Told};
use crate::trace::address_of;

pub(super) async fn chat_completions(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let told = told(&request);
    serve(&request, payload, &gateway, Dialect::OpenaiChat, told).await
}

pub(super) async fn responses(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let told = told(&request);
    serve(&request, payload, &gateway, Dialect::OpenaiResponses, told).await
}

pub(super) async fn completions(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let told = told(&request);
    serve(&request, payload, &gateway, Dialect::OpenaiCompletions, told).await
}

pub(super) async fn embeddings(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let told = told(&request);
    serve(&request, payload, &gateway, Dialect::OpenaiEmbeddings, told).await
}

pub(super) async fn messages(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let told = told(&request);
    serve(&request, payload, &gateway, Dialect::AnthropicMessages, told).await
}

/// Through the pipeline and back.
pub(super) async fn serve(
    request: &HttpRequest,
    payload: Payload,
    gateway: &Gateway,
    dialect: Dialect,
    told: Told,
) -> HttpResponse {
    let started = Instant::now();
    let head = Head {
        dialect,
        route: address_of(dialect),
        secret: secret(request),
        traceparent: text_header(request, "traceparent"),
    };
    let admitted = match pipeline::admit(gateway, head).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            gateway.parts.metrics.rejected();
            return outbound::send(Reply::stranger(&refusal, dialect, started.elapsed()));
        }
    };
    let body = body(request, payload, gateway).await;
    outbound::send(pipeline::run(gateway, admitted, told, body).await)
}

pub(super) async fn body(
    request: &HttpRequest,
    payload: Payload,
    gateway: &Gateway,
) -> Result<bytes::Bytes, crate::refusal::Refusal> {
    let settings = &gateway.parts.settings;
    let expected = Expected {
        length: text_header(request, CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok()),
        limit_bytes: settings.body_limit_bytes,
        idle: settings.body_idle,
    };
    body::read(payload, expected).await
}

/// What the head says besides who asks.
pub(super) fn told(request: &HttpRequest) -> Told {
    let headers = request.headers();
    let mut passed = Vec::new();
    for name in PASSED {
        for value in headers.get_all(name.as_str()) {
            // Read by one HTTP library and sent by another: what one takes the other does too.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                passed.push((name.clone(), value));
            }
        }
    }
    Told {
        wishes: Wishes {
            strict: text_header(request, "x-gw-strict").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            as_array: false,
        },
        passed,
        ..Told::default()
    }
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

pub(super) fn text_header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}
