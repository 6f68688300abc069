//! Models: the names callers ask for, and where each goes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CacheSettings, Lifecycle, Rates, Timeouts};
use crate::{ModelId, ModelName, Target};

/// Where a request for a model goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Route {
    Target(Target),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Model {
    pub id: ModelId,
    pub name: ModelName,
    pub route: Route,
    pub timeouts: Timeouts,
    /// Absent where every request is answered by a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheSettings>,
    pub price: PriceState,
    /// Where the provider's model is in its life; absent when nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    pub created_at: DateTime<Utc>,
}

/// A model without a known price is unpriced; that is never the same as free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PriceState {
    Priced { rates: Rates, version: String },
    Unpriced,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    pub name: ModelName,
    pub route: Route,
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Absent where every request is answered by a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheSettings>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelChange {
    pub route: Route,
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Absent where every request is answered by a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheSettings>,
}
