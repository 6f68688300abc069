//! Pricing requests anew. Their rows stay as they are; what they come to beside that is added in the background.

use chrono::{DateTime, Utc};
use gatewright_store::RepriceRange;
use gatewright_types::api::{NewReprice, Reprice, RepriceState};
use gatewright_types::{Page, PageQuery, RepriceId};
use serde_json::json;

use super::reason::check_reason;
use crate::access::Call;
use crate::endpoint::{Json, Path, Query};
use crate::error::ApiError;
use crate::ledger::repricing::{RepriceError, told};

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Reprice>>, ApiError> {
    Ok(Json(call.scope().reprices(&query).await?))
}

pub(crate) async fn read(call: Call, Path(id): Path<RepriceId>) -> Result<Json<Reprice>, ApiError> {
    let run = call.scope().reprice(id).await?;
    run.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn create(call: Call, Json(new): Json<NewReprice>) -> Result<Json<Reprice>, ApiError> {
    check(&new)?;
    match new.dry_run {
        true => dry_run(&call, new).await.map(Json),
        false => begin(&call, new).await.map(Json),
    }
}

async fn dry_run(call: &Call, new: NewReprice) -> Result<Reprice, ApiError> {
    let range = RepriceRange {
        from: new.from,
        to: new.to,
        provider: new.provider.clone(),
        model: new.model.clone(),
    };
    let created_at = Utc::now();
    let sums = told(&call.control, call.organization.id, &range, new.priced_at).await;
    let sums = sums.map_err(|error| match error {
        RepriceError::DoesNotCompile(problems) => ApiError::from_problems(&problems),
        RepriceError::Database(error) => error.into(),
    })?;
    Ok(Reprice {
        id: None,
        state: RepriceState::DryRun,
        from: new.from,
        to: new.to,
        provider: new.provider,
        model: new.model,
        priced_at: new.priced_at,
        reason: new.reason,
        created_at,
        created_by: call.actor.label.clone(),
        looked_up_to: Some(new.to),
        sums,
        finished_at: Some(Utc::now()),
        failure: None,
    })
}

async fn begin(call: &Call, new: NewReprice) -> Result<Reprice, ApiError> {
    let (organization, id) = (call.organization.id, RepriceId::mint());
    let audited = call.change("reprice.create", id, json!(new));
    let begun = call.write(audited, async |tx| {
        let revision = tx.organization(organization).price_revision().await?;
        tx.create_reprice(organization, id, &new, revision).await
    });
    begun.await
}

fn check(new: &NewReprice) -> Result<(), ApiError> {
    let now = Utc::now();
    if new.from < DateTime::UNIX_EPOCH {
        return Err(ApiError::field("from", &"must be after 1970"));
    }
    if new.to <= new.from {
        return Err(ApiError::field("to", &"must be after from"));
    }
    // Requests that come in later are priced by the nodes.
    if new.to > now {
        return Err(ApiError::field("to", &"must not be in the future"));
    }
    if new.priced_at.is_some_and(|at| at > now) {
        return Err(ApiError::field("priced_at", &"must not be in the future"));
    }
    check_reason(&new.reason)
}
