//! Answers that are kept: voiding them.

use gatewright_types::api::{CachePurge, NewCachePurge};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Created, Json};
use crate::error::ApiError;

pub(crate) async fn purge(call: Call, Json(new): Json<NewCachePurge>) -> Result<Created<CachePurge>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("cache.purge", organization, json!({"of": new.of}));
    let purge = call
        .write(audited, async |tx| tx.purge_cache(organization, new.of.clone()).await)
        .await?;
    Ok(Created(purge))
}
