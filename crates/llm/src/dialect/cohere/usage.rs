//! Cohere's usage. What is billed counts: it leaves out what Cohere adds to prompts by itself.

use gatewright_types::UsageUnit;

use crate::Tokens;
use crate::json::Value;
use crate::tokens::count;

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    input: Option<u64>,
    output: Option<u64>,
    impossible: bool,
}

/// `None` when no number is told.
pub(crate) fn read(usage: &Value<'_>) -> Option<Tokens> {
    let (mut billed, mut used) = (Counts::default(), Counts::default());
    let (mut cached, mut impossible) = (0, false);
    let mut members = usage.members();
    while let Ok(Some(member)) = members.next_member() {
        match &*member.key {
            b"billed_units" => billed = Counts::read(&member.value),
            b"tokens" => used = Counts::read(&member.value),
            b"cached_tokens" => cached = count(&member.value, &mut impossible).unwrap_or_default(),
            _ => {}
        }
    }
    let output = billed.output.or(used.output);
    let input = billed.input.or(used.input);
    if input.is_none() && output.is_none() {
        return None;
    }
    let input = input.unwrap_or_default();
    // What is cached is the beginning of the prompt, and what Cohere adds unbilled comes first.
    let unbilled = used.input.unwrap_or(input).saturating_sub(input);
    let told = cached.saturating_sub(unbilled);
    let fitting = told.min(input);
    let mut tokens = Tokens::default();
    tokens.conflicting = impossible || billed.impossible || used.impossible || fitting < told;
    tokens.set(UsageUnit::InputUncached, input - fitting);
    tokens.set(UsageUnit::InputCacheRead, fitting);
    tokens.set(UsageUnit::OutputText, output.unwrap_or_default());
    Some(tokens)
}

impl Counts {
    fn read(value: &Value<'_>) -> Self {
        let mut counts = Self::default();
        let mut members = value.members();
        while let Ok(Some(member)) = members.next_member() {
            let place = match &*member.key {
                b"input_tokens" => &mut counts.input,
                b"output_tokens" => &mut counts.output,
                _ => continue,
            };
            *place = count(&member.value, &mut counts.impossible);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Kind;

    fn check(usage: &str, expected: Option<(u64, u64, u64, bool)>) {
        let value = Value {
            kind: Kind::Object,
            text: usage.as_bytes(),
            start: 0,
        };
        let tokens = read(&value);
        let told = tokens.map(|tokens| {
            (
                tokens.total_input(),
                tokens.get(UsageUnit::InputCacheRead),
                tokens.total_output(),
                tokens.conflicting,
            )
        });
        assert_eq!(told, expected, "{usage}");
    }

    #[test]
    fn what_is_billed_counts() {
        check(
            r#"{"billed_units":{"input_tokens":17.0,"output_tokens":12},"tokens":{"input_tokens":215,"output_tokens":12},"cached_tokens":208}"#,
            Some((17, 10, 12, false)),
        );
        check(
            r#"{"billed_units":{"input_tokens":17,"output_tokens":12},"tokens":{"input_tokens":215},"cached_tokens":128}"#,
            Some((17, 0, 12, false)),
        );
        check(
            r#"{"tokens":{"input_tokens":215,"output_tokens":12}}"#,
            Some((215, 0, 12, false)),
        );
        check(
            r#"{"tokens":{"input_tokens":-1,"output_tokens":1}}"#,
            Some((0, 0, 1, true)),
        );
        check(
            r#"{"tokens":{"input_tokens":5},"cached_tokens":9}"#,
            Some((5, 5, 0, true)),
        );
        check("{}", None);
    }
}
