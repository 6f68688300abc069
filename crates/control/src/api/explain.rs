//! What would become of a request, and what is wrong with a model that is not saved. Nobody is called and nothing is kept.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{Caller, CompileProblem, KeyEntry, ModelUnit, Tenant, UnitBody, UnitId, compile};
use gatewright_routing::{Health, Logged, Sampling, explain, explain_again};
use gatewright_store::Scope;
use gatewright_types::api::{
    ExplainRequest, ExplainedRequest, Explanation, Key, KeyOwner, ModelCheck, ModelDraft, ModelProblem, ModelSettings,
    Route, SampleHealth, SampleRequest,
};
use gatewright_types::{KeyId, ModelId, ModelName, OrganizationId, RequestId};

use super::{catalog, targets};
use crate::access::Call;
use crate::configuration::UNNAMED_KEY;
use crate::endpoint::Json;
use crate::error::ApiError;

/// What a route without a name is tried under.
const DRAFT: &str = "draft";

pub(crate) async fn request(call: Call, Json(asked): Json<ExplainRequest>) -> Result<Json<Explanation>, ApiError> {
    let ExplainRequest { request, route, health } = asked;
    match request {
        ExplainedRequest::Sample(request) => sample(&call, *request, route, health).await,
        ExplainedRequest::Logged(request) => logged(&call, request, route, health).await,
    }
    .map(Json)
}

async fn sample(
    call: &Call,
    mut request: SampleRequest,
    route: Option<Route>,
    health: SampleHealth,
) -> Result<Explanation, ApiError> {
    if route.is_some() {
        let named = request.body.get("model").and_then(serde_json::Value::as_str);
        let named = named.and_then(|name| name.parse().ok());
        request.model = Some(request.model.clone().or(named).unwrap_or_else(draft_name));
    }
    let around = Around {
        caller: Caller {
            tenant: tenant(call, request.model.clone(), route).await?,
            key: Arc::new(key(call, &call.scope(), &request).await?),
        },
        now: request.at.unwrap_or_else(Utc::now),
        health,
    };
    around.sampling(call, |sampling| explain(sampling, &request)).await
}

/// A request that was made, whoever may see it in the log.
async fn logged(
    call: &Call,
    request: RequestId,
    route: Option<Route>,
    health: SampleHealth,
) -> Result<Explanation, ApiError> {
    let scope = call.scope();
    let row = scope.usage_row(request).await?.ok_or(ApiError::NotFound)?;
    let decision = scope.request_trace(request).await?;
    let name = row.model.as_deref().and_then(|name| name.parse().ok());
    let known = match row.key {
        Some(key) => scope.key(key).await?,
        None => None,
    };
    let key_is_gone = known.is_none();
    let organization = call.organization.id;
    let key = match known {
        Some(key) => entry_of(organization, key),
        None => KeyEntry {
            team: row.team,
            ..KeyEntry::new(organization, row.key.unwrap_or_else(unnamed_key))
        },
    };
    let around = Around {
        caller: Caller {
            tenant: tenant(call, name, route).await?,
            key: Arc::new(key),
        },
        now: row.started_at,
        health,
    };
    let logged = Logged {
        row: &row,
        decision: decision.as_ref(),
    };
    let mut explanation = around
        .sampling(call, |sampling| explain_again(sampling, logged))
        .await?;
    if key_is_gone {
        let lost = "its key, which is gone: here it may call everything";
        explanation.not_kept.push(lost.to_owned());
    }
    Ok(explanation)
}

/// What a request is explained by, besides itself.
struct Around {
    caller: Caller,
    now: DateTime<Utc>,
    health: SampleHealth,
}

