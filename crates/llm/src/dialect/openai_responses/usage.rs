//! Usage as the Responses API counts it: totals that include their parts, against units that are disjoint.

use gatewright_types::{Nanos, UsageUnit};
use serde::Serialize;

use crate::json::Value;
use crate::terms::read_charge;
use crate::tokens::{count, searches_of};
use crate::{AnswerFacts, Terms, Tokens};

/// `usage` of a response, with everything that OpenAI's clients insist on.
#[derive(Debug, Serialize)]
pub(super) struct WrittenUsage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

/// The numbers of a usage object, each as told.
#[derive(Debug, Default)]
struct Told {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: u64,
    written: u64,
    /// Part of `written` that is kept for twelve hours instead of half an hour.
    written_long: u64,
    reasoning: u64,
    searches: u64,
    charge: Option<Nanos>,
    /// A number was negative.
    impossible: bool,
}

impl WrittenUsage {
    pub(super) fn of(tokens: &Tokens) -> Self {
        let (input_tokens, output_tokens) = (tokens.total_input(), tokens.total_output());
        let written = tokens.get(UsageUnit::InputCacheWrite5m);
        Self {
            input_tokens,
            input_tokens_details: InputDetails {
                cached_tokens: tokens.get(UsageUnit::InputCacheRead),
                cache_write_tokens: written.saturating_add(tokens.get(UsageUnit::InputCacheWrite1h)),
            },
            output_tokens,
            output_tokens_details: OutputDetails {
                reasoning_tokens: tokens.get(UsageUnit::OutputReasoning),
            },
            total_tokens: input_tokens.saturating_add(output_tokens),
        }
    }
}

/// Without usage when it is no object or tells no totals.
pub(super) fn read(usage: &Value<'_>) -> AnswerFacts {
    let told = Told::read(usage);
    AnswerFacts {
        terms: Terms::charged(told.charge),
        usage: told.normal_form(),
        blocked: false,
    }
}

impl Told {
    fn read(usage: &Value<'_>) -> Self {
        let mut told = Self::default();
        let mut members = usage.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = &member.value;
            match &*member.key {
                b"input_tokens" => told.input = count(value, &mut told.impossible),
                b"output_tokens" => told.output = count(value, &mut told.impossible),
                b"total_tokens" => told.total = count(value, &mut told.impossible),
                b"input_tokens_details" | b"output_tokens_details" => told.read_details(value),
                b"server_side_tool_usage_details" => told.searches = searches_of(value, &mut told.impossible),
                name => {
                    let charge = value.again(|value| read_charge(name, value));
                    told.charge = charge.ok().flatten().or(told.charge);
                }
            }
        }
        told
    }

    fn normal_form(self) -> Option<Tokens> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let (input, output) = (self.input.unwrap_or_default(), self.output.unwrap_or_default());
        let sum = input.saturating_add(output);
        let written_long = self.written_long.min(self.written);
        let mut tokens = Tokens::default();
        tokens.conflicting =
            self.impossible || self.written_long > self.written || self.total.is_some_and(|total| total != sum);
        let input_parts = [
            (UsageUnit::InputCacheRead, self.cached),
            (UsageUnit::InputCacheWrite5m, self.written - written_long),
            (UsageUnit::InputCacheWrite1h, written_long),
        ];
        tokens.divide(input, UsageUnit::InputUncached, &input_parts);
        let output_parts = [(UsageUnit::OutputReasoning, self.reasoning)];
        tokens.divide(output, UsageUnit::OutputText, &output_parts);
        tokens.set(UsageUnit::WebSearch, self.searches);
        Some(tokens)
    }

    fn read_details(&mut self, details: &Value<'_>) {
        let mut members = details.members();
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                b"cached_tokens" => self.cached = count(&member.value, &mut self.impossible).unwrap_or_default(),
                b"cache_write_tokens" => self.written = count(&member.value, &mut self.impossible).unwrap_or_default(),
                b"reasoning_tokens" => self.reasoning = count(&member.value, &mut self.impossible).unwrap_or_default(),
                b"cache_write_tokens_details" => self.read_details(&member.value),
                b"ttl_12h_tokens" => self.written_long = count(&member.value, &mut self.impossible).unwrap_or_default(),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::openai_responses::output::object;

    fn of(text: &str) -> Option<Tokens> {
        read(&object(text.as_bytes()).expect("an object")).usage
    }

    fn counts(tokens: &Tokens) -> Vec<(UsageUnit, u64)> {
        tokens.iter().collect()
    }

    #[test]
    fn totals_are_divided_into_units_and_summed_up_again() {
        let text = r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":30,
            "cache_write_tokens_details":{"ttl_30m_tokens":20,"ttl_12h_tokens":10}},
            "output_tokens":50,"output_tokens_details":{"reasoning_tokens":40},"total_tokens":150}"#;

        let tokens = of(text).expect("usage");

        assert_eq!(
            counts(&tokens),
            [
                (UsageUnit::InputUncached, 10),
                (UsageUnit::InputCacheRead, 60),
                (UsageUnit::InputCacheWrite5m, 20),
                (UsageUnit::InputCacheWrite1h, 10),
                (UsageUnit::OutputText, 10),
                (UsageUnit::OutputReasoning, 40),
            ]
        );
        assert!(!tokens.conflicting);
        assert_eq!(
            serde_json::to_string(&WrittenUsage::of(&tokens)).expect("JSON"),
            r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":30},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":40},"total_tokens":150}"#
        );
    }

    #[test]
    fn all_units_of_others_are_in_the_totals() {
        let mut tokens = Tokens::default();
        for unit in UsageUnit::ALL {
            tokens.set(unit, 1);
        }

        let written = WrittenUsage::of(&tokens);

        assert_eq!(
            (written.input_tokens, written.output_tokens, written.total_tokens),
            (6, 3, 9)
        );
    }

    #[test]
    fn numbers_that_contradict_each_other_are_cut_and_noted() {
        let check = |text: &str, input: u64, output: u64| {
            let tokens = of(text).expect(text);
            assert_eq!(
                (tokens.total_input(), tokens.total_output(), tokens.conflicting),
                (input, output, true),
                "{text}"
            );
        };

        check(
            r#"{"input_tokens":5,"input_tokens_details":{"cached_tokens":9},"output_tokens":1}"#,
            5,
            1,
        );
        check(
            r#"{"input_tokens":5,"output_tokens":1,"output_tokens_details":{"reasoning_tokens":2}}"#,
            5,
            1,
        );
        check(r#"{"input_tokens":-5,"output_tokens":1}"#, 0, 1);
        check(r#"{"input_tokens":5,"output_tokens":1,"total_tokens":7}"#, 5, 1);
    }

    #[test]
    fn without_totals_there_is_no_usage() {
        assert_eq!(of(r#"{"input_tokens_details":{"cached_tokens":1}}"#), None);
        assert_eq!(of(r#"{"input_tokens":"7"}"#), None);
    }
}
