//! Models: the names callers ask for, and where each goes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CacheSettings, Lifecycle, PromptCache, Rates, Retries, Route, Timeouts};
use crate::{ModelId, ModelName};

/// What a model says besides where it leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModelSettings {
    pub timeouts: Timeouts,
    #[serde(skip_serializing_if = "Retries::is_usual")]
    pub retries: Retries,
    /// Absent where every request is answered by a provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheSettings>,
    #[serde(skip_serializing_if = "PromptCache::is_off")]
    pub prompt_cache: PromptCache,
    #[serde(skip_serializing_if = "ShownModel::is_upstream")]
    pub shown_model: ShownModel,
}

/// Which model answers name in `model`, or in Gemini's dialect in `modelVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShownModel {
    /// The one that gave the answer, as its provider names it.
    #[default]
    Upstream,
    /// The model as callers ask for it. What a budget sends to another model names that one.
    Requested,
}

impl ShownModel {
    pub const ALL: [Self; 2] = [Self::Upstream, Self::Requested];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Requested => "requested",
        }
    }

    pub fn is_upstream(&self) -> bool {
        *self == Self::Upstream
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Model {
    pub id: ModelId,
    pub name: ModelName,
    pub route: Route,
    #[serde(flatten)]
    pub settings: ModelSettings,
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
    #[serde(flatten)]
    pub settings: ModelSettings,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelChange {
    pub route: Route,
    #[serde(flatten)]
    pub settings: ModelSettings,
}
