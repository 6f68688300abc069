//! Organizations: the tenants of an installation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{TagRule, TraceSettings};
use crate::{DisplayName, OrganizationId, Slug};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Organization {
    pub id: OrganizationId,
    pub slug: Slug,
    pub name: DisplayName,
    pub traces: TraceSettings,
    /// The tags it knows.
    pub tags: Vec<TagRule>,
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
}
