//! Every address that asks a model for something: one way through the pipeline, whatever the dialect.

use actix_web::http::header::{
    AUTHORIZATION, AsHeaderName, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName as SentName,
    HeaderValue as SentValue,
};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gatewright_types::api::{Dialect, KeyEndpoint};
use http::header::HeaderValue;
use tokio::time::Instant;

use super::address::address;
use super::body::{self, Expected};
use super::coding::Coding;
use super::outbound;
use crate::authenticate::Presented;
use crate::cache::Sent;
use crate::fault::Wished;
use crate::gateway::Gateway;
use crate::pipeline::{self, Head};
use crate::reply::Reply;
use crate::speech::Wishes;
use crate::told::{PASSED, Told};
use crate::trace::address_of;

const TRACEPARENT: SentName = SentName::from_static("traceparent");
/// What is decided about the request is to be kept: `1`.
const TRACE: SentName = SentName::from_static("x-gw-trace");
const STRICT: SentName = SentName::from_static("x-gw-strict");
const TIMEOUT: SentName = SentName::from_static("x-gw-timeout");
const FAULT: SentName = SentName::from_static(Wished::HEADER);
const CACHE_CONTROL: SentName = SentName::from_static(Sent::CONTROL);
const CACHE_NAMESPACE: SentName = SentName::from_static(Sent::NAMESPACE);
/// Where dialects put a secret that is no bearer.
const SECRETS: [SentName; 3] = [
    SentName::from_static("x-api-key"),
    SentName::from_static("api-key"),
    SentName::from_static("x-goog-api-key"),
];

pub(super) async fn chat_completions(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    answer(&request, payload, &gateway, Dialect::OpenaiChat).await
}

pub(super) async fn responses(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    answer(&request, payload, &gateway, Dialect::OpenaiResponses).await
}

pub(super) async fn completions(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    answer(&request, payload, &gateway, Dialect::OpenaiCompletions).await
}

pub(super) async fn embeddings(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    answer(&request, payload, &gateway, Dialect::OpenaiEmbeddings).await
}

pub(super) async fn messages(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    answer(&request, payload, &gateway, Dialect::AnthropicMessages).await
}

async fn answer(request: &HttpRequest, payload: Payload, gateway: &Gateway, dialect: Dialect) -> HttpResponse {
    serve(request, payload, gateway, dialect, told(request, dialect)).await
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
        started,
        dialect,
        route: address_of(dialect),
        presented: presented(request, gateway, endpoint(dialect)),
        traceparent: traceparent(request),
        wants_trace: wants_trace(request),
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

/// What the caller wrote, whether or not it comes compressed.
pub(super) async fn body(
    request: &HttpRequest,
    payload: Payload,
    gateway: &Gateway,
) -> Result<bytes::Bytes, crate::refusal::Refusal> {
    let coding = Coding::of(text_header(request, CONTENT_ENCODING))?;
    let body = body_as_sent(request, payload, gateway).await?;
    match coding {
        Some(coding) => Box::pin(coding.decode(&body, gateway.parts.settings.body_limit_bytes)).await,
        None => Ok(body),
    }
}

pub(super) async fn body_as_sent(
    request: &HttpRequest,
    payload: Payload,
    gateway: &Gateway,
) -> Result<bytes::Bytes, crate::refusal::Refusal> {
    body::read(payload, expected(request, gateway)).await
}

pub(super) fn expected(request: &HttpRequest, gateway: &Gateway) -> Expected {
    let settings = &gateway.parts.settings;
    Expected {
        length: text_header(request, CONTENT_LENGTH).and_then(|text| text.parse().ok()),
        limit_bytes: settings.body_limit_bytes,
        idle: settings.body_idle,
    }
}

/// What the head says besides who asks.
pub(super) fn told(request: &HttpRequest, dialect: Dialect) -> Told {
    let headers = request.headers();
    let mut passed = Vec::new();
    // They are Anthropic's, and go no further than to providers that speak its dialect.
    let passing: &[_] = match dialect {
        Dialect::AnthropicMessages => &PASSED,
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiGenerate
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => &[],
    };
    for name in passing {
        for value in headers.get_all(name.as_str()) {
            // Read by one HTTP library and sent by another: what one takes the other does too.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                passed.push((name.clone(), value));
            }
        }
    }
    Told {
        wishes: Wishes {
            strict: text_header(request, STRICT).is_some_and(|text| text.eq_ignore_ascii_case("true")),
            as_array: false,
        },
        headers: texts(headers).collect(),
        timeout: text_header(request, TIMEOUT).map(str::parse),
        passed,
        cache: sent(request),
        fault: headers.get(FAULT).map(as_text),
        ..Told::default()
    }
}

