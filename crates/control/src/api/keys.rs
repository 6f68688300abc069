//! Data-plane keys. The secret is in the answer that makes the key and nowhere else, ever.

use chrono::{DateTime, Utc};
use gatewright_store::{ActorKind, KeyInsert};
use gatewright_types::api::{Key, KeyChange, KeyOwner, MintedKey, NewKey};
use gatewright_types::{KeyId, Page, PageQuery};
use serde_json::json;

use crate::access::Call;
use crate::auth::token::{NewSecret, Purpose};
use crate::endpoint::{Created, Json, Path, Query};
use crate::error::ApiError;
use crate::key_settings::{Before, KnownNames, Wanted, problems};

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Key>>, ApiError> {
    Ok(Json(call.scope().keys(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewKey>) -> Result<Created<MintedKey>, ApiError> {
    check_expiry(new.expires_at)?;
    let wanted = Wanted {
        models: new.models.as_deref(),
        tags: Some(&new.tags),
        scopes: Some(&new.scopes),
        upkeep: Some(new.upkeep),
    };
    check(&call, &wanted, None).await?;
    let NewSecret { key, shown } = NewSecret::make(Purpose::DataPlane, new.secret.as_deref())
        .map_err(|error| ApiError::field("secret", &error))?;
    let insert = KeyInsert {
        id: KeyId::mint(),
        name: new.name,
        team: new.team,
        owner: new.owner.unwrap_or_else(|| maker(&call)),
        models: new.models,
        tags: new.tags,
        scopes: new.scopes,
        upkeep: new.upkeep,
        faults: new.faults,
        cost_centre: new.cost_centre,
        expires_at: new.expires_at,
        digest: key.digest,
        hint: key.hint,
        created_by: call.actor.label.clone(),
    };
    let audited = call.change(
        "key.create",
        insert.id,
        json!({
            "name": insert.name, "team": insert.team, "owner": insert.owner, "models": insert.models, "tags": insert.tags,
            "scopes": insert.scopes, "upkeep": insert.upkeep, "expires_at": insert.expires_at,
            "faults": insert.faults, "cost_centre": insert.cost_centre,
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
    let before = call.scope().key(key).await?.ok_or(ApiError::NotFound)?;
    if change.expires_at != Some(before.expires_at) {
        check_expiry(change.expires_at.flatten())?;
    }
    let wanted = Wanted {
        models: change.models.as_deref(),
        tags: change.tags.as_ref(),
        scopes: change.scopes.as_ref(),
        upkeep: change.upkeep,
    };
    check(&call, &wanted, Some(&before)).await?;
    let organization = call.organization.id;
    // As it was sent: what is left out is not changed.
    let audited = call.change("key.update", key, json!(change));
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

pub(crate) async fn disable(call: Call, Path(key): Path<KeyId>) -> Result<Json<Key>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("key.disable", key, json!({}));
    Ok(Json(
        call.write(audited, async |tx| tx.disable_key(organization, key).await)
            .await?,
    ))
}

pub(crate) async fn enable(call: Call, Path(key): Path<KeyId>) -> Result<Json<Key>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("key.enable", key, json!({}));
    Ok(Json(
        call.write(audited, async |tx| tx.enable_key(organization, key).await)
            .await?,
    ))
}

pub(super) fn check_expiry(expires_at: Option<DateTime<Utc>>) -> Result<(), ApiError> {
    match expires_at {
        Some(at) if at <= Utc::now() => Err(ApiError::field("expires_at", &"must be in the future")),
        Some(_) | None => Ok(()),
    }
}

/// A token is nobody.
fn maker(call: &Call) -> Option<KeyOwner> {
    match call.actor.kind {
        ActorKind::Person(person) => Some(KeyOwner::Member(person)),
        ActorKind::Token(_) | ActorKind::System => None,
    }
}

async fn check(call: &Call, wanted: &Wanted<'_>, before: Option<&Key>) -> Result<(), ApiError> {
    let known = match wanted.names_something() {
        true => KnownNames::read(&call.scope()).await?,
        false => KnownNames::default(),
    };
    let before = before.map_or_else(Before::default, |key| Before {
        models: key.models.as_deref(),
        scopes: Some(&key.scopes),
    });
    let found = problems(wanted, &before, &known);
    match found.is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid(found)),
    }
}
