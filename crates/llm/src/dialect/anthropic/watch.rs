//! Watches a stream that passes by unchanged.

use super::failure;
use super::sent::{Sent, member_text};
use super::usage::ToldUsage;
use crate::dialect::{Looked, Watch};
use crate::json::{Kind, Value};
use crate::wire::ToldError;
use crate::{AnswerFacts, Delivered, Failure, FailureKind};

#[derive(Debug, Default)]
pub(super) struct MessageWatch {
    usage: ToldUsage,
    delivered: Delivered,
}

impl Watch for MessageWatch {
    fn look(&mut self, data: &[u8]) -> Looked {
        let mut looked = Looked::default();
        let Ok(sent) = Sent::read(data) else {
            let message = "the provider sent an event that is not a JSON object";
            looked.failed = Some(Failure::new(FailureKind::Malformed, message));
            return looked;
        };
        match sent.kind.as_deref().unwrap_or_default() {
            "message_start" | "message_delta" => {
                if let Some(usage) = sent.told_usage() {
                    self.usage.update(&usage);
                }
                let reason = sent.stop_reason();
                looked.finish = reason.is_some();
                looked.refused = reason.as_deref() == Some("refusal");
            }
            "content_block_start" => {
                looked.content = sent.block.as_ref().is_some_and(begins_with_content);
                hear(sent.block.as_ref(), &mut self.delivered);
            }
            "content_block_delta" => {
                looked.content = sent.delta.as_ref().is_some_and(has_content);
                hear(sent.delta.as_ref(), &mut self.delivered);
            }
            "message_stop" => looked.done = true,
            "error" => {
                let told = sent.error.as_ref().and_then(ToldError::read).unwrap_or_default();
                looked.failed = Some(failure::told(&told));
            }
            _ => {}
        }
        looked
    }

    fn facts(&self) -> AnswerFacts {
        self.usage.facts()
    }

    fn delivered(&mut self) -> Delivered {
        std::mem::take(&mut self.delivered)
    }
}

/// What a block, or a piece of one, says: texts, thoughts, and names and arguments of tools.
fn hear(piece: Option<&Value<'_>>, delivered: &mut Delivered) {
    let Some(piece) = piece else { return };
    let mut members = piece.members();
    while let Ok(Some(member)) = members.next_member() {
        match &*member.key {
            b"text" | b"partial_json" | b"name" => delivered.say_json(&member.value),
            b"thinking" => delivered.think_json(&member.value),
            _ => {}
        }
    }
}

/// Text and thinking begin empty; everything else says something by its mere presence.
fn begins_with_content(block: &Value<'_>) -> bool {
    match member_text(block, "type").as_deref() {
        Some("text" | "thinking") => has_content(block),
        _ => true,
    }
}

fn has_content(delta: &Value<'_>) -> bool {
    let mut members = delta.members();
    while let Ok(Some(member)) = members.next_member() {
        let says_something = match member.value.kind {
            Kind::String | Kind::Array | Kind::Object => !member.value.is_empty(),
            Kind::Number | Kind::True | Kind::False | Kind::Null => false,
        };
        if says_something && &*member.key != b"type" {
            return true;
        }
    }
    false
}
