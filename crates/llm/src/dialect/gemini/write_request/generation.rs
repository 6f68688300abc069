//! Sampling, format and thinking for Google.

use serde::Serialize;
use serde_json::Number;

use crate::chat::{Amount, Chat, Format, Json, Reasoning};
use crate::dialect::{Dropped, TargetFacts, Unsupported, refuse_what_answers_cannot_hold};

/// The most thinking that Google's small models take.
const MOST_OF_FLASH: u64 = 24_576;

#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [Box<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    thinking_budget: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_thoughts: Option<bool>,
}

impl<'a> GenerationConfig<'a> {
    pub(super) fn of(chat: &'a Chat, target: TargetFacts<'_>, dropped: &mut Dropped) -> Result<Self, Unsupported> {
        let sampling = &chat.sampling;
        refuse_what_answers_cannot_hold(sampling)?;
        let seed = sampling.seed.and_then(|seed| seed.try_into().ok());
        dropped.add_if(sampling.seed.is_some() && seed.is_none(), "seed");
        let (response_mime_type, response_json_schema) = match &chat.format {
            Format::Text => (None, None),
            Format::Json => (Some("application/json"), None),
            Format::Schema(schema) => (Some("application/json"), Some(&schema.schema)),
        };
        Ok(Self {
            max_output_tokens: sampling.max_tokens,
            temperature: sampling.temperature.as_ref(),
            top_p: sampling.top_p.as_ref(),
            top_k: sampling.top_k,
            presence_penalty: sampling.presence_penalty.as_ref(),
            frequency_penalty: sampling.frequency_penalty.as_ref(),
            seed,
            stop_sequences: &sampling.stop,
            response_mime_type,
            response_json_schema,
            thinking_config: chat
                .reasoning
                .as_ref()
                .map(|reasoning| ThinkingConfig::of(reasoning, target, dropped)),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ThinkingConfig {
    fn of(reasoning: &Reasoning, target: TargetFacts<'_>, dropped: &mut Dropped) -> Self {
        let shown = Some(reasoning.shown.unwrap_or(true));
        let (wanted, name) = match reasoning.amount {
            Amount::Off => {
                return Self {
                    thinking_budget: 0,
                    include_thoughts: None,
                };
            }
            Amount::Adaptive => {
                return Self {
                    thinking_budget: -1,
                    include_thoughts: shown,
                };
            }
            Amount::Effort(effort) => (effort.budget(), "reasoning_effort"),
            Amount::Budget(tokens) => (tokens, "thinking.budget_tokens"),
        };
        let most = if target.model.contains("flash") {
            MOST_OF_FLASH
        } else {
            u64::MAX
        };
        let budget = wanted.min(most);
        dropped.add_if(budget < wanted, name);
        Self {
            thinking_budget: budget.try_into().unwrap_or(i64::MAX),
            include_thoughts: shown,
        }
    }
}
