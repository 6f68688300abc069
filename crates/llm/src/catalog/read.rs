//! Reads an edition of the catalogue. Prices are converted from the decimal text, never by way of binary fractions. What
//! a later release may say besides is passed over; an entry that cannot be used is told and left out.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDate;
use gatewright_types::api::{
    OtherPrice, PriceTerms, PriceTier, PricedUnit, ProviderKind, Rates, ServicePrice, ServiceTier,
};
use gatewright_types::{UnitPrice, UpstreamModel};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::edition::LISTED;
use super::{Capabilities, CatalogModel, Edition, EditionError, capabilities};
use crate::decimal;

/// Decimal places of a dollar that a pico-dollar is.
const PICO: i32 = 12;
const FORMAT: u32 = 1;
const UNIT: &str = "USD per token";

/// Kinds whose models cost nothing when their price is zero. Elsewhere two zeros stand for a price that is not by the
/// token.
const FREE: [ProviderKind; 2] = [ProviderKind::Ollama, ProviderKind::Sandbox];

#[derive(Deserialize)]
struct File<'a> {
    schema: u32,
    #[serde(borrow)]
    unit: Cow<'a, str>,
    as_of: NaiveDate,
    #[serde(borrow, default)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    models: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    provider: Cow<'a, str>,
    #[serde(borrow, default)]
    mode: Option<Cow<'a, str>>,
    context: Option<u32>,
    max_output: Option<u32>,
    #[serde(borrow, default)]
    caps: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    aliases: Vec<Cow<'a, str>>,
    deprecates: Option<NaiveDate>,
    sunsets: Option<NaiveDate>,
    #[serde(borrow, default)]
    price: Prices<'a>,
}

/// Dollars per token or other unit, as written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Prices<'a> {
    #[serde(borrow, rename = "in")]
    input: Option<&'a RawValue>,
    #[serde(borrow, rename = "out")]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_read: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_write: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_write_1h: Option<&'a RawValue>,
    #[serde(borrow)]
    out_reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    input_cost_per_audio_token: Option<&'a RawValue>,
    #[serde(borrow)]
    output_cost_per_audio_token: Option<&'a RawValue>,
    #[serde(borrow)]
    web_search: Option<&'a RawValue>,
    #[serde(borrow)]
    in_batch: Option<&'a RawValue>,
    #[serde(borrow)]
    out_batch: Option<&'a RawValue>,
    #[serde(borrow)]
    in_flex: Option<&'a RawValue>,
    #[serde(borrow)]
    out_flex: Option<&'a RawValue>,
    #[serde(borrow)]
    in_priority: Option<&'a RawValue>,
    #[serde(borrow)]
    out_priority: Option<&'a RawValue>,
    #[serde(borrow)]
    input_cost_per_image: Option<&'a RawValue>,
    #[serde(borrow)]
    output_cost_per_image: Option<&'a RawValue>,
    #[serde(borrow)]
    input_cost_per_second: Option<&'a RawValue>,
    #[serde(borrow)]
    output_cost_per_second: Option<&'a RawValue>,
    #[serde(borrow)]
    input_cost_per_character: Option<&'a RawValue>,
    #[serde(borrow)]
    input_cost_per_query: Option<&'a RawValue>,
    /// Inside `tiers` only.
    above_tokens: u64,
    #[serde(borrow)]
    tiers: Vec<Prices<'a>>,
    #[serde(borrow)]
    service_tiers: ServiceTiers<'a>,
    /// How many times what is usual tokens cost when the provider stays within the United States.
    #[serde(borrow)]
    us_only: Option<&'a RawValue>,
}

/// Whole prices for other ways to be served; what is not named there has no price in that way.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ServiceTiers<'a> {
    #[serde(borrow)]
    batch: Option<Box<Prices<'a>>>,
    #[serde(borrow)]
    flex: Option<Box<Prices<'a>>>,
    #[serde(borrow)]
    priority: Option<Box<Prices<'a>>>,
    #[serde(borrow)]
    fast: Option<Box<Prices<'a>>>,
}

