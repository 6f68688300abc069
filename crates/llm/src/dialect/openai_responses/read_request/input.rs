//! Reads `input`: a text, or items from which turns are made. A signature that belongs to a tool call comes as a
//! reasoning item of its own beside the call; here the two are joined again.

use super::content::{self, Spoken};
use crate::BadRequest;
use crate::chat::{Chat, Maker, Namespaced, Part, Role, Signature, Thinking, ToolCall, ToolResult, note};
use crate::dialect::freeform;
use crate::dialect::openai_responses::output::SUMMARY_BREAK;
use crate::dialect::read::Field;
use crate::json::Kind;

pub(super) fn read(field: &Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    if field.kind() == Kind::String {
        let text = field.boxed()?;
        if !text.is_empty() {
            chat.add(Role::User, [Part::text(text)]);
        }
        return Ok(());
    }
    if field.kind() != Kind::Array {
        return Err(field.expected("a string or an array"));
    }
    let mut items = Items::default();
    field.elements(|item| items.read(&item, chat))?;
    items.place_waiting();
    for (role, part) in items.parts {
        chat.add(role, [part]);
    }
    Ok(())
}

#[derive(Default)]
struct Items {
    parts: Vec<(Role, Part)>,
    /// The signature of a call that is expected next.
    waiting: Option<Signature>,
}

/// Who says a message.
#[derive(Clone, Copy)]
enum Speaker {
    User,
    Assistant,
    Instructor,
}

impl Items {
    fn read(&mut self, item: &Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
        if item.kind() != Kind::Object {
            return Err(item.expected("an object"));
        }
        match item.member_text("type").as_deref() {
            Some("message") => self.message(item, chat),
            Some("function_call") => self.call(item, "arguments", &mut chat.unheld),
            Some("custom_tool_call") => self.call(item, "input", &mut chat.unheld),
            Some("function_call_output" | "custom_tool_call_output") => self.result(item, &mut chat.unheld),
            Some("reasoning") => self.reasoning(item),
            Some("item_reference") => Err(item.refuse(
                "refers to an item that is stored elsewhere and cannot be resolved here; send the item itself",
            )),
            Some(other) => Err(item.refuse(&format!(
                "is of type '{other}', which this model cannot be shown; leave it out, or say it in a message"
            ))),
            None if item.member_text("role").is_some() => self.message(item, chat),
            None => Err(item.lacks("type")),
        }
    }

    fn message(&mut self, item: &Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
        let role = item.member_text("role").ok_or_else(|| item.lacks("role"))?;
        let speaker = Speaker::parse(&role);
        let mut has_content = false;
        item.members(|name, member| {
            match (name, speaker) {
                ("role", None) => {
                    return Err(member.refuse(&format!("is '{role}'; it must be user, assistant, system or developer")));
                }
                ("content", Some(speaker)) => {
                    has_content = true;
                    self.spoken(speaker, &member, chat)?;
                }
                ("id" | "type" | "role" | "status" | "content", _) => {}
                (other, _) => note(&mut chat.unheld, &format!("input.{other}")),
            }
            Ok(())
        })?;
        if has_content {
            Ok(())
        } else {
            Err(item.lacks("content"))
        }
    }

    fn spoken(&mut self, speaker: Speaker, field: &Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
        let Chat {
            instructions, unheld, ..
        } = chat;
        content::read(field, unheld, |place, spoken| {
            let (role, part) = match (speaker, spoken) {
                (Speaker::Instructor, Spoken::Text(text)) => {
                    instructions.push(text);
                    return Ok(());
                }
                (Speaker::User, Spoken::Text(text)) => (Role::User, Part::Text(text)),
                (Speaker::User, Spoken::Media(media)) => (Role::User, Part::Media(media)),
                (Speaker::Assistant, Spoken::Text(text)) => (Role::Assistant, Part::Text(text)),
                (Speaker::Assistant, Spoken::Refusal(text)) => (Role::Assistant, Part::Refusal(text)),
                (Speaker::Instructor, Spoken::Media(_) | Spoken::Refusal(_)) => {
                    return Err(place.refuse("must be text in a system or developer message"));
                }
                (Speaker::Assistant, Spoken::Media(_)) => {
                    return Err(place.refuse("must be text or a refusal in an assistant message"));
                }
                (Speaker::User, Spoken::Refusal(_)) => {
                    return Err(place.refuse("is a refusal, which only assistants speak"));
                }
            };
            self.push(role, part);
            Ok(())
        })
    }

