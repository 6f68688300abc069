//! Prices: the catalogue's, and an organization's own that override it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{PriceTier, ServicePrice};
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

impl Rates {
    /// With the other's prices for units that have none here.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            cache_read: self.cache_read.or(other.cache_read),
            cache_write_5m: self.cache_write_5m.or(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.or(other.cache_write_1h),
            reasoning: self.reasoning.or(other.reasoning),
            input_audio: self.input_audio.or(other.input_audio),
            output_audio: self.output_audio.or(other.output_audio),
            input_image: self.input_image.or(other.input_image),
            web_search: self.web_search.or(other.web_search),
        }
    }

    /// Prices of tokens that are so many hundredths of these. A search costs the same.
    #[must_use]
    pub fn at_percent(&self, percent: u16) -> Self {
        let of = |price: Option<UnitPrice>| price.map(|price| price.at_percent(percent));
        Self {
            input: of(self.input),
            output: of(self.output),
            cache_read: of(self.cache_read),
            cache_write_5m: of(self.cache_write_5m),
            cache_write_1h: of(self.cache_write_1h),
            reasoning: of(self.reasoning),
            input_audio: of(self.input_audio),
            output_audio: of(self.output_audio),
            input_image: of(self.input_image),
            web_search: self.web_search,
        }
    }
}

/// An organization's own price for a model at one of its providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Price {
    pub id: PriceId,
    pub provider: Slug,
    pub model: UpstreamModel,
    pub rates: Rates,
    /// For the whole of a request whose input is larger. What a tier does not name costs what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<PriceTier>,
    /// For requests that the provider says it served in another way. What is not named there has no price then, but searches
    /// cost what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_tiers: Vec<ServicePrice>,
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
    /// For the whole of a request whose input is larger. What a tier does not name costs what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<PriceTier>,
    /// For requests that the provider says it served in another way. What is not named there has no price then, but searches
    /// cost what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_tiers: Vec<ServicePrice>,
    /// From now on when absent.
    #[serde(default)]
    pub effective_from: Option<DateTime<Utc>>,
}

/// Sizes of one way to be served that have prices of their own, at most.
const MOST_TIERS: usize = 8;

/// What is wrong with the prices of a model, by field, if anything is.
pub fn price_problem(
    rates: &Rates,
    tiers: &[PriceTier],
    service_tiers: &[ServicePrice],
) -> Option<(String, &'static str)> {
    const NONE: &str = "must name at least one price";
    if *rates == Rates::default() {
        return Some(("rates".to_owned(), NONE));
    }
    for (index, service) in service_tiers.iter().enumerate() {
        let path = format!("service_tiers[{index}]");
        if service.rates == Rates::default() {
            return Some((format!("{path}.rates"), NONE));
        }
        let mut before = service_tiers.iter().take(index);
        if before.any(|before| before.service_tier == service.service_tier) {
            return Some((format!("{path}.service_tier"), "is given twice: give it once"));
        }
        if let Some(problem) = tier_problem(&format!("{path}.tiers"), &service.tiers) {
            return Some(problem);
        }
    }
    tier_problem("tiers", tiers)
}

fn tier_problem(path: &str, tiers: &[PriceTier]) -> Option<(String, &'static str)> {
    if tiers.len() > MOST_TIERS {
        return Some((path.to_owned(), "may have at most 8 entries"));
    }
    let wrong = |(index, tier): (usize, &PriceTier)| {
        let twice = tiers
            .iter()
            .take(index)
            .any(|before| before.above_input_tokens == tier.above_input_tokens);
        let at = |field: &str| format!("{path}[{index}].{field}");
        match tier {
            _ if twice => Some((at("above_input_tokens"), "is given twice: give it once")),
            PriceTier {
                above_input_tokens: 0, ..
            } => Some((at("above_input_tokens"), "must be 1 at least")),
            tier if tier.rates == Rates::default() => Some((at("rates"), "must name at least one price")),
            _ => None,
        }
    };
    tiers.iter().enumerate().find_map(wrong)
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
