//! `/readyz`, and the answer to addresses below `/v1` that nobody serves.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use gatewright_llm::error_body;

use crate::gateway::Gateway;

pub(super) async fn ready(gateway: Data<Gateway>) -> HttpResponse {
    let state = gateway.parts.readiness.state().await;
    let mut response = if state.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(state)
}

pub(super) async fn unknown(request: HttpRequest) -> HttpResponse {
    let message = format!(
        "Nothing is served at {} {}. This gateway answers POST /v1/chat/completions and GET /v1/models.",
        request.method(),
        request.path()
    );
    let body = error_body(&message, "not_found_error", None, "not_found");
    HttpResponse::NotFound().content_type("application/json").body(body)
}
