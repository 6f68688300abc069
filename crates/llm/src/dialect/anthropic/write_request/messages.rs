//! Turns as messages: what cannot be sent is left out, and what follows each other in the same role is joined.

use std::borrow::Cow;

use serde::Serialize;

use super::block::Block;
use super::media;
use crate::chat::{Chat, Part, Role, ToolResult, Turn};
use crate::dialect::anthropic::{Envelope, input};
use crate::dialect::{Dropped, Unsupported};

#[derive(Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

pub(super) fn write<'a>(
    chat: &'a Chat,
    envelope: Envelope,
    dropped: &mut Dropped,
) -> Result<Vec<Message<'a>>, Unsupported> {
    let mut messages: Vec<Message<'a>> = Vec::with_capacity(chat.turns.len());
    for turn in &chat.turns {
        let content = write_turn(turn, envelope, dropped)?;
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        match messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(content),
            _ if content.is_empty() => {}
            _ => messages.push(Message { role, content }),
        }
    }
    for message in &mut messages {
        // Nothing may come between a call and its results. The sort keeps the order otherwise.
        message
            .content
            .sort_by_key(|block| !matches!(block, Block::ToolResult { .. }));
    }
    if messages.is_empty() {
        return Err(Unsupported::new(
            "messages",
            "Claude needs at least one message of the user that is not empty",
        ));
    }
    Ok(messages)
}

fn write_turn<'a>(turn: &'a Turn, envelope: Envelope, dropped: &mut Dropped) -> Result<Vec<Block<'a>>, Unsupported> {
    let mut blocks = Vec::with_capacity(turn.parts.len());
    for part in &turn.parts {
        match part {
            Part::Text(text) => blocks.extend(Block::text(text)),
            Part::Refusal(text) => blocks.extend(Block::words(text, None)),
            Part::Media(media) => blocks.push(media::write(media, envelope, dropped)?),
            Part::Thinking(thinking) => blocks.extend(Block::thinking(thinking)),
            Part::ToolCall(call) => blocks.push(Block::ToolUse {
                id: identifier(&call.id),
                name: &call.name,
                input: input::object(&call.arguments),
                cache_control: call.cache,
            }),
            Part::ToolResult(result) => blocks.push(write_result(result, envelope, dropped)?),
        }
    }
    Ok(blocks)
}

fn write_result<'a>(
    result: &'a ToolResult,
    envelope: Envelope,
    dropped: &mut Dropped,
) -> Result<Block<'a>, Unsupported> {
    let mut content = Vec::with_capacity(result.parts.len());
    for part in &result.parts {
        match part {
            Part::Text(text) => content.extend(Block::text(text)),
            Part::Refusal(text) => content.extend(Block::words(text, None)),
            Part::Media(media) => content.push(media::write(media, envelope, dropped)?),
            // Results are texts and media.
            Part::Thinking(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
    }
    Ok(Block::ToolResult {
        tool_use_id: identifier(&result.call),
        content,
        is_error: result.failed,
        cache_control: result.cache,
    })
}

/// Identifiers of calls that others made up, such as `functions.look:0`, in the characters that are allowed.
fn identifier(id: &str) -> Cow<'_, str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if id.is_empty() {
        return Cow::Borrowed("_");
    }
    if id.chars().all(allowed) {
        return Cow::Borrowed(id);
    }
    Cow::Owned(id.chars().map(|c| if allowed(c) { c } else { '_' }).collect())
}
