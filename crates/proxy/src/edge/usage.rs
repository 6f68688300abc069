//! `GET /v1/usage`: how the budgets and limits stand that a key's requests meet.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use gatewright_routing::Headers;
use tokio::time::Instant;

use super::outbound;
use super::serve::{about_itself, texts};
use super::unserved::dialect_of;
use crate::authenticate::authenticate;
use crate::gateway::Gateway;
use crate::limits;
use crate::reply::Reply;

pub(super) async fn own(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    let started = Instant::now();
    let parts = &*gateway.parts;
    let dialect = dialect_of(&request);
    let told = async {
        let now = chrono::Utc::now();
        let caller = authenticate(parts, about_itself(&request, &gateway), now).await?;
        let headers: Headers = texts(request.headers()).collect();
        limits::own_usage(&parts.accounts, &caller, &headers).await
    };
    let reply = match told.await {
        Ok(body) => Reply::plain(body.to_string().into_bytes(), dialect, started.elapsed()),
        Err(refusal) => {
            parts.metrics.rejected();
            Reply::stranger(&refusal, dialect, started.elapsed())
        }
    };
    outbound::send(reply)
}
