//! What was used: requests one by one, and sums over time.

use gatewright_types::Page;
use gatewright_types::api::{UsageQuery, UsageRow, UsageSeries, UsageSeriesQuery};

use crate::access::Call;
use crate::endpoint::{Json, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<UsageQuery>) -> Result<Json<Page<UsageRow>>, ApiError> {
    Ok(Json(call.scope().usage(&query).await?))
}

pub(crate) async fn series(call: Call, Query(query): Query<UsageSeriesQuery>) -> Result<Json<UsageSeries>, ApiError> {
    if query.to <= query.from {
        return Err(ApiError::field("to", &"must be after from"));
    }
    Ok(Json(call.scope().usage_series(&query).await?))
}
