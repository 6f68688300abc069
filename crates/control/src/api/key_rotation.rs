//! Rotating a key: a new secret, shown once, and the one from before for a while.

use gatewright_store::{Rotated, Rotation};
use gatewright_types::KeyId;
use gatewright_types::api::{Key, NewRotation, RotatedKey};
use serde_json::json;

use crate::access::Call;
use crate::auth::token::{NewSecret, Purpose};
use crate::endpoint::{Created, IdempotencyKey, Json, Path};
use crate::error::ApiError;

pub(crate) async fn rotate(
    call: Call,
    Path(key): Path<KeyId>,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Json(new): Json<NewRotation>,
) -> Result<Created<RotatedKey>, ApiError> {
    if new.grace > NewRotation::LONGEST_GRACE {
        let message = format!("must be from 0s to {}", NewRotation::LONGEST_GRACE);
        return Err(ApiError::field("grace", &message));
    }
    let secret = NewSecret::make(Purpose::DataPlane, None).map_err(|error| ApiError::field("secret", &error))?;
    let rotation = Rotation {
        digest: secret.key.digest,
        hint: secret.key.hint,
        grace: new.grace.get(),
        idempotency_key,
    };
    let organization = call.organization.id;
    let audited = call.change("key.rotate", key, json!({"grace": new.grace}));
    let rotated = call.write(audited, async |tx| tx.rotate_key(organization, key, &rotation).await);
    Ok(Created(match rotated.await? {
        Rotated::Done(key) => RotatedKey {
            key,
            secret: secret.shown,
            repeated: false,
        },
        Rotated::Before(key) => RotatedKey {
            key,
            secret: None,
            repeated: true,
        },
    }))
}

pub(crate) async fn end(call: Call, Path(key): Path<KeyId>) -> Result<Json<Key>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("key.rotation_end", key, json!({}));
    Ok(Json(
        call.write(audited, async |tx| tx.end_rotation(organization, key).await)
            .await?,
    ))
}
