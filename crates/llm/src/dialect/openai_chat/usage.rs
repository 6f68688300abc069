//! Usage as this dialect tells it: totals, with details that are parts of them. Reading is [`Tokens::read`].

use gatewright_types::UsageUnit;
use serde::Serialize;

use crate::Tokens;

#[derive(Debug, Serialize)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
    audio_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tokens: Option<u64>,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl Usage {
    pub(super) fn of(tokens: &Tokens) -> Self {
        let (input, output) = (tokens.total_input(), tokens.total_output());
        let written = tokens
            .get(UsageUnit::InputCacheWrite5m)
            .saturating_add(tokens.get(UsageUnit::InputCacheWrite1h));
        Self {
            prompt_tokens: input,
            completion_tokens: output,
            total_tokens: input.saturating_add(output),
            prompt_tokens_details: PromptDetails {
                cached_tokens: tokens.get(UsageUnit::InputCacheRead),
                cache_write_tokens: written,
                audio_tokens: tokens.get(UsageUnit::InputAudio),
                image_tokens: Some(tokens.get(UsageUnit::InputImage)).filter(|count| *count > 0),
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: tokens.get(UsageUnit::OutputReasoning),
                audio_tokens: tokens.get(UsageUnit::OutputAudio),
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_answer;

    #[test]
    fn parts_sum_up_to_the_totals_both_ways() {
        let mut tokens = Tokens::default();
        for (index, unit) in (1..).zip(UsageUnit::ALL) {
            tokens.set(unit, index * 10);
        }

        let written = serde_json::to_value(Usage::of(&tokens)).expect("JSON");
        let body = serde_json::json!({ "usage": written }).to_string();
        let read = read_answer(body.as_bytes()).expect("an answer").usage.expect("usage");

        assert_eq!(written["prompt_tokens"], 210);
        assert_eq!(written["completion_tokens"], 240);
        assert_eq!(written["total_tokens"], 450);
        assert_eq!((read.total_input(), read.total_output()), (210, 240));
        // The dialect knows one kind of written tokens only.
        let mut expected = tokens;
        expected.set(UsageUnit::InputCacheWrite5m, 70);
        expected.set(UsageUnit::InputCacheWrite1h, 0);
        // Nor does it count searches.
        expected.set(UsageUnit::WebSearch, 0);
        assert_eq!(read, expected);
    }
}
