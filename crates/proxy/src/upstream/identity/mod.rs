//! Who the gateway is to a cloud: short-lived keys and tokens that are got with a credential, kept until shortly before
//! they expire, and asked for once however many calls wait for them. It sends no call itself.

mod aws;
mod cache;
mod endpoint;
mod entra;
mod error;
mod google;
mod signer;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::{AwsIdentity, BaseUrl, EntraIdentity, GoogleIdentity};
use gatewright_types::Region;
use http::header::HeaderValue;

pub(crate) use aws::AwsKeys;
use cache::{Cache, Key};
pub(crate) use endpoint::Endpoint;
pub(crate) use entra::EntraScope;
pub(crate) use error::IdentityError;

/// Gets and keeps keys and tokens; clones share what is kept.
#[derive(Debug, Clone)]
pub(crate) struct Identities {
    sessions: Cache<AwsKeys>,
    tokens: Cache<HeaderValue>,
}

/// What was given out, and for how long.
#[derive(Debug, Clone)]
struct Granted<V> {
    value: V,
    at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Identities {
    pub(crate) fn new() -> Self {
        signer::install();
        Self {
            sessions: Cache::default(),
            tokens: Cache::default(),
        }
    }

    /// Keys to sign a call with: the credential's own, or those of the role it takes on.
    pub(crate) async fn aws(
        &self,
        endpoint: Endpoint,
        identity: &AwsIdentity,
        region: &Region,
    ) -> Result<AwsKeys, IdentityError> {
        let Some(role) = &identity.role_arn else {
            return Ok(AwsKeys::own(identity));
        };
        let session = identity.session_token.as_ref().map_or("", |token| token.expose());
        let secret = identity.secret_access_key.expose();
        let url = identity.token_url.as_ref().map_or("", BaseUrl::as_str);
        let parts = [
            "aws",
            &identity.access_key_id,
            secret,
            session,
            role,
            region.as_str(),
            url,
        ];
        let key = Key::of(&parts);
        let asked = aws::Asked {
            own: AwsKeys::own(identity),
            role: role.clone(),
            region: region.clone(),
            url: identity.token_url.clone(),
        };
        self.sessions.get(key, || Box::pin(asked.assume_role(endpoint))).await
    }

    /// An `authorization` header for Azure.
    pub(crate) async fn entra(
        &self,
        endpoint: Endpoint,
        identity: &EntraIdentity,
        scope: EntraScope,
    ) -> Result<HeaderValue, IdentityError> {
        let secret = identity.client_secret.expose();
        let key = Key::of(&[
            "entra",
            &identity.tenant_id,
            &identity.client_id,
            secret,
            scope.as_str(),
            identity.token_url.as_ref().map_or("", BaseUrl::as_str),
        ]);
        let identity = identity.clone();
        let ask = || entra::token(endpoint, identity, scope);
        self.tokens.get(key, || Box::pin(ask())).await
    }

    /// An `authorization` header for Google Cloud.
    pub(crate) async fn google(
        &self,
        endpoint: Endpoint,
        identity: &GoogleIdentity,
    ) -> Result<HeaderValue, IdentityError> {
        let url = identity.token_url.as_ref().map_or("", BaseUrl::as_str);
        let key = Key::of(&["google", &identity.client_email, identity.private_key.expose(), url]);
        let identity = identity.clone();
        let ask = || google::token(endpoint, identity);
        self.tokens.get(key, || Box::pin(ask())).await
    }
}

/// The answer of an OAuth token endpoint.
fn token(body: &Bytes, at: DateTime<Utc>) -> Result<Granted<HeaderValue>, IdentityError> {
    #[derive(serde::Deserialize)]
    struct Answer {
        access_token: String,
        expires_in: i64,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| IdentityError::Malformed)?;
    let value = super::credentials::bearer(&answer.access_token).map_err(|_| IdentityError::Malformed)?;
    let lifetime = chrono::Duration::try_seconds(answer.expires_in).ok_or(IdentityError::Malformed)?;
    let expires_at = at.checked_add_signed(lifetime).ok_or(IdentityError::Malformed)?;
    Ok(Granted { value, at, expires_at })
}
