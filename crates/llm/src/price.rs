//! From tokens and prices to line items and a cost. Integers throughout, rounded once per request.

use gatewright_types::api::{LineItem, Rates};
use gatewright_types::{Nanos, UnitPrice, UsageUnit};

use crate::{Most, Terms, Tokens};

/// Behind the version of prices that are for staying within the United States.
const US_ONLY: &str = "+us";

/// What a request costs, and of what that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// One per unit that was used.
    pub lines: Vec<LineItem>,
    /// `None`: a unit that was used has no price, so the request is unpriced.
    pub cost: Option<Nanos>,
}

impl Bill {
    /// Puts the lines of another call of the same request behind these.
    pub fn add(&mut self, other: Self) {
        self.lines.extend(other.lines);
        let both = self.cost.zip(other.cost);
        self.cost = both.map(|(one, other)| one.saturating_add(other));
    }

    /// Says on all lines, also those that have no price, that the provider stayed within the United States.
    pub(crate) fn of_us_only(mut self) -> Self {
        for line in &mut self.lines {
            line.price_version.get_or_insert_default().push_str(US_ONLY);
        }
        self
    }
}

/// Whether a line with this version is of a request for which the provider stayed within the United States.
pub fn is_us_only(version: &str) -> bool {
    version.ends_with(US_ONLY)
}

/// Applies prices; `version` says which they are and goes onto every line that has a price.
pub fn bill(tokens: &Tokens, rates: &Rates, version: &str) -> Bill {
    let lines: Vec<LineItem> = tokens
        .iter()
        .map(|(unit, quantity)| {
            let price = price_of(unit, rates);
            LineItem {
                unit,
                quantity,
                price,
                price_version: price.map(|_| version.into()),
            }
        })
        .collect();
    let picos = lines.iter().try_fold(0_i128, |sum, line| {
        Some(sum.saturating_add(line.price?.times(line.quantity)))
    });
    Bill {
        lines,
        cost: picos.map(Nanos::from_picos),
    }
}

/// The most that a request costs at one of these prices; `None` where none of them is one for texts.
pub fn at_most<'a>(most: &Most, rates: impl Iterator<Item = &'a Rates>) -> Option<Nanos> {
    let picos = rates.filter_map(|rates| {
        let input = dearest(
            rates.input?,
            [
                rates.cache_read,
                rates.cache_write_5m,
                rates.cache_write_1h,
                rates.input_image.filter(|_| most.pictures),
                rates.input_audio.filter(|_| most.sounds),
            ],
        );
        let output = dearest(
            rates
                .output
                .or_else(|| (most.output == 0).then_some(UnitPrice::from_picos(0)))?,
            [rates.reasoning, rates.output_audio.filter(|_| most.speaks)],
        );
        Some(input.times(most.input).saturating_add(output.times(most.output)))
    });
    picos.max().map(Nanos::from_picos)
}

fn dearest(plain: UnitPrice, others: impl IntoIterator<Item = Option<UnitPrice>>) -> UnitPrice {
    others.into_iter().flatten().fold(plain, UnitPrice::max)
}

/// For a model without any price on these terms: lines without prices, no cost.
pub fn unpriced(tokens: &Tokens, terms: Terms) -> Bill {
    let line = |(unit, quantity)| LineItem {
        unit,
        quantity,
        price: None,
        price_version: None,
    };
    let bill = Bill {
        lines: tokens.iter().map(line).collect(),
        cost: None,
    };
    if terms.us_only { bill.of_us_only() } else { bill }
}

