//! How much Claude is to think, how long its answer may be, and what of both a model can be told.

use serde::Serialize;

use super::block::Block;
use crate::chat::{Amount, Chat, Effort, Part, Role, ToolChoice, Turn};
use crate::dialect::anthropic::model::{Model, ThinkingOff};
use crate::dialect::{Dropped, TargetFacts};

/// For models whose longest answer is not known: all of them can give that much.
const USUAL_MAX_TOKENS: u64 = 4_096;
/// Anthropic takes no smaller budget.
const SMALLEST_BUDGET: u64 = 1_024;
/// How callers know what is dropped.
const NAME: &str = "reasoning";

/// What is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) thinking: Option<Thinking>,
    pub(super) effort: Option<&'static str>,
    pub(super) max_tokens: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Thinking {
    Enabled {
        budget_tokens: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<Display>,
    },
    Adaptive {
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<Display>,
    },
    Disabled,
    BetweenTools,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Display {
    Summarized,
    Omitted,
}

/// In what terms a model is asked.
#[derive(Debug, Clone, Copy)]
enum Way {
    Off,
    Adaptive(Option<Effort>),
    Budget(u64),
}

impl Plan {
    pub(super) fn of(chat: &Chat, target: TargetFacts<'_>, model: Model, dropped: &mut Dropped) -> Self {
        let limit = chat.sampling.max_tokens.or(target.output_limit);
        let max_tokens = limit.unwrap_or(USUAL_MAX_TOKENS);
        let Some(reasoning) = &chat.reasoning else {
            return Self {
                thinking: None,
                effort: None,
                max_tokens,
            };
        };
        let display = reasoning.shown.map(Display::of);
        let forced = is_tool_forced(chat);
        let plan = match Way::of(reasoning.amount, model) {
            Way::Off => return Self::off(model, max_tokens, dropped),
            Way::Adaptive(effort) if !forced => Some(Self {
                thinking: Some(Thinking::Adaptive { display }),
                effort: effort.map(word),
                max_tokens,
            }),
            Way::Budget(tokens) if !forced && !goes_on_without_thinking(&chat.turns) => {
                Self::budget(tokens, limit, display)
            }
            Way::Adaptive(_) | Way::Budget(_) => None,
        };
        let Some(plan) = plan else {
            dropped.add(NAME);
            return Self::off(model, max_tokens, dropped);
        };
        if let (Amount::Budget(asked), Some(Thinking::Enabled { budget_tokens, .. })) =
            (reasoning.amount, &plan.thinking)
        {
            dropped.add_if(*budget_tokens != asked, NAME);
        }
        plan
    }

    pub(super) fn thinks(&self) -> bool {
        match self.thinking {
            Some(Thinking::Enabled { .. } | Thinking::Adaptive { .. }) => true,
            Some(Thinking::Disabled | Thinking::BetweenTools) | None => false,
        }
    }

    fn off(model: Model, max_tokens: u64, dropped: &mut Dropped) -> Self {
        let (thinking, effort) = match model.thinking_off() {
            ThinkingOff::Disabled => (Some(Thinking::Disabled), None),
            ThinkingOff::BetweenTools => (Some(Thinking::BetweenTools), None),
            ThinkingOff::Unsaid => (None, None),
            ThinkingOff::Impossible => {
                dropped.add(NAME);
                (None, Some(word(Effort::Low)))
            }
        };
        Self {
            thinking,
            effort,
            max_tokens,
        }
    }

    /// `None` when there is no room for even the smallest budget. A budget that does not fit leaves a quarter of the
    /// limit to the answer.
    fn budget(tokens: u64, limit: Option<u64>, display: Option<Display>) -> Option<Self> {
        let tokens = tokens.max(SMALLEST_BUDGET);
        let max_tokens = limit.unwrap_or_else(|| tokens.saturating_add(USUAL_MAX_TOKENS));
        let budget_tokens = if tokens < max_tokens {
            tokens
        } else {
            (max_tokens / 4 * 3).max(SMALLEST_BUDGET)
        };
        (budget_tokens < max_tokens).then_some(Self {
            thinking: Some(Thinking::Enabled { budget_tokens, display }),
            effort: None,
            max_tokens,
        })
    }
}

impl Display {
    fn of(shown: bool) -> Self {
        if shown { Self::Summarized } else { Self::Omitted }
    }
}

impl Way {
    fn of(amount: Amount, model: Model) -> Self {
        match amount {
            Amount::Off => Self::Off,
            Amount::Adaptive if model.takes_adaptive() => Self::Adaptive(None),
            Amount::Adaptive => Self::Budget(Effort::Medium.budget()),
            Amount::Effort(effort) if model.takes_budgets() => Self::Budget(effort.budget()),
            Amount::Effort(effort) => Self::Adaptive(Some(effort)),
            Amount::Budget(tokens) if model.takes_budgets() => Self::Budget(tokens),
            Amount::Budget(tokens) => Self::Adaptive(Some(Effort::covering(tokens))),
        }
    }
}

fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Most => "max",
    }
}

/// Claude thinks first only when it is free to answer without a tool.
fn is_tool_forced(chat: &Chat) -> bool {
    match chat.tool_choice {
        ToolChoice::Required | ToolChoice::Named(_) => !chat.tools.is_empty(),
        ToolChoice::Auto | ToolChoice::None => false,
    }
}

/// Whether tool results continue an answer whose thinking was lost: with a budget, that answer had to begin with it.
fn goes_on_without_thinking(turns: &[Turn]) -> bool {
    let [.., answer, results] = turns else {
        return false;
    };
    let has_results = results.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
    let begins_with_thinking = match answer.parts.first() {
        Some(Part::Thinking(thinking)) => Block::thinking(thinking).is_some(),
        Some(Part::Text(_) | Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Refusal(_)) | None => {
            false
        }
    };
    answer.role == Role::Assistant && has_results && !begins_with_thinking
}
