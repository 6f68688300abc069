//! The answers to addresses and methods below `/v1` that nobody serves, in the caller's dialect.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use gatewright_llm::error_body;

pub(super) async fn unknown(request: HttpRequest) -> HttpResponse {
    let message = format!(
        "Nothing is served at {} {}. This gateway answers POST /v1/chat/completions and GET /v1/models.",
        request.method(),
        request.path()
    );
    refuse(StatusCode::NOT_FOUND, &message, "not_found")
}

pub(super) async fn wrong_method(request: HttpRequest) -> HttpResponse {
    let message = format!("{} is not served with {}.", request.path(), request.method());
    refuse(StatusCode::METHOD_NOT_ALLOWED, &message, "method_not_allowed")
}

fn refuse(status: StatusCode, message: &str, code: &str) -> HttpResponse {
    let body = error_body(message, "invalid_request_error", None, code);
    HttpResponse::build(status).content_type("application/json").body(body)
}
