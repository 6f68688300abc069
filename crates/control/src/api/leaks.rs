//! Secrets of keys that somebody found in public. Whoever has a secret may shut it; nobody learns whether there was one.

use chrono::Utc;
use gatewright_contract::{Digest, is_minted_key};
use gatewright_store::{Change, WriteError};
use gatewright_types::api::NewLeak;
use serde_json::json;

use crate::access::Visit;
use crate::endpoint::{Json, NoContent};
use crate::error::ApiError;
use crate::refusals::{StrangerBudget, stranger};

/// What has the form of our keys is answered alike, whether or not it opened something.
pub(crate) async fn report(visit: Visit, Json(leak): Json<NewLeak>) -> Result<NoContent, ApiError> {
    let control = &visit.control;
    if !control.leaks.take(Utc::now()) {
        return Err(ApiError::TooMany(StrangerBudget::window()));
    }
    if !is_minted_key(&leak.secret) {
        let message = "is no key's secret of this gateway: it begins with gw- and has 46 characters behind that, the last \
                       six of which are a checksum";
        return Err(ApiError::field("secret", &message));
    }
    let digest = Digest::of(leak.secret.as_bytes());
    let Some(leaked) = control.db.system().key_of_secret(&digest).await? else {
        return Ok(NoContent);
    };
    let detail = json!({"former": leaked.is_former});
    let audited = Change::new(leaked.organization, "key.leak", leaked.id, detail);
    let actor = stranger(&visit.facts);
    match control
        .write(&actor, audited, async |tx| tx.shut_leak(leaked, &digest).await)
        .await
    {
        // Somebody else shut it meanwhile.
        Ok(()) | Err(WriteError::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    tracing::warn!(
        organization.id = %leaked.organization,
        key.id = %leaked.id,
        former = leaked.is_former,
        "a leaked secret was reported and shut"
    );
    Ok(NoContent)
}
