//! Limits of requests and tokens.

use gatewright_types::api::{LimitScopeQuery, NewRateLimit, RateLimit, RateLimitChange};
use gatewright_types::{LimitId, Page};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<LimitScopeQuery>) -> Result<Json<Page<RateLimit>>, ApiError> {
    Ok(Json(call.scope().limits(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewRateLimit>) -> Result<Created<RateLimit>, ApiError> {
    let (organization, id) = (call.organization.id, LimitId::mint());
    let audited = call.change("limit.create", id, json!(new));
    Ok(Created(
        call.write(audited, async |tx| tx.create_limit(organization, id, &new).await)
            .await?,
    ))
}

pub(crate) async fn read(call: Call, Path(limit): Path<LimitId>) -> Result<Json<RateLimit>, ApiError> {
    call.scope().limit(limit).await?.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn update(
    call: Call,
    Path(limit): Path<LimitId>,
    Json(change): Json<RateLimitChange>,
) -> Result<Json<RateLimit>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("limit.update", limit, json!(change));
    Ok(Json(
        call.write(audited, async |tx| tx.change_limit(organization, limit, &change).await)
            .await?,
    ))
}

pub(crate) async fn delete(call: Call, Path(limit): Path<LimitId>) -> Result<NoContent, ApiError> {
    let there = call.scope().limit(limit).await?.ok_or(ApiError::NotFound)?;
    let organization = call.organization.id;
    let audited = call.change("limit.delete", limit, json!({"scope": there.scope}));
    call.write(audited, async |tx| tx.delete_limit(organization, limit).await)
        .await?;
    Ok(NoContent)
}