impl Edition {
    /// Reads a document. Beside the edition it gives what is wrong with the entries that are left out.
    pub fn read(document: &str) -> Result<(Self, Vec<String>), EditionError> {
        let file: File<'_> = serde_json::from_str(document)?;
        if file.schema != FORMAT {
            return Err(EditionError::Format(file.schema));
        }
        if !file.unit.starts_with(UNIT) {
            return Err(EditionError::Unit(file.unit.into_owned()));
        }
        let mut edition = Self::of(file.as_of, &file.source);
        let mut problems = Vec::new();
        for entry in &file.models {
            for (kind, providers, prefix) in LISTED {
                if providers.contains(&&*entry.provider)
                    && let Err(problem) = edition.add(kind, prefix, entry)
                {
                    problems.push(format!("{}: {problem}", entry.id));
                }
            }
        }
        if edition.kinds.is_empty() {
            return Err(EditionError::Empty);
        }
        Ok((edition, problems))
    }

    fn add(&mut self, kind: ProviderKind, prefix: &str, entry: &Entry<'_>) -> Result<(), String> {
        let id = entry.id.strip_prefix(prefix).unwrap_or(&entry.id);
        let name = named(id)?;
        let model = entry.model(kind)?;
        let models = self.kinds.entry(kind).or_default();
        for alias in &model.aliases {
            if models
                .aliases
                .insert(alias.clone(), name.clone())
                .is_some_and(|other| other != name)
            {
                return Err(format!("the alias {alias} is another model's already"));
            }
        }
        models.by_name.insert(name, model);
        Ok(())
    }
}

impl Entry<'_> {
    fn model(&self, kind: ProviderKind) -> Result<CatalogModel, String> {
        let mut can = Capabilities::default();
        let words = self.caps.iter().filter_map(|word| capabilities::of_word(word));
        for capability in words.chain(self.mode.as_deref().and_then(capabilities::of_mode)) {
            can.set(capability, true);
        }
        let terms = self.price.terms(FREE.contains(&kind))?;
        Ok(CatalogModel {
            capabilities: can,
            context: self.context,
            max_output: self.max_output,
            deprecated_on: self.deprecates,
            sunset_on: self.sunsets,
            aliases: self
                .aliases
                .iter()
                .map(|alias| named(alias))
                .collect::<Result<_, _>>()?,
            price: (terms != PriceTerms::default()).then(|| Arc::new(terms)),
        })
    }
}

fn named(id: &str) -> Result<UpstreamModel, String> {
    id.parse().map_err(|problem| format!("the name {problem}"))
}

fn is_nothing(rates: &Rates) -> bool {
    let nothing = |price: Option<UnitPrice>| price.is_none_or(|price| price.picos() == 0);
    nothing(rates.input) && nothing(rates.output)
}

fn price(price: Option<&RawValue>) -> Result<Option<UnitPrice>, String> {
    price.map(|price| unit_price(price.get())).transpose()
}

