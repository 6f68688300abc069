//! What would become of a request, and what is wrong with a model that is not saved. Nobody is called and nothing is kept.

use std::sync::Arc;

use chrono::Utc;
use gatewright_contract::{Caller, CompileProblem, KeyEntry, ModelUnit, Tenant, UnitBody, UnitId, compile};
use gatewright_routing::{Health, Sampling, explain};
use gatewright_store::Scope;
use gatewright_types::api::{
    ExplainRequest, Explanation, KeyOwner, ModelCheck, ModelDraft, ModelProblem, ModelSettings, SampleHealth,
    SampleRequest,
};
use gatewright_types::{KeyId, ModelId, ModelName};

use super::{catalog, targets};
use crate::access::Call;
use crate::configuration::UNNAMED_KEY;
use crate::endpoint::Json;
use crate::error::ApiError;

/// What a route without a name is tried under.
const DRAFT: &str = "draft";

pub(crate) async fn sample(call: Call, Json(asked): Json<ExplainRequest>) -> Result<Json<Explanation>, ApiError> {
    let ExplainRequest {
        mut request,
        route,
        health,
    } = asked;
    let tenant = match route {
        Some(route) => {
            let named = request.body.get("model").and_then(serde_json::Value::as_str);
            let named = named.and_then(|name| name.parse().ok());
            let name = request.model.clone().or(named).unwrap_or_else(draft_name);
            request.model = Some(name.clone());
            let draft = ModelDraft {
                name: Some(name),
                route,
                settings: ModelSettings::default(),
            };
            let (_, compiled) = with_draft(&call, draft).await?;
            compiled.map_err(|problems| ApiError::from_problems(&problems))?
        }
        None => {
            let units = call.scope().compiled_units().await?;
            compile(call.organization.id, &units).map_err(|problems| ApiError::from_problems(&problems))?
        }
    };
    let now = request.at.unwrap_or_else(Utc::now);
    let caller = Caller {
        tenant: Arc::new(tenant),
        key: Arc::new(key(&call, &call.scope(), &request).await?),
    };
    let health = match health {
        SampleHealth::Current => reported(&call).await,
        SampleHealth::Ideal => None,
    };
    let sampling = Sampling {
        caller: &caller,
        catalog: &catalog::view(&call).await?.catalog,
        now,
        health: health.as_ref(),
    };
    Ok(Json(explain(sampling, &request)))
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
        let key = found.ok_or_else(missing)?;
        return Ok(KeyEntry {
            name: Some(key.name),
            team: key.team,
            models: key.models.map(Vec::into_boxed_slice),
            expires_at: key.expires_at,
            owner: key.owner.and_then(KeyOwner::person),
            tags: (!key.tags.is_empty()).then(|| Box::new(key.tags)),
            ..KeyEntry::new(organization, key.id)
        }
        .with_scopes(key.scopes));
    }
    let team = match &request.team {
        Some(name) => {
            let missing = || ApiError::field("request.team", &format!("there is no team named {name}"));
            Some(scope.team_by_name(name).await?.ok_or_else(missing)?.id)
        }
        None => None,
    };
    let id = UNNAMED_KEY.parse::<KeyId>().expect("written as keys' identifiers are");
    Ok(KeyEntry {
        team,
        ..KeyEntry::new(organization, id)
    })
}

fn draft_name() -> ModelName {
    DRAFT.parse().expect("written as models' names are")
}