/// What it says of the cache.
fn sent(request: &HttpRequest) -> Sent {
    let headers = request.headers();
    Sent {
        control: headers.get_all(CACHE_CONTROL).map(as_text).collect(),
        namespace: headers.get(CACHE_NAMESPACE).map(as_text),
    }
}

/// What a call at one of these addresses shows of itself.
pub(super) fn presented<'r>(request: &'r HttpRequest, gateway: &Gateway, endpoint: KeyEndpoint) -> Presented<'r> {
    Presented {
        endpoint: Some(endpoint),
        ..about_itself(request, gateway)
    }
}

/// The same of a call that is about the key itself, which every key may make.
pub(super) fn about_itself<'r>(request: &'r HttpRequest, gateway: &Gateway) -> Presented<'r> {
    Presented {
        secret: secret(request),
        address: address(request, gateway.parts.settings.trusted_proxy_hops),
        endpoint: None,
    }
}

const fn endpoint(dialect: Dialect) -> KeyEndpoint {
    match dialect {
        Dialect::OpenaiChat => KeyEndpoint::Chat,
        Dialect::OpenaiResponses => KeyEndpoint::Responses,
        Dialect::OpenaiCompletions => KeyEndpoint::Completions,
        Dialect::OpenaiEmbeddings | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed => KeyEndpoint::Embeddings,
        Dialect::AnthropicMessages => KeyEndpoint::Messages,
        Dialect::GeminiGenerate => KeyEndpoint::GenerateContent,
        Dialect::Native(_) => KeyEndpoint::Native,
    }
}

/// What is no text is no wish either, and is refused as one that is not known.
fn as_text(value: &SentValue) -> Box<str> {
    String::from_utf8_lossy(value.as_bytes()).into()
}

/// The caller's secret, wherever its dialect puts it.
fn secret(request: &HttpRequest) -> Option<&[u8]> {
    let headers = request.headers();
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, secret) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| secret.trim_ascii())
    });
    let named = || SECRETS.iter().find_map(|name| headers.get(name));
    bearer.or_else(|| named().map(|value| value.as_bytes().trim_ascii()))
}

pub(super) fn traceparent(request: &HttpRequest) -> Option<&str> {
    text_header(request, TRACEPARENT)
}

pub(super) fn wants_trace(request: &HttpRequest) -> bool {
    text_header(request, TRACE) == Some("1")
}

/// Those that are texts.
pub(super) fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let headers = headers.iter();
    headers.filter_map(|(name, value)| Some((name.as_str(), text(value)?)))
}

fn text_header(request: &HttpRequest, name: impl AsHeaderName) -> Option<&str> {
    request.headers().get(name).and_then(text)
}

/// What `to_str` takes for a text, looked at as a whole and not byte by byte: every header of a request is.
fn text(value: &SentValue) -> Option<&str> {
    let bytes = value.as_bytes();
    let visible = bytes
        .iter()
        .fold(true, |all, byte| all & matches!(byte, b' '..=b'~' | b'\t'));
    str::from_utf8(bytes).ok().filter(|_| visible)
}
