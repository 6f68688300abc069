//! What a request counts against a limit of tokens, where somebody wrote down how tokens are weighed.

use gatewright_cel::{Expression, Names, Value};
use gatewright_llm::Tokens;
use gatewright_types::UsageUnit;

use crate::said::Said;

/// More of them cannot be counted exactly.
const MOST: f64 = 1e15;

struct Weighed<'a> {
    said: &'a Said<'a>,
    tokens: &'a Tokens,
}

/// Rounded up, and never less than nothing. Where the expression has no result, for want of something that the request
/// does not say, input and output count alike: nothing is free by mistake.
pub fn units(expression: Option<&Expression>, said: &Said<'_>, tokens: &Tokens) -> u64 {
    let weighed = expression.and_then(|expression| {
        let names = Weighed { said, tokens };
        let value = expression.evaluate(&names).ok()?;
        match value {
            Value::Int(units) => Some(u64::try_from(units).unwrap_or_default()),
            Value::Uint(units) => Some(units),
            Value::Double(units) => whole(units),
            _ => None,
        }
    });
    weighed.unwrap_or_else(|| tokens.total_input().saturating_add(tokens.total_output()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within these bounds nothing is cut off"
)]
fn whole(units: f64) -> Option<u64> {
    (!units.is_nan()).then(|| units.ceil().clamp(0.0, MOST) as u64)
}

impl Names for Weighed<'_> {
    fn find<'a>(&'a self, path: &str) -> Option<Value<'a>> {
        let Some(member) = path.strip_prefix("tokens.") else {
            return self.said.find(path);
        };
        let tokens = self.tokens;
        let written = || tokens.get(UsageUnit::InputCacheWrite5m) + tokens.get(UsageUnit::InputCacheWrite1h);
        let read = || tokens.get(UsageUnit::InputCacheRead);
        Some(Value::Double(precise(match member {
            "input" => tokens.total_input().saturating_sub(read()).saturating_sub(written()),
            "cache_read" => read(),
            "cache_write" => written(),
            "output" => tokens.total_output(),
            "reasoning" => tokens.get(UsageUnit::OutputReasoning),
            _ => return None,
        })))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no request has so many tokens that one of them matters"
)]
fn precise(count: u64) -> f64 {
    count as f64
}
