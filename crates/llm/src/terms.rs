//! On what terms a provider says it served a request: in which tier, and for how much. Both go beside our own bill, which
//! the tier decides.

use gatewright_types::Nanos;
use gatewright_types::api::ServedTier;

use crate::decimal;
use crate::json::{Kind, Slot, SyntaxError, Value};

/// Decimal places of a dollar that a nano-dollar is.
const NANO: i32 = 9;
/// Of xAI's unit, ten thousand millions of which are a dollar, to nano-dollars.
const TICK: i32 = -1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// `None`: it did not say.
    pub served: Option<ServedTier>,
    /// It says that it stayed within the United States.
    pub us_only: bool,
    /// What it says it charges; `None`: it did not say.
    pub charge: Option<Nanos>,
}

impl Terms {
    /// What is told later goes before what was told earlier.
    #[must_use]
    pub fn or(self, earlier: Self) -> Self {
        Self {
            served: self.served.or(earlier.served),
            us_only: self.us_only || earlier.us_only,
            charge: self.charge.or(earlier.charge),
        }
    }

    pub(crate) fn served(tier: Option<ServedTier>) -> Self {
        Self {
            served: tier,
            ..Self::default()
        }
    }

    pub(crate) fn charged(charge: Option<Nanos>) -> Self {
        Self {
            charge,
            ..Self::default()
        }
    }
}

/// A tier in the words of any provider; no two of them mean different things by one. `None` where nothing is said:
/// `auto` is only what was asked for.
pub fn served_tier(word: &str) -> Option<ServedTier> {
    Some(match word {
        "" | "auto" | "unspecified" | "TRAFFIC_TYPE_UNSPECIFIED" => return None,
        "default" | "standard" | "on_demand" | "ON_DEMAND" => ServedTier::Standard,
        "flex" | "ON_DEMAND_FLEX" => ServedTier::Flex,
        "priority" | "ON_DEMAND_PRIORITY" => ServedTier::Priority,
        "batch" => ServedTier::Batch,
        "fast" | "optimized" => ServedTier::Fast,
        "scale" | "reserved" | "PROVISIONED_THROUGHPUT" => ServedTier::Provisioned,
        _ => ServedTier::Unknown,
    })
}

/// The same of a member; one that is no text says nothing.
pub(crate) fn read_tier(value: &Value<'_>) -> Option<ServedTier> {
    served_tier(&value.string()?)
}

/// The charge that a member of a usage object tells, as OpenRouter, Perplexity and xAI have it; of any other, none.
pub(crate) fn read_charge(name: &[u8], value: Slot<'_, '_>) -> Result<Option<Nanos>, SyntaxError> {
    let mut charge = None;
    match name {
        b"cost" if value.kind()? == Kind::Object => value.members(|name, value| {
            if name == b"total_cost" {
                charge = dollars(&value.pass()?, NANO);
            }
            Ok(())
        })?,
        b"cost" => charge = dollars(&value.pass()?, NANO),
        b"cost_in_usd_ticks" => charge = dollars(&value.pass()?, TICK),
        _ => {}
    }
    Ok(charge)
}

fn dollars(value: &Value<'_>, places: i32) -> Option<Nanos> {
    if value.kind != Kind::Number {
        return None;
    }
    let number = std::str::from_utf8(value.text).ok()?;
    let nanos = decimal::shifted(number, places).filter(|nanos| *nanos >= 0)?;
    i64::try_from(nanos).ok().map(Nanos::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(usage: &str) -> Option<Nanos> {
        let value = Value {
            kind: Kind::Object,
            text: usage.as_bytes(),
            start: 0,
        };
        let mut found = None;
        let read = value.again(|usage| {
            usage.members(|name, value| {
                found = read_charge(name, value)?.or(found);
                Ok(())
            })
        });
        read.expect("JSON");
        found
    }

    #[test]
    fn charges_are_whole_nano_dollars_from_the_decimal_text() {
        let check = |usage: &str, nanos: i64| assert_eq!(charge(usage), Some(Nanos::new(nanos)), "{usage}");

        check(r#"{"cost":0.00014}"#, 140_000);
        check(r#"{"cost":1.5e-05,"is_byok":false}"#, 15_000);
        check(r#"{"cost":0}"#, 0);
        check(r#"{"cost":2.25e-10}"#, 0);
        check(r#"{"cost":{"input_tokens_cost":1e-6,"total_cost":0.006}}"#, 6_000_000);
        check(r#"{"cost_in_usd_ticks":37756000}"#, 3_775_600);
        check(r#"{"cost_in_usd_ticks":15}"#, 2);
    }

    #[test]
    fn what_is_no_charge_is_none() {
        for usage in [
            "{}",
            r#"{"cost":"0.1"}"#,
            r#"{"cost":-1}"#,
            r#"{"cost":1e40}"#,
            r#"{"cost":null}"#,
            r#"{"cost":{"total_cost":null}}"#,
            r#"{"costs":1}"#,
        ] {
            assert_eq!(charge(usage), None, "{usage}");
        }
    }

    #[test]
    fn a_word_nobody_knows_is_a_tier_nobody_knows() {
        assert_eq!(served_tier("auto"), None);
        assert_eq!(served_tier("default"), Some(ServedTier::Standard));
        assert_eq!(served_tier("ON_DEMAND_PRIORITY"), Some(ServedTier::Priority));
        assert_eq!(served_tier("scale"), Some(ServedTier::Provisioned));
        assert_eq!(served_tier("performance"), Some(ServedTier::Unknown));
    }
}
