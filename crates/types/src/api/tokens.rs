//! Control-plane tokens (`gwt-…`): programs that configure an organization.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{DisplayName, Role, TokenId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Token {
    pub id: TokenId,
    pub name: DisplayName,
    pub role: Role,
    /// The last four characters of the secret.
    pub hint: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    pub name: DisplayName,
    pub role: Role,
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Import this secret (20 characters or more) instead of minting one.
    #[serde(default)]
    pub secret: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MintedToken {
    pub token: Token,
    /// Shown this once. Null when the secret was imported.
    pub secret: Option<String>,
}
