//! `GET /v1/models` and `/v1beta/models`: the models a key may call, in the shape of the dialect that asks.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use gatewright_contract::{Caller, Model, UpstreamTarget};
use gatewright_llm::{Catalog, CatalogModel};
use gatewright_types::api::{Capability, Dialect, KeyEndpoint};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::outbound;
use super::serve::presented;
use super::unserved::dialect_of;
use crate::authenticate::authenticate;
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) async fn list(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    let dialect = dialect_of(&request);
    answer(&request, &gateway, dialect, |known| Ok(all(dialect, known))).await
}

pub(super) async fn list_for_gemini(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    let dialect = Dialect::GeminiGenerate;
    answer(&request, &gateway, dialect, |known| Ok(all(dialect, known))).await
}

pub(super) async fn one(request: HttpRequest, model: Path<String>, gateway: Data<Gateway>) -> HttpResponse {
    let dialect = dialect_of(&request);
    answer(&request, &gateway, dialect, |known| found(dialect, known, &model)).await
}

pub(super) async fn one_for_gemini(request: HttpRequest, model: Path<String>, gateway: Data<Gateway>) -> HttpResponse {
    let dialect = Dialect::GeminiGenerate;
    answer(&request, &gateway, dialect, |known| found(dialect, known, &model)).await
}

/// What may be told to a caller.
struct Known<'a> {
    caller: &'a Caller,
    catalog: &'a Catalog,
    now: DateTime<Utc>,
}

async fn answer(
    request: &HttpRequest,
    gateway: &Gateway,
    dialect: Dialect,
    content: impl FnOnce(&Known<'_>) -> Result<Value, Refusal>,
) -> HttpResponse {
    let started = Instant::now();
    let parts = &*gateway.parts;
    let (catalog, now) = (gateway.catalog(), Utc::now());
    let caller = authenticate(parts, presented(request, gateway, KeyEndpoint::Models), now).await;
    let told = caller.and_then(|caller| {
        content(&Known {
            caller: &caller,
            catalog: &catalog,
            now,
        })
    });
    let reply = match told {
        Ok(body) => Reply::plain(body.to_string().into_bytes(), dialect, started.elapsed()),
        Err(refusal) => {
            parts.metrics.rejected();
            Reply::stranger(&refusal, dialect, started.elapsed())
        }
    };
    outbound::send(reply)
}

impl Known<'_> {
    fn models(&self) -> Vec<&Model> {
        let models = self.caller.tenant.models.values().map(|model| &**model);
        let mut allowed: Vec<_> = models
            .filter(|model| self.caller.key.allows(model.name.as_str()) && self.reaches(model))
            .collect();
        allowed.sort_by(|one, other| one.name.cmp(&other.name));
        allowed
    }

    /// Whether the key may reach a target of it.
    fn reaches(&self, model: &Model) -> bool {
        let key = &self.caller.key;
        let open = |target: &&Arc<UpstreamTarget>| key.barred(target, self.catalog, self.now).is_none();
        !key.limits_targets() || model.route.targets().iter().any(open)
    }

    fn facts(&self, model: &Model) -> Option<CatalogModel> {
        first_target(model)?.facts(self.catalog, self.now)
    }
}

/// What is told of a model is told of the first target its route names.
fn first_target(model: &Model) -> Option<&UpstreamTarget> {
    model.route.targets().first().map(|target| &***target)
}

fn all(dialect: Dialect, known: &Known<'_>) -> Value {
    let entries: Vec<_> = known
        .models()
        .into_iter()
        .map(|model| entry(dialect, known, model))
        .collect();
    match dialect {
        Dialect::AnthropicMessages => {
            let id = |entry: Option<&Value>| entry.map(|entry| entry["id"].clone());
            json!({
                "first_id": id(entries.first()), "last_id": id(entries.last()), "has_more": false, "data": entries,
            })
        }
        Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed => json!({ "models": entries }),
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::Native(_) => {
            json!({ "object": "list", "data": entries })
        }
    }
}

fn found(dialect: Dialect, known: &Known<'_>, name: &str) -> Result<Value, Refusal> {
    let models = known.models();
    let model = models.into_iter().find(|model| model.name.as_str() == name);
    let model = model.ok_or_else(|| Refusal::ModelNotFound { model: name.to_owned() })?;
    Ok(entry(dialect, known, model))
}

/// What Google calls the uses of a model. Of one that nobody knows, those of most.
fn methods(facts: Option<&CatalogModel>) -> Vec<&'static str> {
    const CONVERSES: [&str; 3] = ["generateContent", "streamGenerateContent", "countTokens"];
    const EMBEDS: [&str; 2] = ["embedContent", "batchEmbedContents"];
    match facts {
        Some(facts) if facts.capabilities.contains(Capability::Embeddings) => EMBEDS.to_vec(),
        Some(_) | None => CONVERSES.to_vec(),
    }
}

/// When a model was made is nothing a caller needs to know, but clients want a time to be there.
fn entry(dialect: Dialect, known: &Known<'_>, model: &Model) -> Value {
    let facts = known.facts(model);
    let context = facts.as_ref().and_then(|facts| facts.context);
    let longest = facts.as_ref().and_then(|facts| facts.max_output);
    let name = model.name.as_str();
    let mut entry = match dialect {
        Dialect::AnthropicMessages => json!({
            "type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z",
            "max_input_tokens": context, "max_tokens": longest,
        }),
        Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed => json!({
            "name": format!("models/{name}"), "displayName": name,
            "inputTokenLimit": context, "outputTokenLimit": longest,
            "supportedGenerationMethods": methods(facts.as_ref()),
        }),
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::Native(_) => {
            let target = first_target(model);
            let price = target.and_then(|target| target.price(known.catalog, known.now));
            json!({
                "id": name, "object": "model", "created": 0, "owned_by": target.map(|target| target.provider.name.as_str()),
                "context_length": context, "max_output_tokens": longest,
                "pricing": price.as_ref().map(|price| price.rates()),
                "capabilities": facts.as_ref().map(|facts| facts.capabilities.to_set()),
                "deprecated_on": facts.as_ref().and_then(|facts| facts.deprecated_on),
                "sunset_on": facts.as_ref().and_then(|facts| facts.sunset_on),
            })
        }
    };
    if let Value::Object(members) = &mut entry {
        // What is not known is left out.
        members.retain(|_, value| !value.is_null());
    }
    entry
}
