//! What is known of one model, and an organization's own facts laid over it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use gatewright_types::api::{Lifecycle, ModelFacts, PriceTerms, PriceTier, Rates, ServedTier, ServiceTier};
use gatewright_types::{Nanos, UpstreamModel};

use super::Capabilities;
use crate::price::{at_most, bill, unpriced};
use crate::{Bill, Most, Terms, Tokens};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogModel {
    pub capabilities: Capabilities,
    pub context: Option<u32>,
    pub max_output: Option<u32>,
    pub deprecated_on: Option<NaiveDate>,
    pub sunset_on: Option<NaiveDate>,
    pub aliases: Vec<UpstreamModel>,
    pub price: Option<Arc<PriceTerms>>,
}

impl CatalogModel {
    /// The model as it is with these facts: what they state goes first, and aliases are added.
    #[must_use]
    pub fn with(mut self, facts: &ModelFacts) -> Self {
        for (capability, there) in &facts.capabilities {
            self.capabilities.set(*capability, *there);
        }
        self.context = facts.context.or(self.context);
        self.max_output = facts.max_output.or(self.max_output);
        self.deprecated_on = facts.deprecated_on.or(self.deprecated_on);
        self.sunset_on = facts.sunset_on.or(self.sunset_on);
        for alias in &facts.aliases {
            if !self.aliases.contains(alias) {
                self.aliases.push(alias.clone());
            }
        }
        self
    }

    pub fn lifecycle(&self, at: DateTime<Utc>) -> Lifecycle {
        Lifecycle::at(at.date_naive(), self.deprecated_on, self.sunset_on)
    }
}

/// The prices for a request of this size that was served in this way; `None` when they are not known. A provider that
/// does not say how it served a request did so in the usual way.
pub fn rates_for<'a>(terms: &'a PriceTerms, tokens: &Tokens, served: Option<ServedTier>) -> Option<&'a Rates> {
    let input = tokens.total_input();
    let usual = tier_for(&terms.tiers, input);
    let service_tier = match served {
        None | Some(ServedTier::Standard) => return Some(usual.map_or(&terms.rates, |tier| &tier.rates)),
        Some(ServedTier::Flex) => ServiceTier::Flex,
        Some(ServedTier::Priority) => ServiceTier::Priority,
        Some(ServedTier::Batch) => ServiceTier::Batch,
        Some(ServedTier::Fast) => ServiceTier::Fast,
        Some(ServedTier::Provisioned | ServedTier::Unknown) => return None,
    };
    let service = terms
        .service_tiers
        .iter()
        .find(|price| price.service_tier == service_tier)?;
    let own = tier_for(&service.tiers, input);
    // Where long requests usually cost more, those of short ones say nothing of them.
    let threshold = |tier: Option<&PriceTier>| tier.map_or(0, |tier| tier.above_input_tokens);
    (threshold(own) >= threshold(usual)).then(|| own.map_or(&service.rates, |tier| &tier.rates))
}

/// What a request costs that used these tokens on these terms. `version` says which prices these are.
pub fn bill_for(price: &PriceTerms, tokens: &Tokens, terms: Terms, version: &str) -> Bill {
    let Some(rates) = rates_for(price, tokens, terms.served) else {
        return unpriced(tokens, terms);
    };
    match (terms.us_only, price.us_only_percent) {
        (false, _) => bill(tokens, rates, version),
        (true, Some(percent)) => bill(tokens, &rates.at_percent(percent), version).of_us_only(),
        // It costs more wherever it can be asked for.
        (true, None) => unpriced(tokens, terms),
    }
}

/// The most that a request costs, in whichever of its tiers it is served and wherever it may be told to stay.
pub fn most_for(price: &PriceTerms, most: &Most) -> Option<Nanos> {
    let usual = at_most(most, all_rates(price, most.input))?;
    let percent = i128::from(price.us_only_percent.unwrap_or(100).max(100));
    let dearest = (i128::from(usual.get()) * percent + 99) / 100;
    Some(Nanos::new(i64::try_from(dearest).unwrap_or(i64::MAX)))
}

/// All prices that a request of up to so many tokens may be served at.
fn all_rates(terms: &PriceTerms, input: u64) -> impl Iterator<Item = &Rates> {
    let reached = move |tier: &&PriceTier| input > tier.above_input_tokens;
    let usual = terms.tiers.iter().filter(reached).map(|tier| &tier.rates);
    let served = terms.service_tiers.iter().flat_map(move |service| {
        let long = service.tiers.iter().filter(reached).map(|tier| &tier.rates);
        std::iter::once(&service.rates).chain(long)
    });
    std::iter::once(&terms.rates).chain(usual).chain(served)
}

fn tier_for(tiers: &[PriceTier], input: u64) -> Option<&PriceTier> {
    tiers.iter().rev().find(|tier| input > tier.above_input_tokens)
}
