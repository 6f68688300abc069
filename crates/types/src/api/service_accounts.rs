//! Service accounts: what keys of programs belong to, so that they go on when people leave.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::given::given;
use crate::{CostCentre, DisplayName, ServiceAccountId, TeamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceAccount {
    pub id: ServiceAccountId,
    pub name: DisplayName,
    /// Its keys are keys of this team; the organization's own account when null.
    pub team: Option<TeamId>,
    /// What its keys cost is charged there. Only of an account without a team.
    #[serde(default)]
    pub cost_centre: Option<CostCentre>,
    /// Its keys that are not revoked.
    pub key_count: u64,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewServiceAccount {
    pub name: DisplayName,
    /// For good: its keys' usage counts there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Only for one without a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentre>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountChange {
    pub name: DisplayName,
    /// None when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<Option<CostCentre>>,
}
