//! `GET /v1/models`: the models a key may call, in OpenAI's shape.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use gatewright_contract::{Caller, Model, Route};
use serde::Serialize;
use tokio::time::Instant;

use super::chat::secret;
use super::outbound;
use crate::authenticate::authenticate;
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::reply::Reply;

#[derive(Serialize)]
struct Listed<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    /// OpenAI's clients want a number here; when a model was made is nothing a caller needs to know.
    created: u32,
    owned_by: &'a str,
}

pub(super) async fn list(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    answer(&request, &gateway, |caller| {
        let mut models: Vec<_> = allowed(caller).map(entry).collect();
        models.sort_by_key(|entry| entry.id);
        to_json(&Listed {
            object: "list",
            data: models,
        })
    })
    .await
}

pub(super) async fn one(request: HttpRequest, model: Path<String>, gateway: Data<Gateway>) -> HttpResponse {
    answer(&request, &gateway, |caller| {
        let found = allowed(caller).find(|candidate| candidate.name.as_str() == *model);
        let found = found.ok_or_else(|| Refusal::ModelNotFound {
            model: model.as_str().to_owned(),
        })?;
        to_json(&entry(found))
    })
    .await
}

async fn answer(
    request: &HttpRequest,
    gateway: &Gateway,
    content: impl FnOnce(&Caller) -> Result<Vec<u8>, Refusal>,
) -> HttpResponse {
    let started = Instant::now();
    let parts = &*gateway.parts;
    let caller = authenticate(&parts.published, &parts.key_lookup, secret(request), chrono::Utc::now()).await;
    let reply = match caller.and_then(|caller| content(&caller)) {
        Ok(body) => Reply::plain(body, started.elapsed()),
        Err(refusal) => {
            parts.metrics.rejected();
            Reply::stranger(&refusal, started.elapsed())
        }
    };
    outbound::send(reply)
}

fn allowed(caller: &Caller) -> impl Iterator<Item = &Model> {
    let models = caller.tenant.models.values();
    models
        .map(|model| &**model)
        .filter(|model| caller.key.allows(model.name.as_str()))
}

fn entry(model: &Model) -> Entry<'_> {
    let Route::Target(target) = &model.route;
    Entry {
        id: model.name.as_str(),
        object: "model",
        created: 0,
        owned_by: target.provider.name.as_str(),
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    Ok(serde_json::to_vec(value).expect("names and numbers always serialize"))
}