impl Prices<'_> {
    fn terms(&self, free: bool) -> Result<PriceTerms, String> {
        let rates = self.rates()?;
        let by_token = (rates.input.is_some() || rates.output.is_some()) && (free || !is_nothing(&rates));
        let other = self.other()?;
        if !by_token {
            return Ok(PriceTerms {
                other,
                ..PriceTerms::default()
            });
        }
        Ok(PriceTerms {
            tiers: self.tiers(Some(&rates))?,
            service_tiers: self.service_tiers()?,
            us_only_percent: self.us_only.map(|times| percent(times.get())).transpose()?,
            other,
            rates,
        })
    }

    fn rates(&self) -> Result<Rates, String> {
        Ok(Rates {
            input: price(self.input)?,
            output: price(self.output)?,
            cache_read: price(self.cache_read)?,
            cache_write_5m: price(self.cache_write)?,
            cache_write_1h: price(self.cache_write_1h)?,
            reasoning: price(self.out_reasoning)?,
            input_audio: price(self.input_cost_per_audio_token)?,
            output_audio: price(self.output_cost_per_audio_token)?,
            input_image: None,
            web_search: price(self.web_search)?,
        })
    }

    /// In the order of size; a unit that a tier does not name keeps its usual price, where there is one.
    fn tiers(&self, usual: Option<&Rates>) -> Result<Vec<PriceTier>, String> {
        let tier = |tier: &Prices<'_>| {
            let rates = tier.rates()?;
            let rates = match usual {
                Some(usual) => rates.or(usual),
                None => rates,
            };
            Ok(PriceTier {
                above_input_tokens: tier.above_tokens,
                rates,
            })
        };
        let mut tiers = self.tiers.iter().map(tier).collect::<Result<Vec<_>, String>>()?;
        tiers.sort_by_key(|tier| tier.above_input_tokens);
        Ok(tiers)
    }

    fn service_tiers(&self) -> Result<Vec<ServicePrice>, String> {
        let whole = &self.service_tiers;
        let mut tiers = Vec::new();
        for (service_tier, whole, input, output) in [
            (ServiceTier::Batch, &whole.batch, self.in_batch, self.out_batch),
            (ServiceTier::Flex, &whole.flex, self.in_flex, self.out_flex),
            (
                ServiceTier::Priority,
                &whole.priority,
                self.in_priority,
                self.out_priority,
            ),
            (ServiceTier::Fast, &whole.fast, None, None),
        ] {
            if let Some(prices) = whole {
                // A search is not served in a tier.
                let searches = Rates {
                    web_search: price(self.web_search)?,
                    ..Rates::default()
                };
                tiers.push(ServicePrice {
                    service_tier,
                    rates: Rates {
                        web_search: searches.web_search,
                        ..prices.rates()?
                    },
                    tiers: prices.tiers(Some(&searches))?,
                });
            } else if input.is_some() || output.is_some() {
                let rates = Rates {
                    input: price(input)?,
                    output: price(output)?,
                    ..Rates::default()
                };
                tiers.push(ServicePrice {
                    service_tier,
                    rates,
                    tiers: Vec::new(),
                });
            }
        }
        Ok(tiers)
    }

    fn other(&self) -> Result<Vec<OtherPrice>, String> {
        let mut other = Vec::new();
        for (unit, stated) in [
            (PricedUnit::InputImage, self.input_cost_per_image),
            (PricedUnit::OutputImage, self.output_cost_per_image),
            (PricedUnit::InputSecond, self.input_cost_per_second),
            (PricedUnit::OutputSecond, self.output_cost_per_second),
            (PricedUnit::InputCharacter, self.input_cost_per_character),
            (PricedUnit::Query, self.input_cost_per_query),
        ] {
            // Zero stands for a price that is by the token.
            if let Some(price) = price(stated)?.filter(|price| price.picos() > 0) {
                other.push(OtherPrice { unit, price });
            }
        }
        Ok(other)
    }
}

/// A JSON number of times as whole hundredths.
fn percent(number: &str) -> Result<u16, String> {
    let percent = decimal::shifted(number, 2).and_then(|percent| u16::try_from(percent).ok());
    percent
        .filter(|percent| *percent > 0)
        .ok_or_else(|| format!("{number} times is no price"))
}

/// A JSON number of dollars as whole pico-dollars, to the nearest.
fn unit_price(number: &str) -> Result<UnitPrice, String> {
    let picos = decimal::shifted(number, PICO)
        .and_then(|picos| i64::try_from(picos).ok())
        .filter(|picos| *picos >= 0);
    let picos = picos.ok_or_else(|| format!("{number} is no price"))?;
    Ok(UnitPrice::from_picos(picos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_from_the_decimal_text() {
        let check = |text: &str, picos: i64| assert_eq!(unit_price(text).map(UnitPrice::picos), Ok(picos), "{text}");

        check("1.5e-07", 150_000);
        check("7.5e-08", 75_000);
        check("2e-10", 200);
        check("0.00027", 270_000_000);
        check("0", 0);
        check("0.0", 0);
        check("3", 3_000_000_000_000);
        check("1E+0", 1_000_000_000_000);
        check("1.5000020000000002e-05", 15_000_020);
        check("2.9999900000000002e-06", 2_999_990);
        check("1e-13", 0);
        check("5e-13", 1);
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in ["-1e-06", "\"1\"", "null", "1e999999999999", "1e40", "true"] {
            assert_eq!(unit_price(text), Err(format!("{text} is no price")));
        }
    }
}
