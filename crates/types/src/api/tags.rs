//! Tags: what an organization wants to know of requests. A caller says them in `x-gw-tags: project=apollo, tier=free` or
//! in the request's `metadata`, and a key may have some of its own, which nobody else can change.

use serde::{Deserialize, Serialize};

use crate::{DisplayName, TagName};

/// A tag the organization knows. Of others nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TagRule {
    pub name: TagName,
    /// Requests without it are refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Any when absent; requests with another value are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<DisplayName>>,
}
