//! Providers: where requests go, and the credentials used there. A credential's secret goes in and never comes out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ProviderKind;
use crate::{CredentialId, DisplayName, ProviderId, Slug};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provider {
    pub id: ProviderId,
    pub name: Slug,
    pub kind: ProviderKind,
    /// The effective address; null for a kind that has none.
    pub base_url: Option<String>,
    pub credentials: Vec<Credential>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credential {
    pub id: CredentialId,
    pub name: DisplayName,
    pub weight: u32,
    /// The last four characters of the secret.
    pub hint: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    pub name: Slug,
    pub kind: ProviderKind,
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default)]
    pub credentials: Vec<NewCredential>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    pub name: DisplayName,
    pub api_key: String,
    #[serde(default = "usual_weight")]
    pub weight: u32,
}

pub(super) fn usual_weight() -> u32 {
    1
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProviderChange {
    pub base_url: Option<String>,
}

/// What the cheapest real call to the provider gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelfTest {
    pub credential: Option<CredentialId>,
    pub outcome: SelfTestOutcome,
    /// The provider's status code, when it answered.
    pub status: Option<u16>,
    /// The provider's own words on failure, without our secret.
    pub message: String,
    pub duration_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SelfTestOutcome {
    Works,
    /// The provider refused the credential.
    Refused,
    /// The provider answered something else than expected.
    Unexpected,
    /// No answer: name, address, connection or time-out.
    Unreachable,
}
