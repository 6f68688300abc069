//! The audit log, for reading; writing it is part of every change.

use gatewright_types::Page;
use gatewright_types::api::{AuditEntry, AuditQuery};

use crate::access::Call;
use crate::endpoint::{Json, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<AuditQuery>) -> Result<Json<Page<AuditEntry>>, ApiError> {
    Ok(Json(call.scope().audit(&query).await?))
}
