//! Google's usage and ours. Google counts cached tokens within the prompt, the results of its own tools beside it and
//! thoughts beside the answer; sounds and images are told in lists by modality, cached ones in a list of their own.

use gatewright_types::UsageUnit;
use gatewright_types::api::ServedTier;
use serde::Serialize;

use crate::json::Value;
use crate::terms::read_tier;
use crate::tokens::count;
use crate::{AnswerFacts, Terms, Tokens};

/// Google's numbers, each as told.
#[derive(Debug, Default)]
struct Told {
    prompt: Option<u64>,
    tool_use: u64,
    cached: u64,
    candidates: Option<u64>,
    thoughts: u64,
    total: Option<u64>,
    inputs: Modalities,
    cached_inputs: Modalities,
    outputs: Modalities,
    served: Option<ServedTier>,
    /// A number was negative.
    impossible: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Modalities {
    audio: u64,
    image: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageMetadata {
    prompt_token_count: u64,
    candidates_token_count: u64,
    total_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cached_content_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    thoughts_token_count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompt_tokens_details: Vec<ModalityTokenCount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates_tokens_details: Vec<ModalityTokenCount>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ModalityTokenCount {
    modality: &'static str,
    token_count: u64,
}

/// Without usage when it is no object or tells no totals.
pub(super) fn read(usage: &Value<'_>) -> AnswerFacts {
    let told = Told::read(usage);
    AnswerFacts {
        terms: Terms::served(told.served),
        usage: told.normal_form(),
        blocked: false,
    }
}

pub(super) fn write(tokens: &Tokens) -> UsageMetadata {
    let input = tokens.total_input();
    let candidates = tokens
        .get(UsageUnit::OutputText)
        .saturating_add(tokens.get(UsageUnit::OutputAudio));
    let audio_in = ("AUDIO", tokens.get(UsageUnit::InputAudio));
    let image_in = ("IMAGE", tokens.get(UsageUnit::InputImage));
    let audio_out = ("AUDIO", tokens.get(UsageUnit::OutputAudio));
    UsageMetadata {
        prompt_token_count: input,
        candidates_token_count: candidates,
        total_token_count: input.saturating_add(tokens.total_output()),
        cached_content_token_count: tokens.get(UsageUnit::InputCacheRead),
        thoughts_token_count: tokens.get(UsageUnit::OutputReasoning),
        prompt_tokens_details: details(input, &[audio_in, image_in]),
        candidates_tokens_details: details(candidates, &[audio_out]),
    }
}

/// What of a total is not text; nothing when all of it is.
fn details(total: u64, others: &[(&'static str, u64)]) -> Vec<ModalityTokenCount> {
    let other: u64 = others.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count));
    if other == 0 {
        return Vec::new();
    }
    let text = ("TEXT", total.saturating_sub(other));
    let all = [text].into_iter().chain(others.iter().copied());
    all.filter(|(_, count)| *count > 0)
        .map(|(modality, token_count)| ModalityTokenCount { modality, token_count })
        .collect()
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Told {
    fn read(usage: &Value<'_>) -> Self {
        let mut told = Self::default();
        let mut members = usage.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = &member.value;
            match &*member.key {
                b"promptTokenCount" => told.prompt = count(value, &mut told.impossible),
                b"toolUsePromptTokenCount" => told.tool_use = count(value, &mut told.impossible).unwrap_or_default(),
                b"cachedContentTokenCount" => told.cached = count(value, &mut told.impossible).unwrap_or_default(),
                b"candidatesTokenCount" => told.candidates = count(value, &mut told.impossible),
                b"thoughtsTokenCount" => told.thoughts = count(value, &mut told.impossible).unwrap_or_default(),
                b"totalTokenCount" => told.total = count(value, &mut told.impossible),
                b"promptTokensDetails" | b"toolUsePromptTokensDetails" => {
                    let found = told.modalities(value);
                    told.inputs.add(found);
                }
                b"cacheTokensDetails" => told.cached_inputs = told.modalities(value),
                b"candidatesTokensDetails" => told.outputs = told.modalities(value),
                // The cloud's word for it, and AI Studio's.
                b"trafficType" | b"serviceTier" => told.served = read_tier(value).or(told.served),
                _ => {}
            }
        }
        told
    }

    fn modalities(&mut self, list: &Value<'_>) -> Modalities {
        let mut found = Modalities::default();
        for entry in list.elements() {
            let (mut modality, mut told) = (None, 0);
            let mut members = entry.members();
            while let Ok(Some(member)) = members.next_member() {
                match &*member.key {
                    b"modality" => modality = member.value.string(),
                    b"tokenCount" => told = count(&member.value, &mut self.impossible).unwrap_or_default(),
                    _ => {}
                }
            }
            match modality.as_deref() {
                Some("AUDIO") => found.audio = found.audio.saturating_add(told),
                Some("IMAGE") => found.image = found.image.saturating_add(told),
                _ => {}
            }
        }
        found
    }

    fn normal_form(self) -> Option<Tokens> {
        if self.prompt.is_none() && self.candidates.is_none() && self.total.is_none() {
            return None;
        }
        let input = self.prompt.unwrap_or_default().saturating_add(self.tool_use);
        let candidates = self.candidates.unwrap_or_default();
        let without_thoughts = input.saturating_add(candidates);
        let sum = without_thoughts.saturating_add(self.thoughts);
        let total = self.total.unwrap_or(sum);
        // Some servers count thoughts within the candidates, as their total shows.
        let within = total != sum && total == without_thoughts && self.thoughts <= candidates;
        let output = if within {
            candidates
        } else {
            candidates.saturating_add(self.thoughts)
        };
        let mut tokens = Tokens::default();
        tokens.conflicting = self.impossible || (total != sum && !within);
        let fresh = Modalities {
            audio: self.inputs.audio.saturating_sub(self.cached_inputs.audio),
            image: self.inputs.image.saturating_sub(self.cached_inputs.image),
        };
        let input_parts = [
            (UsageUnit::InputCacheRead, self.cached),
            (UsageUnit::InputAudio, fresh.audio),
            (UsageUnit::InputImage, fresh.image),
        ];
        let output_parts = [
            (UsageUnit::OutputReasoning, self.thoughts),
            (UsageUnit::OutputAudio, self.outputs.audio),
        ];
        tokens.divide(input, UsageUnit::InputUncached, &input_parts);
        tokens.divide(output, UsageUnit::OutputText, &output_parts);
        Some(tokens)
    }
}

impl Modalities {
    fn add(&mut self, more: Self) {
        self.audio = self.audio.saturating_add(more.audio);
        self.image = self.image.saturating_add(more.image);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Kind;

    fn tokens(usage: &str) -> Tokens {
        let value = Value {
            kind: Kind::Object,
            text: usage.as_bytes(),
            start: 0,
        };
        read(&value).usage.expect(usage)
    }

    fn check(usage: &str, expected: &[(UsageUnit, u64)], conflicting: bool) {
        let read = tokens(usage);

        let units: Vec<_> = read.iter().collect();

        assert_eq!((units.as_slice(), read.conflicting), (expected, conflicting), "{usage}");
    }

    #[test]
    fn googles_numbers_are_made_disjoint() {
        check(
            r#"{"promptTokenCount":1000,"toolUsePromptTokenCount":50,"cachedContentTokenCount":600,
                "candidatesTokenCount":20,"thoughtsTokenCount":70,"totalTokenCount":1140,
                "promptTokensDetails":[{"modality":"TEXT","tokenCount":700},{"modality":"AUDIO","tokenCount":200},
                    {"modality":"IMAGE","tokenCount":100}],
                "cacheTokensDetails":[{"modality":"TEXT","tokenCount":450},{"modality":"AUDIO","tokenCount":150}]}"#,
            &[
                (UsageUnit::InputUncached, 300),
                (UsageUnit::InputCacheRead, 600),
                (UsageUnit::InputAudio, 50),
                (UsageUnit::InputImage, 100),
                (UsageUnit::OutputText, 20),
                (UsageUnit::OutputReasoning, 70),
            ],
            false,
        );
    }

    #[test]
    fn a_total_shows_thoughts_that_are_counted_within() {
        check(
            r#"{"promptTokenCount":10,"candidatesTokenCount":30,"thoughtsTokenCount":25,"totalTokenCount":40}"#,
            &[
                (UsageUnit::InputUncached, 10),
                (UsageUnit::OutputText, 5),
                (UsageUnit::OutputReasoning, 25),
            ],
            false,
        );
    }

    #[test]
    fn numbers_that_contradict_each_other_are_fitted_and_told() {
        check(
            r#"{"promptTokenCount":10,"cachedContentTokenCount":15,"candidatesTokenCount":-3}"#,
            &[(UsageUnit::InputCacheRead, 10)],
            true,
        );
        check(
            r#"{"promptTokenCount":10,"candidatesTokenCount":3,"totalTokenCount":99}"#,
            &[(UsageUnit::InputUncached, 10), (UsageUnit::OutputText, 3)],
            true,
        );
    }

    #[test]
    fn parts_sum_up_to_the_totals_both_ways() {
        let mut used = Tokens::default();
        for (place, unit) in UsageUnit::ALL.into_iter().enumerate() {
            used.set(unit, 1 << place);
        }

        let written = write(&used);
        let json = serde_json::to_string(&written).expect("usage");
        let back = tokens(&json);

        assert_eq!(written.prompt_token_count, used.total_input());
        assert_eq!(
            written.candidates_token_count + written.thoughts_token_count,
            used.total_output()
        );
        assert_eq!(
            written.total_token_count,
            written.prompt_token_count + used.total_output()
        );
        assert_eq!(
            (back.total_input(), back.total_output(), back.conflicting),
            (used.total_input(), used.total_output(), false)
        );
        assert_eq!(back.get(UsageUnit::InputAudio), used.get(UsageUnit::InputAudio));
        assert_eq!(back.get(UsageUnit::InputCacheRead), used.get(UsageUnit::InputCacheRead));
        assert_eq!(
            back.get(UsageUnit::OutputReasoning),
            used.get(UsageUnit::OutputReasoning)
        );
    }
}