/// Reasoning is output and images are input on every provider that names no price of their own for them. Cache reads,
/// cache writes, audio and searches differ from the plain price by factors that only the provider knows: without a price they
/// have none.
fn price_of(unit: UsageUnit, rates: &Rates) -> Option<UnitPrice> {
    match unit {
        UsageUnit::InputUncached => rates.input,
        UsageUnit::InputCacheRead => rates.cache_read,
        UsageUnit::InputCacheWrite5m => rates.cache_write_5m,
        UsageUnit::InputCacheWrite1h => rates.cache_write_1h,
        UsageUnit::InputAudio => rates.input_audio,
        UsageUnit::InputImage => rates.input_image.or(rates.input),
        UsageUnit::OutputText => rates.output,
        UsageUnit::OutputReasoning => rates.reasoning.or(rates.output),
        UsageUnit::OutputAudio => rates.output_audio,
        UsageUnit::WebSearch => rates.web_search,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates() -> Rates {
        let price = |text: &str| Some(text.parse().expect("a price"));
        Rates {
            input: price("0.15"),
            output: price("0.60"),
            cache_read: price("0.075"),
            ..Rates::default()
        }
    }

    fn tokens(counts: &[(UsageUnit, u64)]) -> Tokens {
        let mut tokens = Tokens::default();
        for (unit, count) in counts {
            tokens.set(*unit, *count);
        }
        tokens
    }

    #[test]
    fn a_bill_has_a_line_per_unit_and_is_rounded_once() {
        let used = tokens(&[
            (UsageUnit::InputUncached, 1),
            (UsageUnit::InputCacheRead, 3),
            (UsageUnit::OutputText, 1),
        ]);

        let bill = bill(&used, &rates(), "catalogue@2026-08-01");

        let lines: Vec<_> = bill
            .lines
            .iter()
            .map(|line| (line.unit, line.quantity, line.price.map(UnitPrice::picos)))
            .collect();
        assert_eq!(
            lines,
            [
                (UsageUnit::InputUncached, 1, Some(150_000)),
                (UsageUnit::InputCacheRead, 3, Some(75_000)),
                (UsageUnit::OutputText, 1, Some(600_000)),
            ]
        );
        assert!(
            bill.lines
                .iter()
                .all(|line| line.price_version.as_deref() == Some("catalogue@2026-08-01"))
        );
        assert_eq!(bill.cost, Some(Nanos::new(975)));
    }

    #[test]
    fn reasoning_and_images_fall_back_to_the_plain_price() {
        let used = tokens(&[(UsageUnit::OutputReasoning, 1_000), (UsageUnit::InputImage, 1_000)]);

        assert_eq!(bill(&used, &rates(), "v").cost, Some(Nanos::new(750_000)));
        let own = Rates {
            reasoning: Some(UnitPrice::from_picos(0)),
            input_image: Some(UnitPrice::from_picos(1_000)),
            ..rates()
        };
        assert_eq!(bill(&used, &own, "v").cost, Some(Nanos::new(1_000)));
    }

    #[test]
    fn a_used_unit_without_price_makes_the_request_unpriced() {
        for unit in [
            UsageUnit::InputCacheWrite5m,
            UsageUnit::InputCacheWrite1h,
            UsageUnit::InputAudio,
            UsageUnit::OutputAudio,
        ] {
            let bill = bill(&tokens(&[(UsageUnit::InputUncached, 5), (unit, 1)]), &rates(), "v");
            assert_eq!((bill.cost, bill.lines.len()), (None, 2), "{unit:?}");
            assert_eq!(bill.lines.get(1).and_then(|line| line.price_version.as_deref()), None);
        }
        let without_cache_read = Rates {
            cache_read: None,
            ..rates()
        };
        assert_eq!(
            bill(&tokens(&[(UsageUnit::InputCacheRead, 1)]), &without_cache_read, "v").cost,
            None
        );
    }

    #[test]
    fn a_price_of_zero_is_a_price_and_no_price_is_none() {
        let free = Rates {
            input: Some(UnitPrice::from_picos(0)),
            ..Rates::default()
        };
        let used = tokens(&[(UsageUnit::InputUncached, 1_000)]);

        assert_eq!(bill(&used, &free, "v").cost, Some(Nanos::ZERO));
        assert_eq!(
            (
                unpriced(&used, Terms::default()).cost,
                unpriced(&used, Terms::default()).lines.len()
            ),
            (None, 1)
        );
        assert_eq!(unpriced(&Tokens::default(), Terms::default()).cost, None);
    }

    #[test]
    fn the_most_that_is_paid_is_at_the_dearest_price_of_each_kind() {
        let most = |input, output| Most {
            input,
            output,
            pictures: false,
            sounds: false,
            speaks: false,
        };
        let price = |text: &str| Some(text.parse().expect("a price"));
        let writes = Rates {
            cache_write_1h: price("0.30"),
            input_audio: price("100"),
            reasoning: price("0.70"),
            ..rates()
        };

        let check = |most: &Most, all: &[&Rates], expected| {
            assert_eq!(at_most(most, all.iter().copied()), expected, "{most:?}");
        };
        check(&most(1_000, 1_000), &[&rates()], Some(Nanos::new(750_000)));
        check(&most(1_000, 1_000), &[&rates(), &writes], Some(Nanos::new(1_000_000)));
        let heard = Most {
            sounds: true,
            ..most(1_000, 0)
        };
        check(&heard, &[&writes], Some(Nanos::new(100_000_000)));
        check(&most(1, 1), &[&Rates::default()], None);
        check(&most(u64::MAX, u64::MAX), &[&rates()], Some(Nanos::new(i64::MAX)));
    }

    #[test]
    fn counts_beyond_all_sense_do_not_overflow() {
        let all: Vec<_> = UsageUnit::ALL.into_iter().map(|unit| (unit, u64::MAX)).collect();
        let dearest = Some(UnitPrice::from_picos(i64::MAX));
        let rates = Rates {
            input: dearest,
            output: dearest,
            cache_read: dearest,
            cache_write_5m: dearest,
            cache_write_1h: dearest,
            reasoning: dearest,
            input_audio: dearest,
            output_audio: dearest,
            input_image: dearest,
            web_search: dearest,
        };

        assert_eq!(bill(&tokens(&all), &rates, "v").cost, Some(Nanos::new(i64::MAX)));
    }
}
