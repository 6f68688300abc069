//! Tokens of Google Cloud for a service account: a signed statement of who it is, exchanged for a token.

use chrono::Utc;
use gatewright_contract::{BaseUrl, GoogleIdentity};
use http::header::{HeaderMap, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::endpoint::{Endpoint, oauth_code};
use super::{Granted, IdentityError, token as read};

const USUAL_ADDRESS: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that Google takes.
const SECONDS: i64 = 3600;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

pub(super) async fn token(endpoint: Endpoint, identity: GoogleIdentity) -> Result<Granted<HeaderValue>, IdentityError> {
    let at = Utc::now();
    let base: BaseUrl = match &identity.token_url {
        Some(url) => url.clone(),
        None => USUAL_ADDRESS.parse()?,
    };
    let claims = Claims {
        iss: &identity.client_email,
        scope: SCOPE,
        aud: base.as_str(),
        iat: at.timestamp(),
        exp: at.timestamp() + SECONDS,
    };
    let header = Header {
        kid: identity.private_key_id.clone(),
        ..Header::new(Algorithm::RS256)
    };
    let key = EncodingKey::from_rsa_pem(identity.private_key.expose().as_bytes());
    let assertion = key.and_then(|key| jsonwebtoken::encode(&header, &claims, &key));
    let assertion = assertion.map_err(|_| IdentityError::PrivateKey)?;
    let form = serde_urlencoded::to_string([("grant_type", GRANT), ("assertion", &assertion)])
        .map_err(|_| IdentityError::Malformed)?;
    let body = endpoint.post(&base, "", form, HeaderMap::new(), oauth_code).await?;
    read(&body, at)
}
