//! The catalogue: what is known of models, and refreshes of it, which only those decide on who run the installation.

use chrono::Utc;
use gatewright_contract::diff;
use gatewright_store::CatalogRefreshInsert;
use gatewright_types::api::{
    CatalogEntry, CatalogEntryQuery, CatalogQuery, CatalogRefresh, CatalogRefreshDetail, NewRefresh, RefreshState,
};
use gatewright_types::{CatalogRefreshId, Page, PageQuery};
use serde_json::json;

use crate::access::{Call, Known};
use crate::catalog::{Received, View, receive};
use crate::endpoint::{Created, Json, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(
    known: Known,
    Query(query): Query<CatalogQuery>,
) -> Result<Json<Page<CatalogEntry>>, ApiError> {
    plain(&known).await?.list(&query).map(Json)
}

pub(crate) async fn entry(
    known: Known,
    Query(query): Query<CatalogEntryQuery>,
) -> Result<Json<CatalogEntry>, ApiError> {
    found(&plain(&known).await?, &query)
}

pub(crate) async fn list_own(
    call: Call,
    Query(query): Query<CatalogQuery>,
) -> Result<Json<Page<CatalogEntry>>, ApiError> {
    view(&call).await?.list(&query).map(Json)
}

pub(crate) async fn entry_own(
    call: Call,
    Query(query): Query<CatalogEntryQuery>,
) -> Result<Json<CatalogEntry>, ApiError> {
    found(&view(&call).await?, &query)
}

pub(crate) async fn refreshes(
    call: Call,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<CatalogRefresh>>, ApiError> {
    Ok(Json(call.control.db.system().catalog_refreshes(&query).await?))
}

/// Brings a catalogue in. Nothing changes before it is approved.
pub(crate) async fn bring_in(
    call: Call,
    Json(new): Json<NewRefresh>,
) -> Result<Created<CatalogRefreshDetail>, ApiError> {
    let control = &call.control;
    let received = receive(&control.settings.catalog_keys, &control.catalog_fetcher, new).await?;
    let Received {
        edition,
        version,
        origin,
        text,
    } = received;
    // Before the catalogue is read, so that an approval in between is noticed.
    let based_on = control.db.system().approved_catalog().await?;
    let in_force = control.catalog().await?;
    let refresh = CatalogRefreshInsert {
        id: CatalogRefreshId::mint(),
        effective_from: edition.effective_from(),
        diff: diff(&in_force, &edition, edition.effective_from().max(Utc::now())),
        based_on,
        document: text,
        version,
        origin,
        created_by: call.actor.label.clone(),
    };
    let detail = json!({"version": refresh.version, "origin": refresh.origin, "counts": refresh.diff.counts()});
    let audited = call.change("catalog.bring_in", refresh.id, detail);
    let made = call
        .write(audited, async |tx| tx.create_catalog_refresh(refresh).await)
        .await?;
    Ok(Created(made))
}

pub(crate) async fn refresh(
    call: Call,
    Path(refresh): Path<CatalogRefreshId>,
) -> Result<Json<CatalogRefreshDetail>, ApiError> {
    there(&call, refresh).await.map(Json)
}

/// Puts it in force on all nodes. Approving it again changes nothing.
pub(crate) async fn approve(
    call: Call,
    Path(refresh): Path<CatalogRefreshId>,
) -> Result<Json<CatalogRefreshDetail>, ApiError> {
    let detail = there(&call, refresh).await?;
    if detail.refresh.state == RefreshState::Approved {
        return Ok(Json(detail));
    }
    let (audited, by) = (decision(&call, "catalog.approve", &detail), call.actor.label.clone());
    let approved = call
        .write(audited, async |tx| tx.approve_catalog_refresh(refresh, &by).await)
        .await?;
    Ok(Json(approved))
}

pub(crate) async fn reject(
    call: Call,
    Path(refresh): Path<CatalogRefreshId>,
) -> Result<Json<CatalogRefreshDetail>, ApiError> {
    let detail = there(&call, refresh).await?;
    if detail.refresh.state == RefreshState::Rejected {
        return Ok(Json(detail));
    }
    let (audited, by) = (decision(&call, "catalog.reject", &detail), call.actor.label.clone());
    let rejected = call
        .write(audited, async |tx| tx.reject_catalog_refresh(refresh, &by).await)
        .await?;
    Ok(Json(rejected))
}

/// The catalogue as the organization sees it.
pub(super) async fn view(call: &Call) -> Result<View, ApiError> {
    let catalog = call.control.catalog().await?;
    Ok(View::of(&call.scope(), catalog, Utc::now()).await?)
}

async fn plain(known: &Known) -> Result<View, ApiError> {
    Ok(View::plain(known.control.catalog().await?, Utc::now()))
}

fn found(view: &View, query: &CatalogEntryQuery) -> Result<Json<CatalogEntry>, ApiError> {
    view.entry(query.kind, &query.model).map(Json).ok_or(ApiError::NotFound)
}

async fn there(call: &Call, refresh: CatalogRefreshId) -> Result<CatalogRefreshDetail, ApiError> {
    let found = call.control.db.system().catalog_refresh(refresh).await?;
    found.ok_or(ApiError::NotFound)
}

fn decision(call: &Call, action: &'static str, detail: &CatalogRefreshDetail) -> gatewright_store::Change {
    let CatalogRefresh {
        id, version, counts, ..
    } = &detail.refresh;
    call.change(action, id, json!({"version": version, "counts": counts}))
}
