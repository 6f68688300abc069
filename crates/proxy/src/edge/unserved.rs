//! The answers to addresses and methods of the data plane that nobody serves, in the dialect that the address is of.

use actix_web::{HttpRequest, HttpResponse};
use gatewright_types::api::Dialect;
use tokio::time::Instant;

use super::outbound;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) async fn unknown(request: HttpRequest) -> HttpResponse {
    refuse(&request, |method, path| Refusal::NotServed { method, path })
}

pub(super) async fn wrong_method(request: HttpRequest) -> HttpResponse {
    refuse(&request, |method, path| Refusal::MethodNotServed { method, path })
}

fn refuse(request: &HttpRequest, refusal: impl FnOnce(String, String) -> Refusal) -> HttpResponse {
    let started = Instant::now();
    let refusal = refusal(request.method().to_string(), request.path().to_owned());
    outbound::send(Reply::stranger(&refusal, dialect_of(request), started.elapsed()))
}

/// Whose address it is. Some are the same for several, whose client libraries then tell themselves by their headers.
pub(super) fn dialect_of(request: &HttpRequest) -> Dialect {
    let path = request.path();
    let says = |header| request.headers().contains_key(header);
    if path.starts_with("/v1beta/") {
        Dialect::GeminiGenerate
    } else if path.starts_with("/v1/messages") || says("anthropic-version") {
        Dialect::AnthropicMessages
    } else if says("x-goog-api-client") || says("x-goog-api-key") {
        Dialect::GeminiGenerate
    } else {
        Dialect::OpenaiChat
    }
}
