//! The conversation: contents of the user, of the model and of tools, made into turns.

use super::super::joined::{Joined, sealed};
use super::super::key::camel;
use super::part::{self, Data, FunctionResponse, ReadPart};
use super::tool_calls::ToolCalls;
use crate::BadRequest;
use crate::chat::{Chat, Part, Role, ToolCall, ToolResult};
use crate::dialect::read::Field;

struct Reader<'c> {
    chat: &'c mut Chat,
    role: Role,
    /// What the turn has so far: it may go over several contents.
    turn: Joined,
    calls: ToolCalls,
}

pub(super) fn read(field: Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    let mut reader = Reader {
        chat,
        role: Role::User,
        turn: Joined::default(),
        calls: ToolCalls::default(),
    };
    field.elements(|content| reader.content(content))?;
    reader.end_turn();
    Ok(())
}

impl Reader<'_> {
    fn content(&mut self, content: Field<'_, '_>) -> Result<(), BadRequest> {
        let role = match content.member_text("role").as_deref() {
            Some("model") => Role::Assistant,
            _ => Role::User,
        };
        if role != self.role {
            self.end_turn();
            self.role = role;
            if role == Role::Assistant {
                self.calls.model_speaks();
            }
        }
        let mut has_parts = false;
        content.members(|key, field| match &*camel(key) {
            "role" => match &*field.text()? {
                "user" | "model" | "function" => Ok(()),
                _ => Err(field.refuse("must be 'user', 'model' or 'function'")),
            },
            "parts" => {
                has_parts = true;
                field.elements(|field| {
                    let part = part::read(field, self.chat)?;
                    self.part(part, field)
                })
            }
            name => {
                super::leave_out(self.chat, &format!("contents.{name}"));
                Ok(())
            }
        })?;
        if has_parts { Ok(()) } else { Err(content.lacks("parts")) }
    }

    fn part(&mut self, part: ReadPart, field: Field<'_, '_>) -> Result<(), BadRequest> {
        let ReadPart {
            data,
            thought,
            signature,
        } = part;
        match (data, self.role) {
            (Some(Data::Call(call)), Role::Assistant) => {
                let id = self.calls.make(call.id, &call.name);
                self.turn.push(Part::ToolCall(ToolCall {
                    id,
                    name: call.name,
                    arguments: call.arguments,
                    signature,
                    cache: None,
                }));
            }
            (Some(Data::Call(_)), Role::User) => {
                return Err(field.refuse("calls a function; only contents of role 'model' do"));
            }
            (Some(Data::Response(response)), Role::User) => self.result(response, field)?,
            (Some(Data::Response(_)), Role::Assistant) => {
                return Err(field.refuse("answers a call; only contents of role 'user' or 'function' do"));
            }
            (Some(Data::Text(text)), Role::User) if text.is_empty() => {}
            // What a user wrote in pieces stays in pieces.
            (Some(Data::Text(text)), Role::User) => self.turn.push(Part::text(text)),
            (Some(Data::Media(media)), Role::User) => self.turn.push(Part::Media(media)),
            (None, Role::User) => {}
            (Some(Data::Text(text)), Role::Assistant) if thought => self.turn.thought(&text, signature),
            (None, Role::Assistant) if thought => self.turn.thought("", signature),
            (data, Role::Assistant) => {
                if let Some(signature) = signature {
                    self.turn.push(sealed(signature));
                }
                match data {
                    Some(Data::Text(text)) => self.turn.text(&text),
                    Some(Data::Media(media)) => self.turn.push(Part::Media(media)),
                    Some(Data::Call(_) | Data::Response(_)) | None => {}
                }
            }
        }
        Ok(())
    }

    fn result(&mut self, response: FunctionResponse, field: Field<'_, '_>) -> Result<(), BadRequest> {
        let call = self.calls.answer(response.id.as_deref(), &response.name);
        let Some(call) = call else {
            let name = &response.name;
            return Err(field.refuse(&format!(
                "answers no call: the model's content before it has no call of '{name}' that is still open"
            )));
        };
        self.turn.push(Part::ToolResult(ToolResult {
            call,
            name: Some(response.name),
            parts: response.parts,
            failed: response.failed,
            cache: None,
        }));
        Ok(())
    }

    fn end_turn(&mut self) {
        let parts = std::mem::take(&mut self.turn).into_parts();
        self.chat.add(self.role, parts);
    }
}
