//! Tokens in the disjoint normal form: each token counts in exactly one unit, so that prices can be applied to the counts
//! as they are. Knows how OpenAI's dialect nests its numbers, and fits numbers that contradict each other.

use std::fmt;

use gatewright_types::{Nanos, UsageUnit};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{Kind, Slot, SyntaxError, Value};
use crate::terms::read_charge;
use crate::{AnswerFacts, Terms};

const CONFLICTING: &str = "conflicting";

/// How much was used, per unit. Written as a map of the units that are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    counts: [u64; UsageUnit::ALL.len()],
    /// The provider's numbers contradict each other; the parts were fitted into its totals.
    pub conflicting: bool,
}

/// The numbers of a usage object, each as told.
#[derive(Debug, Default)]
struct Told {
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    cached: u64,
    written: u64,
    audio_in: u64,
    image_in: u64,
    reasoning: u64,
    audio_out: u64,
    searches: u64,
    charge: Option<Nanos>,
    /// A number was negative.
    impossible: bool,
}

impl Tokens {
    pub fn get(&self, unit: UsageUnit) -> u64 {
        self.counts.get(unit as usize).copied().unwrap_or_default()
    }

    pub fn set(&mut self, unit: UsageUnit, count: u64) {
        if let Some(place) = self.counts.get_mut(unit as usize) {
            *place = count;
        }
    }

    pub fn total_input(&self) -> u64 {
        self.sum(UsageUnit::INPUT)
    }

    pub fn total_output(&self) -> u64 {
        self.sum(UsageUnit::OUTPUT)
    }

    /// The units that were used, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (UsageUnit, u64)> + '_ {
        UsageUnit::ALL
            .into_iter()
            .map(|unit| (unit, self.get(unit)))
            .filter(|(_, count)| *count > 0)
    }

    /// Reads the usage object of an OpenAI answer; `None` when it is no object or tells no totals.
    pub(crate) fn read(usage: &Value<'_>) -> Option<Self> {
        AnswerFacts::read_usage_value(usage).usage
    }

    fn sum(&self, units: &[UsageUnit]) -> u64 {
        units.iter().fold(0, |sum, unit| sum.saturating_add(self.get(*unit)))
    }
}

impl AnswerFacts {
    /// Reads the usage object of an OpenAI answer, and what it says of the charge, in one pass with what is around it.
    pub(crate) fn read_usage(usage: Slot<'_, '_>) -> Result<Self, SyntaxError> {
        let told = Told::read(usage)?;
        Ok(Self {
            terms: Terms::charged(told.charge),
            usage: told.normal_form(),
            blocked: false,
        })
    }

    /// The same of an object that was passed before.
    pub(crate) fn read_usage_value(usage: &Value<'_>) -> Self {
        usage.again(Self::read_usage).unwrap_or_default()
    }
}