impl Around {
    async fn sampling(
        self,
        call: &Call,
        explain: impl FnOnce(Sampling<'_>) -> Explanation,
    ) -> Result<Explanation, ApiError> {
        let health = match self.health {
            SampleHealth::Current => reported(call).await,
            SampleHealth::Ideal => None,
        };
        Ok(explain(Sampling {
            caller: &self.caller,
            catalog: &catalog::view(call).await?.catalog,
            now: self.now,
            health: health.as_ref(),
        }))
    }
}

/// The organization, where a route is given with that in the place of the model's.
async fn tenant(call: &Call, name: Option<ModelName>, route: Option<Route>) -> Result<Arc<Tenant>, ApiError> {
    let compiled = match route {
        Some(route) => {
            let draft = ModelDraft {
                name,
                route,
                settings: ModelSettings::default(),
            };
            with_draft(call, draft).await?.1
        }
        None => compile(call.organization.id, &call.scope().compiled_units().await?),
    };
    compiled
        .map(Arc::new)
        .map_err(|problems| ApiError::from_problems(&problems))
}

/// How targets do at this moment. When nodes cannot be asked, the answer says that it is without that.
async fn reported(call: &Call) -> Option<Health> {
    match targets::reports(call).await {
        Ok(reports) => Some(Health::reported(&reports, Utc::now())),
        Err(error) => {
            tracing::debug!(%error, "a sample is explained without what nodes see of targets");
            None
        }
    }
}

pub(crate) async fn check(call: Call, Json(draft): Json<ModelDraft>) -> Result<Json<ModelCheck>, ApiError> {
    let (unit, compiled) = with_draft(&call, draft).await?;
    let problems = compiled.err().unwrap_or_default();
    let own = problems.into_iter().filter(|problem| problem.unit == unit);
    let problems = own.map(|problem| ModelProblem {
        place: problem.field,
        message: problem.message,
    });
    Ok(Json(ModelCheck {
        problems: problems.collect(),
    }))
}

/// The organization as if the draft were saved.
async fn with_draft(call: &Call, draft: ModelDraft) -> Result<(UnitId, Result<Tenant, Vec<CompileProblem>>), ApiError> {
    let mut units = call.scope().compiled_units().await?;
    let name = draft.name.unwrap_or_else(draft_name);
    let saved = units.iter().find_map(|(unit, body)| match body {
        UnitBody::Model(model) if model.name == name => Some((*unit, model)),
        _ => None,
    });
    // In another route than the one that is saved canaries begin.
    let unchanged = saved.filter(|(_, model)| model.route == draft.route);
    let canaries = unchanged.map(|(_, model)| model.canaries.clone()).unwrap_or_default();
    let unit = saved.map_or_else(|| UnitId::Model(ModelId::mint()), |(unit, _)| unit);
    let body = ModelUnit {
        name,
        route: draft.route,
        canaries,
        settings: draft.settings,
    };
    units.insert(unit, UnitBody::Model(body));
    Ok((unit, compile(call.organization.id, &units)))
}

/// The key that is named, or one that may call everything.
async fn key(call: &Call, scope: &Scope<'_>, request: &SampleRequest) -> Result<KeyEntry, ApiError> {
    let organization = call.organization.id;
    if let Some(name) = &request.key {
        let found = scope.key_by_name(name).await?;
        let missing = || ApiError::field("request.key", &format!("there is no active key named {name}"));
        return Ok(entry_of(organization, found.ok_or_else(missing)?));
    }
    let team = match &request.team {
        Some(name) => {
            let missing = || ApiError::field("request.team", &format!("there is no team named {name}"));
            Some(scope.team_by_name(name).await?.ok_or_else(missing)?.id)
        }
        None => None,
    };
    Ok(KeyEntry {
        team,
        ..KeyEntry::new(organization, unnamed_key())
    })
}

fn entry_of(organization: OrganizationId, key: Key) -> KeyEntry {
    KeyEntry {
        name: Some(key.name),
        team: key.team,
        models: key.models.map(Vec::into_boxed_slice),
        expires_at: key.expires_at,
        owner: key.owner.and_then(KeyOwner::person),
        tags: (!key.tags.is_empty()).then(|| Box::new(key.tags)),
        ..KeyEntry::new(organization, key.id)
    }
    .with_scopes(key.scopes)
}

fn unnamed_key() -> KeyId {
    UNNAMED_KEY.parse().expect("written as keys' identifiers are")
}

fn draft_name() -> ModelName {
    DRAFT.parse().expect("written as models' names are")
}
