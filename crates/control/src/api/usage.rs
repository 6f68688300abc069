//! What was used: requests one by one, and sums over time.

use gatewright_types::api::{Decision, UsageQuery, UsageRow, UsageSeries, UsageSeriesQuery};
use gatewright_types::{Page, RequestId};

use crate::access::Call;
use crate::endpoint::{Json, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<UsageQuery>) -> Result<Json<Page<UsageRow>>, ApiError> {
    Ok(Json(call.scope().usage(&query).await?))
}

pub(crate) async fn read(call: Call, Path(request): Path<RequestId>) -> Result<Json<UsageRow>, ApiError> {
    let row = call.scope().usage_row(request).await?;
    row.map(Json).ok_or(ApiError::NotFound)
}

/// There is none of most requests: `traces` of the organization says whose are kept.
pub(crate) async fn trace(call: Call, Path(request): Path<RequestId>) -> Result<Json<Decision>, ApiError> {
    let decision = call.scope().request_trace(request).await?;
    decision.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn series(call: Call, Query(query): Query<UsageSeriesQuery>) -> Result<Json<UsageSeries>, ApiError> {
    if query.to <= query.from {
        return Err(ApiError::field("to", &"must be after from"));
    }
    Ok(Json(call.scope().usage_series(&query).await?))
}