/// Reads a count. Some servers write whole numbers as `12.0`; a negative one counts as none and is `impossible`.
pub(crate) fn count(value: &Value<'_>, impossible: &mut bool) -> Option<u64> {
    if value.kind != Kind::Number {
        return None;
    }
    if value.text.starts_with(b"-") {
        *impossible |= value.text.iter().any(|byte| matches!(byte, b'1'..=b'9'));
        return Some(0);
    }
    let whole = value.text.iter().take_while(|byte| **byte != b'.');
    whole.copied().try_fold(0_u64, |count, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        count.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The searches among xAI's own tools that ran.
pub(crate) fn searches_of(details: &Value<'_>, impossible: &mut bool) -> u64 {
    let mut searches = 0_u64;
    let mut members = details.members();
    while let Ok(Some(member)) = members.next_member() {
        if matches!(&*member.key, b"web_search_calls" | b"x_search_calls") {
            searches = searches.saturating_add(count(&member.value, impossible).unwrap_or_default());
        }
    }
    searches
}

impl Told {
    fn read(usage: Slot<'_, '_>) -> Result<Self, SyntaxError> {
        let mut told = Self::default();
        usage.members(|name, value| {
            match name {
                b"prompt_tokens" => told.prompt = count(&value.pass()?, &mut told.impossible),
                b"completion_tokens" => told.completion = count(&value.pass()?, &mut told.impossible),
                b"total_tokens" => told.total = count(&value.pass()?, &mut told.impossible),
                // DeepSeek's name for what OpenAI calls cached_tokens; servers that send both mean the same tokens.
                b"prompt_cache_hit_tokens" => {
                    let hits = count(&value.pass()?, &mut told.impossible);
                    told.cached = told.cached.max(hits.unwrap_or_default());
                }
                b"prompt_tokens_details" => value.members(|name, value| {
                    told.prompt_detail(name, &value.pass()?);
                    Ok(())
                })?,
                b"completion_tokens_details" => {
                    value.members(|name, value| {
                        told.completion_detail(name, &value.pass()?);
                        Ok(())
                    })?;
                }
                // Perplexity's name.
                b"num_search_queries" => {
                    let searches = count(&value.pass()?, &mut told.impossible);
                    told.searches = told.searches.max(searches.unwrap_or_default());
                }
                b"server_side_tool_usage_details" => {
                    let searches = searches_of(&value.pass()?, &mut told.impossible);
                    told.searches = told.searches.max(searches);
                }
                _ => told.charge = read_charge(name, value)?.or(told.charge),
            }
            Ok(())
        })?;
        Ok(told)
    }

    fn prompt_detail(&mut self, name: &[u8], value: &Value<'_>) {
        let count = count(value, &mut self.impossible).unwrap_or_default();
        match name {
            b"cached_tokens" => self.cached = self.cached.max(count),
            b"cache_write_tokens" => self.written = count,
            b"audio_tokens" => self.audio_in = count,
            b"image_tokens" => self.image_in = count,
            _ => {}
        }
    }

    fn completion_detail(&mut self, name: &[u8], value: &Value<'_>) {
        let count = count(value, &mut self.impossible).unwrap_or_default();
        match name {
            b"reasoning_tokens" => self.reasoning = count,
            b"audio_tokens" => self.audio_out = count,
            _ => {}
        }
    }

    fn normal_form(self) -> Option<Tokens> {
        let (prompt, completion) = match (self.prompt, self.completion, self.total) {
            (None, None, None) => return None,
            (None, None, Some(total)) => (total, 0),
            (Some(prompt), Some(completion), _) => (prompt, completion),
            (Some(prompt), None, total) => (prompt, total.map_or(0, |total| total.saturating_sub(prompt))),
            (None, Some(completion), total) => (total.map_or(0, |total| total.saturating_sub(completion)), completion),
        };
        let sum = prompt.saturating_add(completion);
        let total = self.total.unwrap_or(sum);
        // Some servers (xAI) leave reasoning out of completion_tokens, as their total shows.
        let apart = total != sum && self.reasoning > 0 && total == sum.saturating_add(self.reasoning);
        let output = if apart {
            completion.saturating_add(self.reasoning)
        } else {
            completion
        };
        let mut tokens = Tokens {
            conflicting: self.impossible || (total != sum && !apart),
            ..Tokens::default()
        };
        let input_parts = [
            (UsageUnit::InputCacheRead, self.cached),
            (UsageUnit::InputCacheWrite5m, self.written),
            (UsageUnit::InputAudio, self.audio_in),
            (UsageUnit::InputImage, self.image_in),
        ];
        let output_parts = [
            (UsageUnit::OutputReasoning, self.reasoning),
            (UsageUnit::OutputAudio, self.audio_out),
        ];
        tokens.divide(prompt, UsageUnit::InputUncached, &input_parts);
        tokens.divide(output, UsageUnit::OutputText, &output_parts);
        tokens.set(UsageUnit::WebSearch, self.searches);
        Some(tokens)
    }
}

impl Tokens {
    /// With the searches that were told before, where nothing is said of any.
    #[must_use]
    pub(crate) fn keeping_searches(mut self, before: Option<Self>) -> Self {
        let told = before.map_or(0, |before| before.get(UsageUnit::WebSearch));
        self.set(UsageUnit::WebSearch, self.get(UsageUnit::WebSearch).max(told));
        self
    }

    /// Divides a total into parts; the rest of it counts as `rest`. Parts that exceed the total are cut.
    pub(crate) fn divide(&mut self, total: u64, rest: UsageUnit, parts: &[(UsageUnit, u64)]) {
        let mut left = total;
        for (unit, count) in parts {
            let fitting = left.min(*count);
            self.conflicting |= fitting < *count;
            self.set(*unit, fitting);
            left -= fitting;
        }
        self.set(rest, left);
    }
}

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (unit, count) in self.iter() {
            map.serialize_entry(&unit, &count)?;
        }
        if self.conflicting {
            map.serialize_entry(CONFLICTING, &true)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counts;

        impl<'de> Visitor<'de> for Counts {
            type Value = Tokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from units to counts")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Tokens, M::Error> {
                let mut tokens = Tokens::default();
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    if key == CONFLICTING {
                        tokens.conflicting = map.next_value()?;
                        continue;
                    }
                    // A unit this release does not know is an error: dropped, it would be used and never billed.
                    let unit = UsageUnit::ALL.into_iter().find(|unit| unit.as_str() == key);
                    let unit = unit.ok_or_else(|| M::Error::custom(format!("unknown unit '{key}'")))?;
                    tokens.set(unit, map.next_value()?);
                }
                Ok(tokens)
            }
        }

        deserializer.deserialize_map(Counts)
    }
}

#[cfg(test)]
mod tests;
