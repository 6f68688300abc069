//! How much a model is to think. Each family has its own members for that, outside of what Converse knows; those that
//! have none do not think, or do as they like.

use serde::Serialize;

use crate::chat::{Amount, Chat, Effort, Maker, Part, Reasoning, ToolChoice};
use crate::dialect::Dropped;
use crate::dialect::bedrock::family::{Claude, Family, Thinks};

/// The fewest tokens that Anthropic takes as a budget.
const SMALLEST_BUDGET: u64 = 1_024;
const NAME: &str = "reasoning_effort";

#[derive(Default)]
pub(super) struct Plan {
    pub(super) fields: ModelFields,
    /// Of the API's own `outputConfig`.
    pub(super) effort: Option<&'static str>,
    pub(super) is_on: bool,
    /// The model takes no temperature with this much thinking.
    pub(super) refuses_sampling: bool,
}

/// What is passed on to the model, in its own words.
#[derive(Serialize, Default, PartialEq)]
pub(super) struct ModelFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(rename = "reasoningConfig", skip_serializing_if = "Option::is_none")]
    reasoning_config: Option<ReasoningConfig>,
    #[serde(rename = "inferenceConfig", skip_serializing_if = "Option::is_none")]
    inference_config: Option<NovaInference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<GptReasoning>,
}

