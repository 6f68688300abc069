//! Data-plane keys. A secret is shown once, when it is minted; afterwards only its last four characters are known.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{DisplayName, KeyId, ModelName, TeamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Key {
    pub id: KeyId,
    pub name: DisplayName,
    pub team: Option<TeamId>,
    /// The last four characters of the secret.
    pub hint: String,
    /// The models this key may call; all of the organization's when null.
    pub models: Option<Vec<ModelName>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub revoked_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    pub name: DisplayName,
    #[serde(default)]
    pub team: Option<TeamId>,
    #[serde(default)]
    pub models: Option<Vec<ModelName>>,
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Import this secret (20 characters or more) instead of minting one.
    #[serde(default)]
    pub secret: Option<String>,
}

/// Replaces all three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    pub name: DisplayName,
    pub team: Option<TeamId>,
    pub models: Option<Vec<ModelName>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MintedKey {
    pub key: Key,
    /// Shown this once. Null when the secret was imported.
    pub secret: Option<String>,
}
