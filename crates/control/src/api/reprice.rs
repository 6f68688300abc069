//! Pricing requests anew. Their rows stay as they are; what they come to beside that is added in the background.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_types::api::{NewReprice, Reprice};
use gatewright_types::{Page, PageQuery, RepriceId};
use serde_json::json;

use super::reason::check_reason;
use crate::access::Call;
use crate::endpoint::{Json, Path, Query};
use crate::error::ApiError;

/// A browser's clock may be ahead.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(30);

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Reprice>>, ApiError> {
    Ok(Json(call.scope().reprices(&query).await?))
}

pub(crate) async fn read(call: Call, Path(id): Path<RepriceId>) -> Result<Json<Reprice>, ApiError> {
    let run = call.scope().reprice(id).await?;
    run.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn create(call: Call, Json(new): Json<NewReprice>) -> Result<Json<Reprice>, ApiError> {
    check(&new)?;
    let (organization, id) = (call.organization.id, RepriceId::mint());
    let action = if new.dry_run {
        "reprice.dry_run"
    } else {
        "reprice.create"
    };
    let audited = call.change(action, id, json!(new));
    let begun = call.write(audited, async |tx| {
        let revision = tx.organization(organization).price_revision().await?;
        tx.create_reprice(organization, id, &new, revision).await
    });
    begun.await.map(Json)
}

pub(crate) async fn cancel(call: Call, Path(id): Path<RepriceId>) -> Result<Json<Reprice>, ApiError> {
    let organization = call.organization.id;
    if call.scope().reprice(id).await?.is_none() {
        return Err(ApiError::NotFound);
    }
    let audited = call.change("reprice.cancel", id, json!({}));
    call.write(audited, async |tx| tx.cancel_reprice(organization, id).await)
        .await?;
    let run = call.scope().reprice(id).await?;
    run.map(Json).ok_or(ApiError::NotFound)
}

fn check(new: &NewReprice) -> Result<(), ApiError> {
    let latest = Utc::now() + CLOCKS_APART;
    if new.from < DateTime::UNIX_EPOCH {
        return Err(ApiError::field("from", &"must be after 1970"));
    }
    if new.to <= new.from {
        return Err(ApiError::field("to", &"must be after from"));
    }
    // Requests that come in later are priced by the nodes.
    if new.to > latest {
        return Err(ApiError::field("to", &"must not be in the future"));
    }
    if new.dry_run && new.as_told_by.is_some() {
        return Err(ApiError::field("as_told_by", &"is for a run, not for a dry run"));
    }
    if new.priced_at.is_some_and(|at| at > latest) {
        return Err(ApiError::field("priced_at", &"must not be in the future"));
    }
    check_reason(&new.reason)
}