    /// `given` is where its arguments are: JSON, or a text of any form.
    fn call(&mut self, item: &Field<'_, '_>, given: &str, unheld: &mut Vec<Box<str>>) -> Result<(), BadRequest> {
        let (mut id, mut namespace, mut called, mut arguments) = (None, None, None, None);
        item.members(|name, member| {
            match name {
                "call_id" => id = Some(member.boxed()?),
                "namespace" => namespace = Some(member.text()?),
                "name" => called = Some(member.boxed()?),
                "input" if given == name => arguments = Some(freeform::arguments(&member.text()?)),
                "arguments" if given == name => arguments = Some(member.boxed()?),
                "id" | "type" | "status" => {}
                other => note(unheld, &format!("input.{other}")),
            }
            Ok(())
        })?;
        let name = called.ok_or_else(|| item.lacks("name"))?;
        let call = ToolCall {
            id: id.ok_or_else(|| item.lacks("call_id"))?,
            name: match namespace {
                Some(namespace) => Namespaced::whole(&namespace, &name),
                None => name,
            },
            arguments: arguments
                .filter(|text| !text.trim_ascii().is_empty())
                .unwrap_or_else(|| "{}".into()),
            signature: self.waiting.take(),
            cache: None,
        };
        self.push(Role::Assistant, Part::ToolCall(call));
        Ok(())
    }

    fn result(&mut self, item: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<(), BadRequest> {
        let (mut call, mut tool, mut parts) = (None, None, None);
        item.members(|name, member| {
            match name {
                "call_id" => call = Some(member.boxed()?),
                "name" => tool = Some(member.boxed()?),
                "output" => parts = Some(result_parts(&member, unheld)?),
                "id" | "type" | "status" => {}
                other => note(unheld, &format!("input.{other}")),
            }
            Ok(())
        })?;
        let result = ToolResult {
            call: call.ok_or_else(|| item.lacks("call_id"))?,
            name: tool,
            parts: parts.ok_or_else(|| item.lacks("output"))?,
            failed: false,
            cache: None,
        };
        self.push(Role::User, Part::ToolResult(result));
        Ok(())
    }

    fn reasoning(&mut self, item: &Field<'_, '_>) -> Result<(), BadRequest> {
        let (mut summary, mut thoughts, mut sealed) = (String::new(), String::new(), None);
        item.members(|name, member| {
            match name {
                "summary" => summary = joined_texts(&member)?,
                "content" => thoughts = joined_texts(&member)?,
                "encrypted_content" => sealed = Some(member.text()?),
                _ => {}
            }
            Ok(())
        })?;
        let text = if summary.is_empty() { thoughts } else { summary };
        let signature = sealed
            .filter(|sealed| !sealed.is_empty())
            .map(|sealed| Signature::untagged(&sealed, Maker::Openai));
        match signature {
            Some(signature) if signature.maker == Maker::Gemini && text.is_empty() => self.sign_call(signature),
            None if text.is_empty() => {}
            signature => {
                let text = text.into();
                self.push(Role::Assistant, Part::Thinking(Thinking { text, signature }));
            }
        }
        Ok(())
    }

    /// Of several calls at once Gemini signs the first: between two calls, a signature belongs to the one before it.
    fn sign_call(&mut self, signature: Signature) {
        match self.parts.last_mut() {
            Some((_, Part::ToolCall(call))) if call.signature.is_none() => call.signature = Some(signature),
            _ => {
                self.place_waiting();
                self.waiting = Some(signature);
            }
        }
    }

    fn push(&mut self, role: Role, part: Part) {
        self.place_waiting();
        self.parts.push((role, part));
    }

    /// No call came: the signature stands for thinking of which nothing can be read.
    fn place_waiting(&mut self) {
        if let Some(signature) = self.waiting.take() {
            let thinking = Thinking {
                text: "".into(),
                signature: Some(signature),
            };
            self.parts.push((Role::Assistant, Part::Thinking(thinking)));
        }
    }
}

impl Speaker {
    fn parse(role: &str) -> Option<Self> {
        match role {
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            "system" | "developer" => Some(Self::Instructor),
            _ => None,
        }
    }
}

fn result_parts(field: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<Vec<Part>, BadRequest> {
    let mut parts = Vec::new();
    content::read(field, unheld, |place, spoken| {
        parts.push(match spoken {
            Spoken::Text(text) => Part::Text(text),
            Spoken::Media(media) => Part::Media(media),
            Spoken::Refusal(_) => return Err(place.refuse("is a refusal, which no tool gives")),
        });
        Ok(())
    })?;
    Ok(parts)
}

fn joined_texts(field: &Field<'_, '_>) -> Result<String, BadRequest> {
    let mut joined = String::new();
    field.elements(|part| {
        part.members(|name, member| {
            if name == "text" {
                if !joined.is_empty() {
                    joined.push_str(SUMMARY_BREAK);
                }
                joined.push_str(&member.text()?);
            }
            Ok(())
        })
    })?;
    Ok(joined)
}
