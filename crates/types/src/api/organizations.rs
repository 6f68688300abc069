//! Organizations: the tenants of an installation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::given::given;
use super::{SharedCost, TagRule, TraceSettings};
use crate::{CostCentre, DisplayName, OrganizationId, Slug};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Organization {
    pub id: OrganizationId,
    pub slug: Slug,
    pub name: DisplayName,
    pub traces: TraceSettings,
    /// The tags it knows.
    pub tags: Vec<TagRule>,
    /// Where cost is charged to that neither a key nor its team says.
    #[serde(default)]
    pub cost_centre: Option<CostCentre>,
    #[serde(default)]
    pub shared_cost: SharedCost,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    pub slug: Slug,
    pub name: DisplayName,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OrganizationChange {
    pub name: DisplayName,
    /// Left as it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<TraceSettings>,
    /// Left as they are when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<TagRule>>,
    /// Left as it is when absent; none when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<Option<CostCentre>>,
    /// Left as it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_cost: Option<SharedCost>,
}
