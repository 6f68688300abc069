//! Writes a whole answer. What a message cannot hold (media) is left out.

use super::message::{Block, Message, id_of};
use super::stop::{self, Refused};
use super::{input, usage::Usage};
use crate::chat::{Part, ToolCall};
use crate::dialect::ReplyFacts;
use crate::event::Answer;

pub(super) fn write(answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
    let fallback_id = id_of(reply);
    let id = answer.id.as_deref().unwrap_or(&fallback_id);
    let model = answer.model.as_deref().unwrap_or(reply.model);
    let usage = Usage::from(&answer.usage.unwrap_or_default());
    let mut message = Message::new(id, model, usage);
    message.content = content(&answer.parts);
    let refusal = answer.parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    let refused = if refusal { Refused::InWords } else { Refused::No };
    let (reason, sequence) = stop::write(&answer.stop, refused);
    message.stop_reason = Some(reason);
    message.stop_sequence = sequence;
    serde_json::to_vec(&message).expect("texts, numbers and JSON can always be written as JSON")
}

fn content(parts: &[Part]) -> Vec<Block<'_>> {
    let mut blocks = Vec::with_capacity(parts.len());
    let mut last_call: Option<&ToolCall> = None;
    for part in parts {
        match part {
            // An empty block would be refused when it is given back.
            Part::Text(text) if text.text.is_empty() => continue,
            Part::Text(text) => blocks.push(Block::Text { text: &text.text }),
            Part::Refusal(text) => blocks.push(Block::Text { text }),
            Part::Thinking(thinking) => {
                blocks.push(Block::thinking(&thinking.text, thinking.signature.as_ref()));
            }
            Part::ToolCall(call) => {
                add_call(call, last_call, &mut blocks);
                last_call = Some(call);
                continue;
            }
            Part::Media(_) | Part::ToolResult(_) => continue,
        }
        last_call = None;
    }
    blocks
}

/// A call's signature goes into a block of its own before the call. After an unsigned call it would be read as that
/// one's, so it follows its own call there.
fn add_call<'a>(call: &'a ToolCall, call_before: Option<&ToolCall>, blocks: &mut Vec<Block<'a>>) {
    let block = Block::ToolUse {
        id: &call.id,
        name: &call.name,
        input: input::object(&call.arguments),
    };
    let Some(signature) = &call.signature else {
        return blocks.push(block);
    };
    let sealed = Block::thinking("", Some(signature));
    if call_before.is_some_and(|before| before.signature.is_none()) {
        blocks.extend([block, sealed]);
    } else {
        blocks.extend([sealed, block]);
    }
}
