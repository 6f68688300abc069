//! Reads the messages: instructions apart, tool results among the user's turns, thoughts before what they led to.

use super::content::{self, Allowed, mark, read_cache_mark};
use super::leave;
use crate::BadRequest;
use crate::chat::{CacheMark, Chat, Part, Role, Thinking, ToolCall, ToolResult};
use crate::dialect::freeform;
use crate::dialect::openai_chat::details;
use crate::dialect::read::Field;
use crate::json::{Kind, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Instructions,
    User,
    Assistant,
    Tool,
}

/// A message while it is read: its members come in any order.
#[derive(Default)]
struct Message<'a> {
    content: Option<Vec<Part>>,
    refusal: Option<Box<str>>,
    calls: Vec<ToolCall>,
    details: Option<Value<'a>>,
    reasoning: Option<Box<str>>,
    /// The call whose result this is.
    call: Option<Box<str>>,
    name: Option<Box<str>>,
    cache: Option<CacheMark>,
}

pub(super) fn read(chat: &mut Chat, messages: &Field<'_, '_>) -> Result<(), BadRequest> {
    let mut any = false;
    messages.elements(|message| {
        any = true;
        if message.kind() != Kind::Object {
            return Err(message.expected("an object"));
        }
        let role = message.member_text("role").ok_or_else(|| message.lacks("role"))?;
        let speaker = match &*role {
            "system" | "developer" => Speaker::Instructions,
            "user" => Speaker::User,
            "assistant" => Speaker::Assistant,
            "tool" => Speaker::Tool,
            "function" => return Err(message.refuse("has the old role 'function'; use 'tool' and 'tool_call_id'")),
            _ => {
                return Err(message.refuse(&format!(
                    "has the unknown role '{role}'; use 'system', 'developer', 'user', 'assistant' or 'tool'"
                )));
            }
        };
        let mut read = Message::default();
        message.members(|name, member| read.member(chat, speaker, name, &member))?;
        read.finish(chat, speaker, &message)
    })?;
    if any {
        Ok(())
    } else {
        Err(messages.refuse("is empty; send at least one message"))
    }
}

impl<'a> Message<'a> {
    fn member(
        &mut self,
        chat: &mut Chat,
        speaker: Speaker,
        name: &str,
        member: &Field<'a, '_>,
    ) -> Result<(), BadRequest> {
        match (name, speaker) {
            ("role", _) => {}
            ("content", _) => {
                let allowed = match speaker {
                    Speaker::Instructions => Allowed::Texts,
                    Speaker::User | Speaker::Tool => Allowed::TextsAndMedia,
                    Speaker::Assistant => Allowed::TextsAndRefusals,
                };
                self.content = Some(content::read(chat, member, allowed)?);
            }
            ("cache_control", _) => self.cache = Some(read_cache_mark(member)?),
            ("tool_call_id", Speaker::Tool) => self.call = Some(member.boxed()?),
            ("name", Speaker::Tool) => self.name = Some(member.boxed()?),
            ("refusal", Speaker::Assistant) => self.refusal = Some(member.boxed()?),
            ("tool_calls", Speaker::Assistant) => {
                let calls = &mut self.calls;
                member.elements(|call| {
                    calls.push(read_call(&call)?);
                    Ok(())
                })?;
            }
            ("function_call", Speaker::Assistant) => {
                return Err(member.refuse("is the old form of 'tool_calls'; use that"));
            }
            ("audio", Speaker::Assistant) => {
                return Err(member.refuse("is an answer that only the model that spoke it has; send its text"));
            }
            ("reasoning_details", Speaker::Assistant) => self.read_details(member)?,
            ("reasoning_content", Speaker::Assistant) => self.reasoning = Some(member.boxed()?),
            ("reasoning", Speaker::Assistant) => self.reasoning = self.reasoning.take().or(Some(member.boxed()?)),
            // Answers have it, and are given back as they came.
            ("annotations", Speaker::Assistant) => {}
            (other, _) => leave(chat, format!("messages.{other}")),
        }
        Ok(())
    }

