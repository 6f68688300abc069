//! Control-plane tokens. Like a key's, a token's secret is shown once; its role is never above its maker's.

use gatewright_store::TokenInsert;
use gatewright_types::api::{MintedToken, NewToken, Token};
use gatewright_types::{Page, PageQuery, TokenId};
use serde_json::json;

use super::keys::check_expiry;
use crate::access::Call;
use crate::auth::token::{NewSecret, Purpose};
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Token>>, ApiError> {
    Ok(Json(call.scope().tokens(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewToken>) -> Result<Created<MintedToken>, ApiError> {
    call.may_grant(new.role)?;
    check_expiry(new.expires_at)?;
    let NewSecret { key, shown } = NewSecret::make(Purpose::ControlPlane, new.secret.as_deref())
        .map_err(|error| ApiError::field("secret", &error))?;
    let insert = TokenInsert {
        id: TokenId::mint(),
        name: new.name,
        role: new.role,
        digest: key.digest,
        hint: key.hint,
        expires_at: new.expires_at,
    };
    let detail = json!({
        "name": insert.name, "role": insert.role, "expires_at": insert.expires_at, "imported": shown.is_none(),
    });
    let audited = call.change("token.create", insert.id, detail);
    let organization = call.organization.id;
    let token = call
        .write(audited, async |tx| tx.create_token(organization, &insert).await)
        .await?;
    Ok(Created(MintedToken { token, secret: shown }))
}

pub(crate) async fn delete(call: Call, Path(token): Path<TokenId>) -> Result<NoContent, ApiError> {
    let there = call.scope().token(token).await?.ok_or(ApiError::NotFound)?;
    call.may_grant(there.role)?;
    let organization = call.organization.id;
    let audited = call.change("token.delete", token, json!({"name": there.name, "role": there.role}));
    call.write(audited, async |tx| tx.delete_token(organization, token).await)
        .await?;
    Ok(NoContent)
}
