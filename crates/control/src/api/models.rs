//! Models: names, routes, and the price each has now or does not have.

use gatewright_store::ModelRow;
use gatewright_types::api::{Model, ModelChange, NewModel, PriceState};
use gatewright_types::{ModelId, Page, PageQuery};
use serde_json::json;

use super::{catalog, prices};
use crate::access::Call;
use crate::catalog::View;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Model>>, ApiError> {
    let Page {
        items: rows,
        next_cursor,
    } = call.scope().models(&query).await?;
    let view = catalog::view(&call).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(known(&call, &view, row).await?);
    }
    Ok(Json(Page { items, next_cursor }))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewModel>) -> Result<Created<Model>, ApiError> {
    let (organization, id) = (call.organization.id, ModelId::mint());
    let detail = json!({"name": new.name, "route": new.route, "settings": new.settings});
    let audited = call.change("model.create", id, detail);
    let row = call
        .write(audited, async |tx| tx.create_model(organization, id, &new).await)
        .await?;
    known(&call, &catalog::view(&call).await?, row).await.map(Created)
}

pub(crate) async fn read(call: Call, Path(model): Path<ModelId>) -> Result<Json<Model>, ApiError> {
    let row = call.scope().model(model).await?.ok_or(ApiError::NotFound)?;
    known(&call, &catalog::view(&call).await?, row).await.map(Json)
}

pub(crate) async fn update(
    call: Call,
    Path(model): Path<ModelId>,
    Json(change): Json<ModelChange>,
) -> Result<Json<Model>, ApiError> {
    let organization = call.organization.id;
    let detail = json!({"route": change.route, "settings": change.settings});
    let audited = call.change("model.update", model, detail);
    let row = call
        .write(audited, async |tx| tx.change_model(organization, model, &change).await)
        .await?;
    known(&call, &catalog::view(&call).await?, row).await.map(Json)
}

pub(crate) async fn delete(call: Call, Path(model): Path<ModelId>) -> Result<NoContent, ApiError> {
    let row = call.scope().model(model).await?.ok_or(ApiError::NotFound)?;
    let organization = call.organization.id;
    let audited = call.change("model.delete", model, json!({"name": row.name}));
    call.write(audited, async |tx| tx.delete_model(organization, model).await)
        .await?;
    Ok(NoContent)
}

async fn known(call: &Call, view: &View, row: ModelRow) -> Result<Model, ApiError> {
    let ModelRow {
        id,
        name,
        route,
        settings,
        created_at,
    } = row;
    let targets = route.targets();
    let first = targets.first().map(|(_, first)| &first.target);
    let (price, lifecycle) = match first {
        Some(target) => {
            let (found, lifecycle) = prices::find(call, view, &target.provider, &target.model).await?;
            match (found.rates, found.version) {
                (Some(rates), Some(version)) => (PriceState::Priced { rates, version }, lifecycle),
                _ => (PriceState::Unpriced, lifecycle),
            }
        }
        None => (PriceState::Unpriced, None),
    };
    Ok(Model {
        id,
        name,
        route,
        settings,
        price,
        lifecycle,
        created_at,
    })
}
