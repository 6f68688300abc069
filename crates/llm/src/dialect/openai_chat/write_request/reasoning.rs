//! Says how much thinking is wanted, in the words that a provider has for it.

use serde::Serialize;

use crate::chat::{Amount, Effort, Reasoning};
use crate::dialect::Dropped;
use crate::dialect::openai_chat::quirks::ReasoningParam;

#[derive(Default, Serialize)]
pub(super) struct WrittenReasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<ReasoningObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Switch>,
}

#[derive(Default, Serialize)]
struct ReasoningObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude: Option<bool>,
}

#[derive(Serialize)]
struct Switch {
    #[serde(rename = "type")]
    kind: &'static str,
}

pub(super) fn write(asked: Option<&Reasoning>, param: ReasoningParam, dropped: &mut Dropped) -> WrittenReasoning {
    let Some(asked) = asked else {
        return WrittenReasoning::default();
    };
    match param {
        ReasoningParam::None => {
            dropped.add("reasoning");
            WrittenReasoning::default()
        }
        ReasoningParam::Effort {
            least,
            most,
            can_be_none,
        } => WrittenReasoning {
            reasoning_effort: match effort_of(asked.amount) {
                Wanted::Nothing if can_be_none => Some("none"),
                Wanted::Nothing => {
                    dropped.add("reasoning");
                    None
                }
                Wanted::AnyAmount => None,
                Wanted::Effort(effort) => {
                    let fitting = effort.clamp(least, most);
                    dropped.add_if(fitting != effort, "reasoning");
                    Some(fitting.as_str())
                }
            },
            ..WrittenReasoning::default()
        },
        ReasoningParam::Openrouter => WrittenReasoning {
            reasoning: Some(reasoning_object(asked)),
            ..WrittenReasoning::default()
        },
        ReasoningParam::Deepseek => {
            let wanted = effort_of(asked.amount);
            WrittenReasoning {
                thinking: Some(Switch {
                    kind: match wanted {
                        Wanted::Nothing => "disabled",
                        Wanted::AnyAmount | Wanted::Effort(_) => "enabled",
                    },
                }),
                reasoning_effort: match wanted {
                    Wanted::Nothing | Wanted::AnyAmount => None,
                    // Its own `xhigh` is no more than `high`.
                    Wanted::Effort(Effort::Most) => Some("max"),
                    Wanted::Effort(effort) => Some(effort.as_str()),
                },
                ..WrittenReasoning::default()
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Wanted {
    Nothing,
    AnyAmount,
    Effort(Effort),
}

fn effort_of(amount: Amount) -> Wanted {
    match amount {
        Amount::Off | Amount::Budget(0) => Wanted::Nothing,
        Amount::Adaptive => Wanted::AnyAmount,
        Amount::Effort(effort) => Wanted::Effort(effort),
        Amount::Budget(budget) => Wanted::Effort(Effort::covering(budget)),
    }
}

fn reasoning_object(asked: &Reasoning) -> ReasoningObject {
    let mut object = ReasoningObject {
        exclude: asked.shown.map(|shown| !shown),
        ..ReasoningObject::default()
    };
    match asked.amount {
        Amount::Off | Amount::Budget(0) => object.enabled = Some(false),
        Amount::Adaptive => object.enabled = Some(true),
        Amount::Effort(effort) => object.effort = Some(effort.as_str()),
        Amount::Budget(budget) => object.max_tokens = Some(budget),
    }
    object
}
