//! Reads an edition of the catalogue. Prices are converted from the decimal text, never by way of binary fractions.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};
use gatewright_types::UnitPrice;
use gatewright_types::api::Rates;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CatalogPrice, Edition, Tier};

/// Decimal places of a dollar that a pico-dollar is.
const PICO: i32 = 12;

/// Providers whose models cost nothing when their price is zero. Elsewhere two zeros stand for a price that is not by
/// the token.
const FREE: [&str; 2] = ["ollama", "sandbox"];

/// An edition of the list, read but for its prices.
#[derive(Deserialize)]
pub(super) struct File<'a> {
    as_of: NaiveDate,
    #[serde(borrow)]
    models: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    provider: Cow<'a, str>,
    context: Option<u32>,
    max_output: Option<u32>,
    #[serde(borrow, default)]
    price: Prices<'a>,
}

/// Dollars per token, as written.
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
    /// Inside `tiers` only.
    above_tokens: u64,
    #[serde(borrow)]
    tiers: Vec<Prices<'a>>,
}

impl<'a> File<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The models of these providers, by their names behind the prefix.
    pub(super) fn edition(&self, providers: &[&str], prefix: &str) -> Result<Edition, String> {
        let version: Arc<str> = format!("catalogue@{}", self.as_of).into();
        let mut models = std::collections::HashMap::new();
        for entry in self.models.iter().filter(|entry| providers.contains(&&*entry.provider)) {
            let rates = entry.price.rates()?;
            let free = FREE.contains(&&*entry.provider);
            if (rates.input.is_none() && rates.output.is_none()) || (is_nothing(&rates) && !free) {
                continue;
            }
            let price = CatalogPrice {
                tiers: entry.price.tiers(&rates)?,
                rates,
                version: Arc::clone(&version),
                context: entry.context,
                max_output: entry.max_output,
            };
            let name = entry.id.strip_prefix(prefix).unwrap_or(&entry.id);
            models.insert(name.into(), price);
        }
        Ok(Edition {
            effective_from: self.as_of.and_time(NaiveTime::MIN).and_utc(),
            models,
        })
    }
}

fn is_nothing(rates: &Rates) -> bool {
    let nothing = |price: Option<UnitPrice>| price.is_none_or(|price| price.picos() == 0);
    nothing(rates.input) && nothing(rates.output)
}

impl Prices<'_> {
    fn rates(&self) -> Result<Rates, String> {
        let price = |price: Option<&RawValue>| price.map(|price| unit_price(price.get())).transpose();
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
        })
    }

    /// In the order of size; a unit that a tier does not name keeps its usual price.
    fn tiers(&self, usual: &Rates) -> Result<Arc<[Tier]>, String> {
        let tier = |tier: &Prices<'_>| {
            let rates = tier.rates()?;
            let rates = Rates {
                input: rates.input.or(usual.input),
                output: rates.output.or(usual.output),
                cache_read: rates.cache_read.or(usual.cache_read),
                cache_write_5m: rates.cache_write_5m.or(usual.cache_write_5m),
                cache_write_1h: rates.cache_write_1h.or(usual.cache_write_1h),
                reasoning: rates.reasoning.or(usual.reasoning),
                input_audio: rates.input_audio.or(usual.input_audio),
                output_audio: rates.output_audio.or(usual.output_audio),
                input_image: rates.input_image.or(usual.input_image),
            };
            Ok(Tier {
                above_input_tokens: tier.above_tokens,
                rates,
            })
        };
        let mut tiers = self.tiers.iter().map(tier).collect::<Result<Vec<_>, String>>()?;
        tiers.sort_by_key(|tier| tier.above_input_tokens);
        Ok(tiers.into())
    }
}

/// A JSON number of dollars as whole pico-dollars, to the nearest.
fn unit_price(number: &str) -> Result<UnitPrice, String> {
    let wrong = || format!("{number} is no price");
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| wrong())?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    let places = i32::try_from(fraction.len())
        .ok()
        .and_then(|places| exponent.checked_sub(places))
        .ok_or_else(wrong)?;
    let shift = places.checked_add(PICO).ok_or_else(wrong)?;
    let scale = 10_i128.checked_pow(shift.unsigned_abs()).ok_or_else(wrong)?;
    let picos = if shift < 0 {
        Some((digits + scale / 2) / scale)
    } else {
        digits.checked_mul(scale)
    };
    let picos = picos
        .and_then(|picos| i64::try_from(picos).ok())
        .filter(|picos| *picos >= 0)
        .ok_or_else(wrong)?;
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
        for text in [
            "-1e-06",
            "\"1\"",
            "null",
            "1e999999999999",
            "1e40",
            "1e-2147483648",
            "true",
        ] {
            assert_eq!(unit_price(text), Err(format!("{text} is no price")));
        }
    }
}
