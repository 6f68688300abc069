//! Anthropic's usage object and [`Tokens`]. `input_tokens` leaves out what was read from the cache or written to it;
//! `output_tokens` includes thinking.

use gatewright_types::UsageUnit;
use gatewright_types::api::ServedTier;
use serde::Serialize;

use crate::json::Value;
use crate::terms::read_tier;
use crate::tokens::count;
use crate::{AnswerFacts, Terms, Tokens};

/// The numbers told so far. They are cumulative: those of a later event replace those of an earlier one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ToldUsage {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    written_5m: Option<u64>,
    written_1h: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
    tier: Option<ServedTier>,
    speed: Option<ServedTier>,
    geo: Option<Geo>,
    searches: u64,
    /// A number was negative.
    impossible: bool,
}

/// Where Anthropic says that it stayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Geo {
    UnitedStates,
    /// For a price that nobody here knows.
    Unknown,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: CacheCreation,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl ToldUsage {
    pub(super) fn read(usage: &Value<'_>) -> Self {
        let mut told = Self::default();
        told.update(usage);
        told
    }

    pub(super) fn update(&mut self, usage: &Value<'_>) {
        let mut members = usage.members();
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                // Nested: the parts of a number that is told beside them.
                b"cache_creation" | b"output_tokens_details" | b"server_tool_use" => self.update(&member.value),
                key => self.tell(key, &member.value),
            }
        }
    }

    fn tell(&mut self, key: &[u8], value: &Value<'_>) {
        let place = match key {
            b"input_tokens" => &mut self.input,
            b"cache_read_input_tokens" => &mut self.cache_read,
            b"cache_creation_input_tokens" => &mut self.cache_written,
            b"ephemeral_5m_input_tokens" => &mut self.written_5m,
            b"ephemeral_1h_input_tokens" => &mut self.written_1h,
            b"output_tokens" => &mut self.output,
            b"thinking_tokens" => &mut self.thinking,
            b"web_search_requests" => {
                self.searches = count(value, &mut self.impossible).unwrap_or(self.searches);
                return;
            }
            b"service_tier" => {
                self.tier = read_tier(value).or(self.tier);
                return;
            }
            b"inference_geo" => {
                self.geo = match value.string().as_deref() {
                    None | Some("" | "global" | "not_available") => self.geo,
                    Some("us") => Some(Geo::UnitedStates),
                    Some(_) => Some(Geo::Unknown),
                };
                return;
            }
            b"speed" => {
                self.speed = read_tier(value).or(self.speed);
                return;
            }
            _ => return,
        };
        if let Some(told) = count(value, &mut self.impossible) {
            *place = Some(told);
        }
    }

    pub(super) fn facts(&self) -> AnswerFacts {
        // A faster model is priced by its speed, whichever tier it is in.
        let fast = self.speed.filter(|speed| *speed == ServedTier::Fast);
        let elsewhere = (self.geo == Some(Geo::Unknown)).then_some(ServedTier::Unknown);
        AnswerFacts {
            usage: self.tokens(),
            terms: Terms {
                us_only: self.geo == Some(Geo::UnitedStates),
                ..Terms::served(elsewhere.or(fast).or(self.tier))
            },
            blocked: false,
        }
    }

    /// `None` when there is nothing but zeros: no answer uses no tokens, so nothing is known yet.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let split = self
            .written_5m
            .unwrap_or(0)
            .saturating_add(self.written_1h.unwrap_or(0));
        let written = self.cache_written.unwrap_or(split);
        let written_1h = self.written_1h.unwrap_or(0).min(written);
        let output = self.output.unwrap_or(0);
        let told_thinking = self.thinking.unwrap_or(0);
        let thinking = told_thinking.min(output);
        let mut tokens = Tokens::default();
        tokens.conflicting = self.impossible || split > written || told_thinking > output;
        tokens.set(UsageUnit::InputUncached, self.input.unwrap_or(0));
        tokens.set(UsageUnit::InputCacheRead, self.cache_read.unwrap_or(0));
        // What is not said to last an hour lasts five minutes.
        tokens.set(UsageUnit::InputCacheWrite5m, written - written_1h);
        tokens.set(UsageUnit::InputCacheWrite1h, written_1h);
        tokens.set(UsageUnit::OutputText, output - thinking);
        tokens.set(UsageUnit::OutputReasoning, thinking);
        tokens.set(UsageUnit::WebSearch, self.searches);
        (tokens != Tokens::default()).then_some(tokens)
    }
}

