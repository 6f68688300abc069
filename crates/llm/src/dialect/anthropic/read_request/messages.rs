//! Messages: who speaks, and system messages wherever they stand.

use super::block::{Speaker, read_block, read_text};
use super::{Unheld, calls};
use crate::BadRequest;
use crate::chat::{Chat, Part, Role, Text};
use crate::dialect::read::Field;
use crate::json::Kind;

/// System texts: those of `system`, then those of messages, in whichever order the body has them.
#[derive(Debug, Default)]
pub(super) struct Instructions {
    pub(super) first: Vec<Text>,
    pub(super) later: Vec<Text>,
}

pub(super) fn read(
    messages: Field<'_, '_>,
    chat: &mut Chat,
    instructions: &mut Vec<Text>,
    unheld: &mut Unheld,
) -> Result<(), BadRequest> {
    let mut any = false;
    messages.elements(|message| {
        any = true;
        read_message(message, chat, instructions, unheld)
    })?;
    if !any {
        return Err(messages.refuse("is empty; send at least one message"));
    }
    Ok(())
}

fn read_message(
    message: Field<'_, '_>,
    chat: &mut Chat,
    instructions: &mut Vec<Text>,
    unheld: &mut Unheld,
) -> Result<(), BadRequest> {
    let role = message.member_text("role");
    let speaker = match role.as_deref() {
        Some("user") => Some(Speaker::User),
        Some("assistant") => Some(Speaker::Assistant),
        Some("system") => None,
        Some(_) => return Err(message.refuse("has a role that is not known; use 'user', 'assistant' or 'system'")),
        None if message.kind() == Kind::Object => return Err(message.lacks("role")),
        None => return Err(message.expected("an object")),
    };
    let mut has_content = false;
    message.members(|key, field| {
        match key {
            "role" => {}
            "content" => {
                has_content = true;
                match speaker {
                    Some(speaker) => add_turn(speaker, field, chat, unheld)?,
                    None => instructions.extend(read_texts(field, "messages.content", unheld)?),
                }
            }
            other => unheld.note("messages", other),
        }
        Ok(())
    })?;
    if !has_content {
        return Err(message.lacks("content"));
    }
    Ok(())
}

fn add_turn(speaker: Speaker, content: Field<'_, '_>, chat: &mut Chat, unheld: &mut Unheld) -> Result<(), BadRequest> {
    match speaker {
        Speaker::User => chat.add(Role::User, read_parts(content, speaker, unheld)?),
        Speaker::Assistant => {
            let parts = read_parts(content, speaker, unheld)?;
            chat.add(Role::Assistant, calls::sign(parts));
        }
    }
    Ok(())
}

fn read_parts(content: Field<'_, '_>, speaker: Speaker, unheld: &mut Unheld) -> Result<Vec<Part>, BadRequest> {
    let mut parts = Vec::new();
    match content.kind() {
        Kind::String => parts.push(Part::text(content.boxed()?)),
        Kind::Array => content.elements(|block| {
            parts.push(read_block(block, speaker, unheld)?);
            Ok(())
        })?,
        Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => {
            return Err(content.expected("a string or an array of blocks"));
        }
    }
    Ok(parts)
}

/// A string or an array of text blocks: `within` says where.
pub(super) fn read_texts(field: Field<'_, '_>, within: &str, unheld: &mut Unheld) -> Result<Vec<Text>, BadRequest> {
    if field.kind() == Kind::String {
        return Ok(vec![Text::new(field.boxed()?)]);
    }
    let mut texts = Vec::new();
    field.elements(|block| {
        match block.member_text("type").as_deref() {
            Some("text") => texts.push(read_text(block, within, unheld)?),
            Some(other) => return Err(block.refuse(&format!("is of type '{other}'; only 'text' is possible here"))),
            None if block.kind() == Kind::Object => return Err(block.lacks("type")),
            None => return Err(block.expected("an object")),
        }
        Ok(())
    })?;
    Ok(texts)
}
