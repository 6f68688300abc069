//! `/v1/responses/{id}`: what was made before, for every key of the organization that made it.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use gatewright_types::api::{Dialect, KeyEndpoint};
use tokio::time::Instant;

use super::outbound;
use super::serve::{presented, texts};
use crate::authenticate::authenticate;
use crate::gateway::Gateway;
use crate::limits;
use crate::reply::Reply;
use crate::responses::{Action, Told, manage};

pub(super) async fn retrieve(request: HttpRequest, id: Path<String>, gateway: Data<Gateway>) -> HttpResponse {
    managed(&request, &id, &gateway, Action::Retrieve).await
}

pub(super) async fn input_items(request: HttpRequest, id: Path<String>, gateway: Data<Gateway>) -> HttpResponse {
    managed(&request, &id, &gateway, Action::ListInput).await
}

pub(super) async fn delete(request: HttpRequest, id: Path<String>, gateway: Data<Gateway>) -> HttpResponse {
    managed(&request, &id, &gateway, Action::Delete).await
}

pub(super) async fn cancel(request: HttpRequest, id: Path<String>, gateway: Data<Gateway>) -> HttpResponse {
    managed(&request, &id, &gateway, Action::Cancel).await
}

async fn managed(request: &HttpRequest, id: &str, gateway: &Gateway, action: Action) -> HttpResponse {
    let started = Instant::now();
    let parts = &*gateway.parts;
    let mut ticket = None;
    let managing = async {
        let now = chrono::Utc::now();
        let caller = authenticate(parts, presented(request, gateway, KeyEndpoint::Responses), now).await?;
        let headers = texts(request.headers()).collect();
        limits::enter_unrecorded(gateway, &caller, &headers, &mut ticket).await?;
        manage(gateway, &caller, id, action, request.query_string()).await
    };
    let dialect = Dialect::OpenaiResponses;
    let mut reply = match managing.await {
        Ok(Told::Whole(body)) => Reply::plain(body, dialect, started.elapsed()),
        Ok(Told::Events(events)) => Reply::events(events, dialect, started.elapsed()),
        Err(refusal) => {
            parts.metrics.rejected();
            Reply::stranger(&refusal, dialect, started.elapsed())
        }
    };
    if let Some(mut ticket) = ticket {
        reply.headers.extend(ticket.told().headers(dialect));
        ticket.settle_aside(&parts.metrics);
    }
    outbound::send(reply)
}
