//! An organization's own prices, and which price applies: the own one before the catalogue's, as on the data plane.

use chrono::Utc;
use gatewright_types::api::{Lifecycle, NewPrice, Price, PriceLookup, PriceQuery, PriceSource, price_problem};
use gatewright_types::{Page, PageQuery, PriceId, Slug, UpstreamModel};
use serde_json::json;

use super::catalog;
use crate::access::Call;
use crate::catalog::View;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Price>>, ApiError> {
    Ok(Json(call.scope().prices(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewPrice>) -> Result<Created<Price>, ApiError> {
    if let Some((field, problem)) = price_problem(&new.rates, &new.tiers, &new.service_tiers) {
        return Err(ApiError::field(&field, &problem));
    }
    if call.scope().provider_by_name(&new.provider).await?.is_none() {
        return Err(ApiError::field("provider", &"there is no provider of this name"));
    }
    let (organization, id) = (call.organization.id, PriceId::mint());
    let detail = json!({
        "provider": new.provider, "model": new.model, "rates": new.rates, "tiers": new.tiers,
        "service_tiers": new.service_tiers, "effective_from": new.effective_from,
    });
    let audited = call.change("price.create", id, detail);
    Ok(Created(
        call.write(audited, async |tx| tx.create_price(organization, id, &new).await)
            .await?,
    ))
}

pub(crate) async fn delete(call: Call, Path(price): Path<PriceId>) -> Result<NoContent, ApiError> {
    let there = call.scope().price(price).await?.ok_or(ApiError::NotFound)?;
    let organization = call.organization.id;
    let detail = json!({"provider": there.provider, "model": there.model, "rates": there.rates});
    let audited = call.change("price.delete", price, detail);
    call.write(audited, async |tx| tx.delete_price(organization, price).await)
        .await?;
    Ok(NoContent)
}

pub(crate) async fn lookup(call: Call, Query(query): Query<PriceQuery>) -> Result<Json<PriceLookup>, ApiError> {
    let view = catalog::view(&call).await?;
    Ok(Json(find(&call, &view, &query.provider, &query.model).await?.0))
}

/// The price of a model at a provider now, and where the model is in its life.
pub(super) async fn find(
    call: &Call,
    view: &View,
    provider: &Slug,
    model: &UpstreamModel,
) -> Result<(PriceLookup, Option<Lifecycle>), ApiError> {
    let now = Utc::now();
    let kind = call
        .scope()
        .provider_by_name(provider)
        .await?
        .map(|provider| provider.kind);
    let name = kind.map_or(model, |kind| view.own.name(kind, model));
    let lifecycle = kind.and_then(|kind| view.lifecycle(kind, name));
    let mut own = call.scope().prices_of(provider, model).await?;
    if own.is_empty() && name != model {
        own = call.scope().prices_of(provider, name).await?;
    }
    if let Some(price) = own.into_iter().find(|price| price.effective_from <= now) {
        let version = Some(price.id.to_string());
        let lookup = PriceLookup {
            rates: Some(price.rates),
            source: PriceSource::Organization,
            version,
        };
        return Ok((lookup, lifecycle));
    }
    let listed = kind.and_then(|kind| view.catalog.lookup(kind, name.as_str(), now));
    let lookup = match listed {
        Some(price) => PriceLookup {
            rates: Some(price.rates().clone()),
            source: PriceSource::Catalogue,
            version: Some(price.version.to_string()),
        },
        None => PriceLookup {
            rates: None,
            source: PriceSource::None,
            version: None,
        },
    };
    Ok((lookup, lifecycle))
}
