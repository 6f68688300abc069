//! Teams: groups of keys within an organization.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::given::given;
use crate::{CostCentre, DisplayName, IpRange, TeamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Team {
    pub id: TeamId,
    pub name: DisplayName,
    /// Keys of the team that are not revoked.
    pub key_count: u64,
    /// Where requests with the team's keys may come from; anywhere when empty. A key's own ranges limit it further.
    #[serde(default)]
    pub ip_ranges: Vec<IpRange>,
    /// What its keys cost is charged there; where the organization says when null.
    #[serde(default)]
    pub cost_centre: Option<CostCentre>,
    /// It works for all others: `shared_cost` of the organization says who bears what it costs.
    #[serde(default)]
    pub shared: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    pub name: DisplayName,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_ranges: Vec<IpRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentre>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TeamChange {
    pub name: DisplayName,
    /// Stay as they are when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_ranges: Option<Vec<IpRange>>,
    /// None when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<Option<CostCentre>>,
    /// Stays as it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
}