    fn read_details(&mut self, details: &Field<'a, '_>) -> Result<(), BadRequest> {
        if details.kind() != Kind::Array {
            return Err(details.expected("an array"));
        }
        self.details = Some(Value {
            kind: Kind::Array,
            text: details.raw(),
            start: 0,
        });
        Ok(())
    }

    fn finish(mut self, chat: &mut Chat, speaker: Speaker, at: &Field<'_, '_>) -> Result<(), BadRequest> {
        if self.content.is_none() && speaker != Speaker::Assistant {
            return Err(at.lacks("content"));
        }
        let mut content = self.content.take().unwrap_or_default();
        if let Some(last) = content.last_mut().filter(|_| speaker != Speaker::Tool) {
            mark(last, self.cache);
        }
        match speaker {
            Speaker::Instructions => chat
                .instructions
                .extend(content.into_iter().filter_map(|part| match part {
                    Part::Text(text) => Some(text),
                    Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => {
                        None
                    }
                })),
            Speaker::User => chat.add(Role::User, content),
            Speaker::Assistant => {
                let parts = self.answer(content);
                chat.add(Role::Assistant, parts);
            }
            Speaker::Tool => {
                content.retain(says_something);
                let result = ToolResult {
                    call: self.call.ok_or_else(|| at.lacks("tool_call_id"))?,
                    name: self.name,
                    parts: content,
                    failed: false,
                    cache: self.cache,
                };
                chat.add(Role::User, [Part::ToolResult(result)]);
            }
        }
        Ok(())
    }

    /// What the model thought, then what it said, then what it called.
    fn answer(mut self, content: Vec<Part>) -> Vec<Part> {
        let details = self.details;
        let mut thoughts = details.map_or_else(Vec::new, |list| details::thinking(&list, &mut self.calls));
        if thoughts.is_empty()
            && let Some(text) = self.reasoning.filter(|text| !text.is_empty())
        {
            thoughts.push(Thinking { text, signature: None });
        }
        let mut parts: Vec<_> = thoughts.into_iter().map(Part::Thinking).collect();
        parts.extend(content.into_iter().filter(says_something));
        parts.extend(self.refusal.filter(|text| !text.is_empty()).map(Part::Refusal));
        parts.extend(self.calls.into_iter().map(Part::ToolCall));
        parts
    }
}

/// Clients send empty texts beside tool calls, which other dialects refuse.
fn says_something(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.is_empty(),
        Part::Refusal(text) => !text.is_empty(),
        Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) => true,
    }
}

fn read_call(call: &Field<'_, '_>) -> Result<ToolCall, BadRequest> {
    if call.kind() == Kind::Object
        && let Some(kind) = call.member_text("type")
        && !matches!(&*kind, "function" | "custom")
    {
        return Err(call.refuse(&format!(
            "is a call of type '{kind}', which the model you named cannot make; use 'function' or 'custom'"
        )));
    }
    let (mut id, mut function) = (None, None);
    call.members(|name, member| {
        match name {
            "id" => id = Some(member.boxed()?),
            "function" | "custom" => function = Some(read_called(&member)?),
            _ => {}
        }
        Ok(())
    })?;
    let (name, arguments) = function.ok_or_else(|| call.lacks("function"))?;
    Ok(ToolCall {
        id: id.ok_or_else(|| call.lacks("id"))?,
        name,
        arguments,
        signature: None,
        cache: None,
    })
}

/// The function's name and arguments; a text where the tool takes that.
fn read_called(function: &Field<'_, '_>) -> Result<(Box<str>, Box<str>), BadRequest> {
    let mut called = None;
    let mut arguments: Box<str> = "{}".into();
    function.members(|name, member| {
        match name {
            "name" => called = Some(member.boxed()?),
            "input" => arguments = freeform::arguments(&member.text()?),
            "arguments" => {
                let text = member.boxed()?;
                if !text.trim().is_empty() {
                    arguments = text;
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let called = called.ok_or_else(|| function.lacks("name"))?;
    Ok((called, arguments))
}