#[derive(Serialize, PartialEq)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Thinking {
    Enabled {
        budget_tokens: u64,
    },
    Adaptive {
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Disabled,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct ReasoningConfig {
    #[serde(rename = "type")]
    kind: &'static str,
    max_reasoning_effort: &'static str,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct NovaInference {
    top_k: u64,
}

#[derive(Serialize, PartialEq)]
struct GptReasoning {
    effort: &'static str,
}

impl ModelFields {
    pub(super) fn limit_choice(&mut self, top_k: Option<u64>, family: Family) {
        match family {
            Family::Nova | Family::Nova2 => self.inference_config = top_k.map(|top_k| NovaInference { top_k }),
            Family::Claude(_) | Family::GptOss | Family::Gpt | Family::Kimi | Family::Llama | Family::Other => {
                self.top_k = top_k;
            }
        }
    }

    pub(super) fn if_any(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

/// `output_limit` is how long the model's answers can be.
pub(super) fn plan(chat: &Chat, family: Family, output_limit: Option<u64>, dropped: &mut Dropped) -> Plan {
    let asked = chat.reasoning.as_ref();
    match (family, asked) {
        (Family::Claude(claude), _) => of_claude(chat, claude, output_limit, dropped),
        (_, None) => Plan::default(),
        (Family::Nova2, Some(asked)) => of_nova(chat, asked, dropped),
        (Family::GptOss | Family::Gpt | Family::Kimi, Some(asked)) => {
            let Some(effort) = effort(asked.amount) else {
                // What they find right is what they do unasked; to think nothing at all is not in all of them.
                dropped.add_if(asked.amount == Amount::Off, NAME);
                return Plan::default();
            };
            Plan {
                fields: with_effort(family, effort),
                is_on: true,
                ..Plan::default()
            }
        }
        (Family::Nova | Family::Llama | Family::Other, Some(asked)) => {
            dropped.add_if(asked.amount != Amount::Off, NAME);
            Plan::default()
        }
    }
}

fn with_effort(family: Family, effort: Effort) -> ModelFields {
    let mut fields = ModelFields::default();
    match family {
        Family::Gpt => {
            fields.reasoning = Some(GptReasoning {
                effort: match effort {
                    Effort::Minimal => "low",
                    other => other.as_str(),
                },
            });
        }
        Family::Kimi => {
            fields.reasoning_effort = Some(match effort {
                Effort::Minimal | Effort::Low => "low",
                Effort::Medium | Effort::High => "high",
                Effort::Most => "max",
            });
        }
        Family::Claude(_) | Family::Nova | Family::Nova2 | Family::GptOss | Family::Llama | Family::Other => {
            fields.reasoning_effort = Some(of_three(effort));
        }
    }
    fields
}

fn of_claude(chat: &Chat, claude: Claude, output_limit: Option<u64>, dropped: &mut Dropped) -> Plan {
    let asked = chat.reasoning.as_ref();
    let is_asked = asked.is_some_and(|asked| asked.amount != Amount::Off);
    let is_forbidden = asked.is_some_and(|asked| asked.amount == Amount::Off);
    // Claude does not think when it is made to call a tool.
    let is_forced = matches!(chat.tool_choice, ToolChoice::Required | ToolChoice::Named(_)) && !chat.tools.is_empty();
    let thinking = match (claude.thinks, asked) {
        (Thinks::WithBudget, Some(asked)) if is_asked && !is_forced && !has_lost_thoughts(chat) => {
            budget(asked.amount, chat.sampling.max_tokens.or(output_limit))
                .map(|budget_tokens| Thinking::Enabled { budget_tokens })
        }
        (Thinks::WhenAsked | Thinks::UnlessForbidden, Some(asked)) if is_asked && !is_forced => Some(adaptive(asked)),
        (Thinks::Always, Some(asked)) if is_asked => Some(adaptive(asked)),
        (Thinks::UnlessForbidden, _) if is_forbidden || is_forced => Some(Thinking::Disabled),
        (Thinks::Never | Thinks::WithBudget | Thinks::WhenAsked | Thinks::UnlessForbidden | Thinks::Always, _) => None,
    };
    let thinks_unasked = matches!(claude.thinks, Thinks::UnlessForbidden | Thinks::Always) && thinking.is_none();
    let is_adaptive = matches!(thinking, Some(Thinking::Adaptive { .. }));
    let is_on = is_adaptive || matches!(thinking, Some(Thinking::Enabled { .. })) || thinks_unasked;
    dropped.add_if(is_asked && !is_on || is_forbidden && is_on, NAME);
    Plan {
        effort: asked
            .filter(|_| is_adaptive)
            .and_then(|asked| effort(asked.amount))
            .map(of_anthropic),
        fields: ModelFields {
            thinking,
            ..ModelFields::default()
        },
        is_on,
        refuses_sampling: false,
    }
}

fn adaptive(asked: &Reasoning) -> Thinking {
    let display = asked.shown.map(|shown| if shown { "summarized" } else { "omitted" });
    Thinking::Adaptive { display }
}

/// Anthropic counts thinking into the longest answer: what was not asked for by number leaves half of it. `None` when
/// too little is left.
fn budget(amount: Amount, max_tokens: Option<u64>) -> Option<u64> {
    let (wanted, most) = match amount {
        Amount::Off => return None,
        Amount::Budget(tokens) => (tokens, max_tokens.map(|max| max.saturating_sub(1))),
        Amount::Effort(effort) => (effort.budget(), max_tokens.map(|max| max / 2)),
        Amount::Adaptive => (Effort::High.budget(), max_tokens.map(|max| max / 2)),
    };
    let budget = wanted.max(SMALLEST_BUDGET).min(most.unwrap_or(u64::MAX));
    (budget >= SMALLEST_BUDGET).then_some(budget)
}

/// The thoughts before the tool calls that were just answered are not there to be given back. A Claude that is given a
/// budget refuses to go on thinking then.
fn has_lost_thoughts(chat: &Chat) -> bool {
    let mut turns = chat.turns.iter().rev();
    let is_answer = turns
        .next()
        .is_some_and(|turn| turn.parts.iter().any(|part| matches!(part, Part::ToolResult(_))));
    let call = turns.next().filter(|_| is_answer);
    call.is_some_and(|turn| {
        !turn.parts.iter().any(|part| match part {
            Part::Thinking(thinking) => thinking
                .signature
                .as_ref()
                .is_some_and(|signature| matches!(signature.maker, Maker::Anthropic | Maker::AnthropicRedacted)),
            Part::Text(_) | Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Refusal(_) => false,
        })
    })
}

/// Nova takes no limit and no temperature with the highest effort.
fn of_nova(chat: &Chat, asked: &Reasoning, dropped: &mut Dropped) -> Plan {
    let effort = match asked.amount {
        Amount::Off => return Plan::default(),
        Amount::Adaptive => Effort::Medium,
        Amount::Effort(effort) => effort,
        Amount::Budget(tokens) => Effort::covering(tokens),
    };
    let mut word = of_three(effort);
    if word == "high" && chat.sampling.max_tokens.is_some() {
        dropped.add(NAME);
        word = "medium";
    }
    Plan {
        fields: ModelFields {
            reasoning_config: Some(ReasoningConfig {
                kind: "enabled",
                max_reasoning_effort: word,
            }),
            ..ModelFields::default()
        },
        effort: None,
        is_on: true,
        refuses_sampling: word == "high",
    }
}

/// `None` when the model is to find out, or not to think.
fn effort(amount: Amount) -> Option<Effort> {
    match amount {
        Amount::Off | Amount::Adaptive => None,
        Amount::Effort(effort) => Some(effort),
        Amount::Budget(tokens) => Some(Effort::covering(tokens)),
    }
}

fn of_anthropic(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Most => "max",
    }
}

fn of_three(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Most => "high",
    }
}

#[cfg(test)]
mod tests;
