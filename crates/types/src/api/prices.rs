//! Prices: the catalogue's, and an organization's own that override it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{PriceId, Slug, UnitPrice, UpstreamModel};

/// Dollars per million units. A unit without a price makes a request that uses it unpriced; `"0"` is a price.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rates {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_image: Option<UnitPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search: Option<UnitPrice>,
}

/// An organization's own price for a model at one of its providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Price {
    pub id: PriceId,
    pub provider: Slug,
    pub model: UpstreamModel,
    pub rates: Rates,
    pub effective_from: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    pub provider: Slug,
    pub model: UpstreamModel,
    pub rates: Rates,
    /// From now on when absent.
    #[serde(default)]
    pub effective_from: Option<DateTime<Utc>>,
}

/// `?provider=&model=`: which price would apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceQuery {
    pub provider: Slug,
    pub model: UpstreamModel,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceLookup {
    pub rates: Option<Rates>,
    pub source: PriceSource,
    pub version: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    Organization,
    Catalogue,
    None,
}
