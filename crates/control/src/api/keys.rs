//! Data-plane keys. The secret is in the answer that makes the key and nowhere else, ever.

use chrono::{DateTime, Utc};
use gatewright_store::KeyInsert;
use gatewright_types::api::{Key, KeyChange, MintedKey, NewKey};
use gatewright_types::{KeyId, Page, PageQuery};
use serde_json::json;

use crate::access::Call;
use crate::auth::token::{NewSecret, Purpose};
use crate::endpoint::{Created, Json, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Key>>, ApiError> {
    Ok(Json(call.scope().keys(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewKey>) -> Result<Created<MintedKey>, ApiError> {
    check_expiry(new.expires_at)?;
    let NewSecret { key, shown } = NewSecret::make(Purpose::DataPlane, new.secret.as_deref())
        .map_err(|error| ApiError::field("secret", &error))?;
    let insert = KeyInsert {
        id: KeyId::mint(),
        name: new.name,
        team: new.team,
        models: new.models,
        expires_at: new.expires_at,
        digest: key.digest,
        hint: key.hint,
        created_by: call.actor.label.clone(),
    };
    let audited = call.change(
        "key.create",
        insert.id,
        json!({
            "name": insert.name, "team": insert.team, "models": insert.models, "expires_at": insert.expires_at,
            "imported": shown.is_none(),
        }),
    );
    let organization = call.organization.id;
    let key = call
        .write(audited, async |tx| tx.create_key(organization, &insert).await)
        .await?;
    Ok(Created(MintedKey { key, secret: shown }))
}

pub(crate) async fn read(call: Call, Path(key): Path<KeyId>) -> Result<Json<Key>, ApiError> {
    call.scope().key(key).await?.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn update(
    call: Call,
    Path(key): Path<KeyId>,
    Json(change): Json<KeyChange>,
) -> Result<Json<Key>, ApiError> {
    let organization = call.organization.id;
    let detail = json!({"name": change.name, "team": change.team, "models": change.models});
    let audited = call.change("key.update", key, detail);
    Ok(Json(
        call.write(audited, async |tx| tx.change_key(organization, key, &change).await)
            .await?,
    ))
}

pub(crate) async fn revoke(call: Call, Path(key): Path<KeyId>) -> Result<Json<Key>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("key.revoke", key, json!({}));
    Ok(Json(
        call.write(audited, async |tx| tx.revoke_key(organization, key).await)
            .await?,
    ))
}

pub(super) fn check_expiry(expires_at: Option<DateTime<Utc>>) -> Result<(), ApiError> {
    match expires_at {
        Some(at) if at <= Utc::now() => Err(ApiError::field("expires_at", &"must be in the future")),
        Some(_) | None => Ok(()),
    }
}
