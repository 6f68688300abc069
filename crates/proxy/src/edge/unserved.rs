//! The answers to addresses and methods of the data plane that nobody serves, in the dialect that the address is of.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use gatewright_llm::dialect::{ErrorFacts, inbound};
use gatewright_types::RequestId;
use gatewright_types::api::Dialect;

pub(super) async fn unknown(request: HttpRequest) -> HttpResponse {
    let message = format!(
        "Nothing is served at {} {}. This gateway answers POST /v1/chat/completions, /v1/responses, /v1/completions, \
         /v1/embeddings, /v1/messages, /v1beta/models/{{model}}:generateContent, and GET /v1/models.",
        request.method(),
        request.path()
    );
    refuse(&request, StatusCode::NOT_FOUND, &message, "not_found")
}

pub(super) async fn wrong_method(request: HttpRequest) -> HttpResponse {
    let message = format!("{} is not served with {}.", request.path(), request.method());
    refuse(&request, StatusCode::METHOD_NOT_ALLOWED, &message, "method_not_allowed")
}

fn refuse(request: &HttpRequest, status: StatusCode, message: &str, code: &str) -> HttpResponse {
    let body = inbound(dialect_of(request)).write_error(&ErrorFacts {
        status: status.as_u16(),
        message,
        code,
        param: None,
        request_id: &RequestId::mint().to_string(),
    });
    HttpResponse::build(status).content_type("application/json").body(body)
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
