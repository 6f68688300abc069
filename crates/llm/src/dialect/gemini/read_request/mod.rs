//! A caller's request. Model and stream come from the address; what can only be done on Google's servers is refused by
//! its name.

mod contents;
mod generation;
mod media;
mod part;
mod tool_calls;
mod tools;

use self::part::Data;
use super::key::camel;
use crate::BadRequest;
use crate::chat::{Chat, Text, note};
use crate::dialect::PathFacts;
use crate::dialect::read::{Field, document};

#[derive(Debug, Default)]
struct Request {
    chat: Chat,
    /// The body's own name for the model.
    model: Option<Box<str>>,
    has_contents: bool,
}

pub(super) fn read_request(body: &[u8], path: PathFacts<'_>) -> Result<Chat, BadRequest> {
    let mut request = Request::default();
    document(body, |key, field| request.member(key, field))?;
    request.finish(path)
}

/// The body of `countTokens`: contents alone, or a whole request in a member of its own.
pub fn read_count_request(body: &[u8], path: PathFacts<'_>) -> Result<Chat, BadRequest> {
    let mut request = Request::default();
    document(body, |key, field| match &*camel(key) {
        "generateContentRequest" => field.members(|key, field| request.member(key, field)),
        _ => request.member(key, field),
    })?;
    request.finish(path)
}

impl Request {
    fn member(&mut self, key: &str, field: Field<'_, '_>) -> Result<(), BadRequest> {
        let chat = &mut self.chat;
        match &*camel(key) {
            "contents" => {
                self.has_contents = true;
                contents::read(field, chat)
            }
            "systemInstruction" => read_instruction(field, chat),
            "tools" => tools::read(field, chat),
            "toolConfig" => tools::read_config(field, chat),
            "generationConfig" => generation::read(field, chat),
            "model" => {
                self.model = Some(field.boxed()?);
                Ok(())
            }
            "cachedContent" => Err(field.refuse("names a cache of Google's; send the contents themselves")),
            "continuationToken" => {
                Err(field.refuse("goes on with an answer of Google's; send the contents themselves"))
            }
            name => {
                leave_out(chat, name);
                Ok(())
            }
        }
    }

    fn finish(mut self, path: PathFacts<'_>) -> Result<Chat, BadRequest> {
        let named = self
            .model
            .as_deref()
            .map(|name| name.strip_prefix("models/").unwrap_or(name));
        let Some(model) = path.model.or(named).filter(|name| !name.is_empty()) else {
            return Err(BadRequest::at(
                "model",
                "the address names no model; it is to end in 'models/<name>:generateContent'",
            ));
        };
        self.chat.model = model.into();
        self.chat.stream = path.stream;
        if !self.has_contents {
            return Err(BadRequest::at(
                "contents",
                "'contents' is missing; send at least one content",
            ));
        }
        if self.chat.turns.is_empty() {
            return Err(BadRequest::at(
                "contents",
                "'contents' says nothing; send at least one part that is not empty",
            ));
        }
        Ok(self.chat)
    }
}

/// Notes a member that has no place in a [`Chat`].
fn leave_out(chat: &mut Chat, name: &str) {
    note(&mut chat.unheld, name);
}

/// A content without regard for its role, or just a text.
fn read_instruction(field: Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    if let Ok(text) = field.text() {
        chat.instructions.push(Text::new(text));
        return Ok(());
    }
    field.members(|key, field| match &*camel(key) {
        "parts" => field.elements(|field| match part::read(field, chat)?.data {
            Some(Data::Text(text)) => {
                chat.instructions.push(Text::new(text));
                Ok(())
            }
            Some(Data::Media(_) | Data::Call(_) | Data::Response(_)) | None => {
                Err(field.refuse("must be text: instructions hold nothing else"))
            }
        }),
        _ => Ok(()),
    })
}
