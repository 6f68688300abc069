//! Secrets that programs hold: control-plane tokens as they come with a call, and keys and tokens as they are made.

use chrono::{DateTime, Utc};
use gatewright_contract::{ApiKey, Digest, SecretShapeError};
use gatewright_store::TokenHolder;

use crate::control::Control;
use crate::error::ApiError;

/// What a new secret is for; it begins accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    DataPlane,
    ControlPlane,
}

/// A secret for a new key or token, and the text to show once; nothing is shown of an imported one.
#[derive(Debug)]
pub(crate) struct NewSecret {
    pub(crate) key: ApiKey,
    pub(crate) shown: Option<String>,
}

/// Whose token the `Authorization` header carries.
pub(crate) async fn holder(control: &Control, header: &str, now: DateTime<Utc>) -> Result<TokenHolder, ApiError> {
    let secret = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, secret) = secret.ok_or(ApiError::Unauthenticated)?;
    let holder = control
        .db
        .system()
        .token_by_digest(&Digest::of(secret.trim().as_bytes()))
        .await?;
    holder
        .filter(|holder| holder.token.expires_at.is_none_or(|expires_at| expires_at > now))
        .ok_or(ApiError::Unauthenticated)
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::DataPlane => "gw",
            Self::ControlPlane => "gwt",
        }
    }
}

impl NewSecret {
    /// Mints a secret, or takes the one that is given.
    pub(crate) fn make(purpose: Purpose, imported: Option<&str>) -> Result<Self, SecretShapeError> {
        match imported {
            Some(text) => Ok(Self {
                key: ApiKey::import(text)?,
                shown: None,
            }),
            None => {
                let key = ApiKey::mint(purpose.prefix());
                let shown = Some(key.secret.expose().to_owned());
                Ok(Self { key, shown })
            }
        }
    }
}
