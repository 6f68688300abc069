//! The addresses that count the tokens of a request without answering it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gatewright_types::api::{Dialect, KeyEndpoint};
use tokio::time::Instant;

use super::outbound;
use super::serve::{body, presented, told, traceparent, wants_trace};
use crate::count;
use crate::gateway::Gateway;
use crate::pipeline::{self, Head};
use crate::reply::Reply;
use crate::told::Told;

/// `POST /v1/messages/count_tokens`.
pub(super) async fn messages(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let head = Head {
        started: Instant::now(),
        dialect: Dialect::AnthropicMessages,
        route: "POST /v1/messages/count_tokens",
        presented: presented(&request, &gateway, KeyEndpoint::CountTokens),
        traceparent: traceparent(&request),
        wants_trace: wants_trace(&request),
    };
    counted(
        &request,
        payload,
        &gateway,
        head,
        told(&request, Dialect::AnthropicMessages),
    )
    .await
}

/// `POST …/models/{model}:countTokens`.
pub(super) async fn gemini(request: &HttpRequest, payload: Payload, gateway: &Gateway, told: Told) -> HttpResponse {
    let head = Head {
        started: Instant::now(),
        dialect: Dialect::GeminiGenerate,
        route: "POST /v1beta/models/{model}:countTokens",
        presented: presented(request, gateway, KeyEndpoint::CountTokens),
        traceparent: traceparent(request),
        wants_trace: wants_trace(request),
    };
    counted(request, payload, gateway, head, told).await
}

async fn counted(
    request: &HttpRequest,
    payload: Payload,
    gateway: &Gateway,
    head: Head<'_>,
    told: Told,
) -> HttpResponse {
    let Head { started, dialect, .. } = head;
    let admitted = match pipeline::admit(gateway, head).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            gateway.parts.metrics.rejected();
            return outbound::send(Reply::stranger(&refusal, dialect, started.elapsed()));
        }
    };
    let body = body(request, payload, gateway).await;
    outbound::send(count::run(gateway, admitted, told, body).await)
}