impl From<&Tokens> for Usage {
    fn from(tokens: &Tokens) -> Self {
        let cache_read = tokens.get(UsageUnit::InputCacheRead);
        let cache_creation = CacheCreation {
            ephemeral_5m_input_tokens: tokens.get(UsageUnit::InputCacheWrite5m),
            ephemeral_1h_input_tokens: tokens.get(UsageUnit::InputCacheWrite1h),
        };
        let written = cache_creation
            .ephemeral_5m_input_tokens
            .saturating_add(cache_creation.ephemeral_1h_input_tokens);
        let thinking_tokens = tokens.get(UsageUnit::OutputReasoning);
        Self {
            // Sound and images too, which Anthropic does not tell apart.
            input_tokens: tokens.total_input().saturating_sub(cache_read).saturating_sub(written),
            cache_creation_input_tokens: written,
            cache_read_input_tokens: cache_read,
            cache_creation,
            output_tokens: tokens.total_output(),
            output_tokens_details: (thinking_tokens > 0).then_some(OutputDetails { thinking_tokens }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Members;

    fn read(usage: &str) -> Option<Tokens> {
        let document = format!("{{\"usage\":{usage}}}");
        let mut members = Members::of_document(document.as_bytes()).expect("an object");
        let member = members.next_member().expect("JSON").expect("a member");
        ToldUsage::read(&member.value).tokens()
    }

    fn tokens(counts: [u64; 6]) -> Tokens {
        let units = [
            UsageUnit::InputUncached,
            UsageUnit::InputCacheRead,
            UsageUnit::InputCacheWrite5m,
            UsageUnit::InputCacheWrite1h,
            UsageUnit::OutputText,
            UsageUnit::OutputReasoning,
        ];
        let mut tokens = Tokens::default();
        for (unit, count) in units.into_iter().zip(counts) {
            tokens.set(unit, count);
        }
        tokens
    }

    #[test]
    fn parts_and_totals_are_made_from_each_other() {
        let usage = r#"{"input_tokens":10,"cache_creation_input_tokens":70,"cache_read_input_tokens":500,"cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":30},"output_tokens":25,"output_tokens_details":{"thinking_tokens":20}}"#;

        let read = read(usage).expect("usage");
        let written = serde_json::to_string(&Usage::from(&read)).expect("JSON");

        assert_eq!(read, tokens([10, 500, 40, 30, 5, 20]));
        assert_eq!((read.total_input(), read.total_output()), (10 + 70 + 500, 25));
        assert_eq!(written, usage);
    }

    #[test]
    fn writes_of_unknown_duration_last_five_minutes() {
        assert_eq!(
            read(r#"{"input_tokens":1,"cache_creation_input_tokens":9,"output_tokens":2}"#),
            Some(tokens([1, 0, 9, 0, 2, 0]))
        );
    }

    #[test]
    fn units_that_anthropic_does_not_know_count_as_input() {
        let mut spoken = tokens([3, 0, 0, 0, 1, 0]);
        spoken.set(UsageUnit::InputAudio, 5);
        spoken.set(UsageUnit::InputImage, 7);
        spoken.set(UsageUnit::OutputAudio, 2);

        let written = serde_json::to_string(&Usage::from(&spoken)).expect("JSON");

        assert_eq!(read(&written), Some(tokens([15, 0, 0, 0, 3, 0])));
    }

    #[test]
    fn contradictions_are_fitted_and_flagged() {
        let check = |usage: &str, counts| {
            let mut expected = tokens(counts);
            expected.conflicting = true;
            assert_eq!(read(usage), Some(expected), "{usage}");
        };

        check(r#"{"input_tokens":-4,"output_tokens":2.0}"#, [0, 0, 0, 0, 2, 0]);
        check(
            r#"{"input_tokens":1,"output_tokens":2,"output_tokens_details":{"thinking_tokens":5}}"#,
            [1, 0, 0, 0, 0, 2],
        );
        check(
            r#"{"input_tokens":1,"cache_creation_input_tokens":4,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":3}}"#,
            [1, 0, 1, 3, 0, 0],
        );
    }

    #[test]
    fn zeros_say_nothing() {
        assert_eq!(read(r#"{"input_tokens":0,"output_tokens":0}"#), None);
        assert_eq!(read("null"), None);
    }
}
