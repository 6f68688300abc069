//! An organization's own facts of models, laid over the catalogue.

use gatewright_types::api::{ModelFacts, NewOverlay, Overlay, OverlayChange};
use gatewright_types::{OverlayId, Page, PageQuery};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Overlay>>, ApiError> {
    Ok(Json(call.scope().overlays(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewOverlay>) -> Result<Created<Overlay>, ApiError> {
    check(&new.facts)?;
    let (organization, id) = (call.organization.id, OverlayId::mint());
    let detail = json!({"kind": new.kind, "model": new.model, "facts": new.facts});
    let audited = call.change("overlay.create", id, detail);
    let made = call
        .write(audited, async |tx| tx.create_overlay(organization, id, &new).await)
        .await?;
    Ok(Created(made))
}

pub(crate) async fn read(call: Call, Path(overlay): Path<OverlayId>) -> Result<Json<Overlay>, ApiError> {
    call.scope().overlay(overlay).await?.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn update(
    call: Call,
    Path(overlay): Path<OverlayId>,
    Json(change): Json<OverlayChange>,
) -> Result<Json<Overlay>, ApiError> {
    check(&change.facts)?;
    let organization = call.organization.id;
    let audited = call.change("overlay.update", overlay, json!({"facts": change.facts}));
    let changed = call
        .write(audited, async |tx| {
            tx.change_overlay(organization, overlay, &change.facts).await
        })
        .await?;
    Ok(Json(changed))
}

pub(crate) async fn delete(call: Call, Path(overlay): Path<OverlayId>) -> Result<NoContent, ApiError> {
    let there = call.scope().overlay(overlay).await?.ok_or(ApiError::NotFound)?;
    let organization = call.organization.id;
    let detail = json!({"kind": there.kind, "model": there.model, "facts": there.facts});
    let audited = call.change("overlay.delete", overlay, detail);
    call.write(audited, async |tx| tx.delete_overlay(organization, overlay).await)
        .await?;
    Ok(NoContent)
}

fn check(facts: &ModelFacts) -> Result<(), ApiError> {
    match facts.problem() {
        None => Ok(()),
        Some(("", message)) => Err(ApiError::field("facts", &message)),
        Some((field, message)) => Err(ApiError::field(&format!("facts.{field}"), &message)),
    }
}
