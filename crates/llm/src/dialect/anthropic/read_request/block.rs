//! Content blocks of messages.

use std::borrow::Cow;

use super::{Unheld, media, read_cache_mark};
use crate::BadRequest;
use crate::chat::{Maker, Part, Signature, Text, Thinking, ToolCall, ToolResult};
use crate::dialect::read::Field;
use crate::json::Kind;

/// The way to a block, as members that are not held are named by.
const HERE: &str = "messages.content";
const IN_RESULT: &str = "messages.content.content";

/// Whose message a block is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    User,
    Assistant,
}

pub(super) fn read_block(block: Field<'_, '_>, speaker: Speaker, unheld: &mut Unheld) -> Result<Part, BadRequest> {
    let kind = kind_of(block)?;
    let part = match (&*kind, speaker) {
        ("tool_result", Speaker::User) => Part::ToolResult(read_tool_result(block, unheld)?),
        ("tool_use", Speaker::Assistant) => Part::ToolCall(read_tool_use(block, unheld)?),
        ("thinking", Speaker::Assistant) => Part::Thinking(read_thinking(block, unheld)?),
        ("redacted_thinking", Speaker::Assistant) => Part::Thinking(read_redacted(block, unheld)?),
        ("tool_result", Speaker::Assistant) => {
            return Err(block.refuse("is a tool's result, which belongs into a message of the role 'user'"));
        }
        ("tool_use" | "thinking" | "redacted_thinking", Speaker::User) => {
            return Err(block.refuse(&format!(
                "is of type '{kind}', which belongs into a message of the role 'assistant'"
            )));
        }
        _ => read_content(block, &kind, HERE, unheld)?,
    };
    Ok(part)
}

pub(super) fn read_text(block: Field<'_, '_>, within: &str, unheld: &mut Unheld) -> Result<Text, BadRequest> {
    let mut text = None;
    let mut cache = None;
    block.members(|key, field| {
        match key {
            "type" => {}
            "text" => text = Some(field.boxed()?),
            "cache_control" => cache = Some(read_cache_mark(field)?),
            other => unheld.note(within, other),
        }
        Ok(())
    })?;
    let text = text.ok_or_else(|| block.lacks("text"))?;
    Ok(Text { text, cache })
}

/// What may stand in messages and in tool results alike.
fn read_content(block: Field<'_, '_>, kind: &str, within: &str, unheld: &mut Unheld) -> Result<Part, BadRequest> {
    match kind {
        "text" => Ok(Part::Text(read_text(block, within, unheld)?)),
        "image" => Ok(Part::Media(media::read_image(block, within, unheld)?)),
        "document" => Ok(Part::Media(media::read_document(block, within, unheld)?)),
        "search_result" => Ok(Part::Media(media::read_search_result(block, within, unheld)?)),
        other => Err(block.refuse(&format!(
            "is of type '{other}', which only Anthropic's own service understands; leave it out"
        ))),
    }
}

fn kind_of<'a>(block: Field<'a, '_>) -> Result<Cow<'a, str>, BadRequest> {
    if block.kind() != Kind::Object {
        return Err(block.expected("an object"));
    }
    block.member_text("type").ok_or_else(|| block.lacks("type"))
}

fn read_tool_use(block: Field<'_, '_>, unheld: &mut Unheld) -> Result<ToolCall, BadRequest> {
    let (mut id, mut name, mut arguments, mut cache) = (None, None, None, None);
    block.members(|key, field| {
        match key {
            "type" => {}
            "id" => id = Some(field.boxed()?),
            "name" => name = Some(field.boxed()?),
            "input" if field.kind() == Kind::Object => arguments = Some(field.json()?.text().into()),
            "input" => return Err(field.expected("an object")),
            "cache_control" => cache = Some(read_cache_mark(field)?),
            other => unheld.note(HERE, other),
        }
        Ok(())
    })?;
    Ok(ToolCall {
        id: id.ok_or_else(|| block.lacks("id"))?,
        name: name.ok_or_else(|| block.lacks("name"))?,
        arguments: arguments.unwrap_or_else(|| "{}".into()),
        signature: None,
        cache,
    })
}

fn read_tool_result(block: Field<'_, '_>, unheld: &mut Unheld) -> Result<ToolResult, BadRequest> {
    let mut call = None;
    let mut parts = Vec::new();
    let mut failed = false;
    let mut cache = None;
    block.members(|key, field| {
        match key {
            "type" => {}
            "tool_use_id" => call = Some(field.boxed()?),
            "content" if field.kind() == Kind::String => parts.push(Part::text(field.boxed()?)),
            "content" => field.elements(|inner| {
                let kind = kind_of(inner)?;
                parts.push(read_content(inner, &kind, IN_RESULT, unheld)?);
                Ok(())
            })?,
            "is_error" => failed = field.flag()?,
            "cache_control" => cache = Some(read_cache_mark(field)?),
            other => unheld.note(HERE, other),
        }
        Ok(())
    })?;
    Ok(ToolResult {
        call: call.ok_or_else(|| block.lacks("tool_use_id"))?,
        name: None,
        parts,
        failed,
        cache,
    })
}

fn read_thinking(block: Field<'_, '_>, unheld: &mut Unheld) -> Result<Thinking, BadRequest> {
    let mut thinking = Thinking::default();
    block.members(|key, field| {
        match key {
            "type" => {}
            "thinking" => thinking.text = field.boxed()?,
            "signature" => {
                let text = field.text()?;
                thinking.signature = (!text.is_empty()).then(|| Signature::untagged(&text, Maker::Anthropic));
            }
            other => unheld.note(HERE, other),
        }
        Ok(())
    })?;
    Ok(thinking)
}

fn read_redacted(block: Field<'_, '_>, unheld: &mut Unheld) -> Result<Thinking, BadRequest> {
    let mut data = None;
    block.members(|key, field| {
        match key {
            "type" => {}
            "data" => data = Some(field.boxed()?),
            other => unheld.note(HERE, other),
        }
        Ok(())
    })?;
    let signature = Signature {
        maker: Maker::AnthropicRedacted,
        text: data.ok_or_else(|| block.lacks("data"))?,
    };
    Ok(Thinking {
        text: Box::default(),
        signature: Some(signature),
    })
}
