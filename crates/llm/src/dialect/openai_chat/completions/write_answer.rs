//! Writes a whole answer as a `text_completion`: what was said, without what was thought.

use serde::Serialize;

use crate::chat::Part;
use crate::dialect::ReplyFacts;
use crate::dialect::openai_chat::finish;
use crate::dialect::openai_chat::usage::Usage;
use crate::event::Answer;

#[derive(Serialize)]
pub(super) struct Completion<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: &'a [Choice<'a>],
    /// Absent where nobody asked, null while there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
pub(super) struct Choice<'a> {
    pub(super) text: &'a str,
    pub(super) index: u8,
    pub(super) logprobs: Option<()>,
    pub(super) finish_reason: Option<&'static str>,
}

impl<'a> Choice<'a> {
    pub(super) fn new(text: &'a str, finish_reason: Option<&'static str>) -> Self {
        Self {
            text,
            index: 0,
            logprobs: None,
            finish_reason,
        }
    }
}

pub(super) fn write(answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
    let text: String = answer.parts.iter().filter_map(said).collect();
    let completion = Completion {
        id: answer.id.as_deref().unwrap_or(reply.request_id),
        object: "text_completion",
        created: reply.created,
        model: answer.model.as_deref().unwrap_or(reply.model),
        choices: &[Choice::new(&text, Some(finish::write_text(&answer.stop)))],
        usage: answer.usage.as_ref().map(|usage| Some(Usage::of(usage))),
    };
    serde_json::to_vec(&completion).expect("texts and numbers can always be written as JSON")
}

fn said(part: &Part) -> Option<&str> {
    match part {
        Part::Text(text) => Some(&text.text),
        Part::Refusal(text) => Some(text),
        Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) => None,
    }
}
