//! The audit log: who changed what, and who was refused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::AuditId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    Done,
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: DateTime<Utc>,
    /// An e-mail address, a token's name, or `system`.
    pub actor: String,
    /// Resource and verb: `key.create`.
    pub action: String,
    /// Identifier of what was acted on.
    pub target: Option<String>,
    pub outcome: AuditOutcome,
    /// What changed, without secrets.
    pub detail: serde_json::Value,
    pub address: Option<String>,
    pub request_id: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only this action: `key.create`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}
