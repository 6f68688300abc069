//! Counting the tokens of a request without answering it. It is our own estimate, and a header says so.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use gatewright_contract::Caller;
use gatewright_llm::dialect::{anthropic, gemini};
use gatewright_llm::{BadRequest, estimated_input};
use gatewright_types::api::Dialect;
use tokio::time::Instant;

use super::outbound;
use super::serve::{body, secret};
use crate::authenticate::authenticate;
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::route::route;
use crate::told::Told;

/// `POST /v1/messages/count_tokens`.
pub(super) async fn messages(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    counted(&request, payload, &gateway, Dialect::AnthropicMessages, |body| {
        let chat = anthropic::read_count_request(body)?;
        Ok((chat.model, anthropic::write_token_count(estimated_input(body))))
    })
    .await
}

/// `POST …/models/{model}:countTokens`.
pub(super) async fn gemini(request: &HttpRequest, payload: Payload, gateway: &Gateway, told: &Told) -> HttpResponse {
    counted(request, payload, gateway, Dialect::GeminiGenerate, |body| {
        let chat = gemini::read_count_request(body, told.path())?;
        Ok((chat.model, gemini::write_token_count(estimated_input(body))))
    })
    .await
}

async fn counted(
    request: &HttpRequest,
    payload: Payload,
    gateway: &Gateway,
    dialect: Dialect,
    count: impl FnOnce(&Bytes) -> Result<(Box<str>, Vec<u8>), BadRequest>,
) -> HttpResponse {
    let started = Instant::now();
    let parts = &*gateway.parts;
    let counting = async {
        let caller: Caller =
            authenticate(&parts.published, &parts.key_lookup, secret(request), chrono::Utc::now()).await?;
        let body = body(request, payload, gateway).await?;
        let (model, written) = count(&body).map_err(Refusal::BadRequest)?;
        route(&caller, &model)?;
        Ok(written)
    };
    let reply = match counting.await {
        Ok(body) => Reply::plain(body, dialect, started.elapsed()).estimated(),
        Err(refusal) => {
            parts.metrics.rejected();
            Reply::stranger(&refusal, dialect, started.elapsed())
        }
    };
    outbound::send(reply)
}
