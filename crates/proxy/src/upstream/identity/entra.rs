//! Tokens of Microsoft Entra for an application that acts for itself.

use chrono::Utc;
use gatewright_contract::{BaseUrl, EntraIdentity};
use http::header::{HeaderMap, HeaderValue};

use super::endpoint::{Endpoint, oauth_code};
use super::{Granted, IdentityError, token as read};

const USUAL_ADDRESS: &str = "https://login.microsoftonline.com";

/// What a token is good for: which depends on the addresses that are called with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntraScope {
    /// Addresses by deployment, with an API version.
    Classic,
    /// Addresses of version 1.
    V1,
}

impl EntraScope {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "https://cognitiveservices.azure.com/.default",
            Self::V1 => "https://ai.azure.com/.default",
        }
    }
}

pub(super) async fn token(
    endpoint: Endpoint,
    identity: EntraIdentity,
    scope: EntraScope,
) -> Result<Granted<HeaderValue>, IdentityError> {
    let at = Utc::now();
    let base: BaseUrl = match &identity.token_url {
        Some(url) => url.clone(),
        None => USUAL_ADDRESS.parse()?,
    };
    let form = serde_urlencoded::to_string([
        ("grant_type", "client_credentials"),
        ("client_id", identity.client_id.as_str()),
        ("client_secret", identity.client_secret.expose()),
        ("scope", scope.as_str()),
    ])
    .map_err(|_| IdentityError::Malformed)?;
    let path = format!("{}/oauth2/v2.0/token", identity.tenant_id);
    let body = endpoint.post(&base, &path, form, HeaderMap::new(), oauth_code).await?;
    read(&body, at)
}
