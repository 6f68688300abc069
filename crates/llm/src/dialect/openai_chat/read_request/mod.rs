//! Reads a caller's request: its members besides the messages and the tools.

mod content;
mod messages;
mod reasoning;
mod tools;

use self::reasoning::ReasoningAsked;
use self::tools::Choice;
use crate::BadRequest;
use crate::chat::{Chat, Format, Schema, note};
use crate::dialect::PathFacts;
use crate::dialect::read::{Field, document};
use crate::json::Kind;

/// A request while it is read: its members come in any order.
#[derive(Default)]
struct Request {
    chat: Chat,
    has_messages: bool,
    max_completion_tokens: Option<u64>,
    logprobs: bool,
    top_logprobs: u64,
    reasoning: ReasoningAsked,
    choice: Choice,
    safety_identifier: Option<Box<str>>,
}

pub(super) fn read(body: &[u8], path: PathFacts<'_>) -> Result<Chat, BadRequest> {
    let mut request = Request::default();
    document(body, |name, member| request.member(name, member))?;
    request.finish(path)
}

/// Notes a member that has no place in [`Chat`].
pub(super) fn leave(chat: &mut Chat, name: impl AsRef<str>) {
    note(&mut chat.unheld, name.as_ref());
}

impl Request {
    fn member(&mut self, name: &str, member: Field<'_, '_>) -> Result<(), BadRequest> {
        let chat = &mut self.chat;
        let sampling = &mut chat.sampling;
        match name {
            "model" => chat.model = member.boxed()?,
            "messages" => {
                self.has_messages = true;
                messages::read(chat, &member)?;
            }
            "stream" => chat.stream = member.flag()?,
            "stream_options" => read_stream_options(chat, &member)?,
            "max_completion_tokens" => self.max_completion_tokens = Some(member.count()?),
            "max_tokens" => sampling.max_tokens = Some(member.count()?),
            "temperature" => sampling.temperature = Some(member.number()?),
            "top_p" => sampling.top_p = Some(member.number()?),
            "top_k" => sampling.top_k = Some(member.count()?),
            "frequency_penalty" => sampling.frequency_penalty = Some(member.number()?),
            "presence_penalty" => sampling.presence_penalty = Some(member.number()?),
            "seed" => sampling.seed = Some(member.integer()?),
            "stop" => sampling.stop = read_stop(&member)?,
            "n" => sampling.choices = Some(read_choices(&member)?),
            "logprobs" => self.logprobs = member.flag()?,
            "top_logprobs" => self.top_logprobs = member.count()?,
            "tools" => tools::read(chat, &member)?,
            "tool_choice" => self.choice = Choice::read(&member)?,
            "parallel_tool_calls" => chat.parallel_tools = Some(member.flag()?),
            "response_format" => chat.format = read_format(&member)?,
            "reasoning_effort" => self.reasoning.read_effort(&member)?,
            "reasoning" => self.reasoning.read_object(chat, &member)?,
            "user" => chat.user = Some(member.boxed()?),
            "safety_identifier" => self.safety_identifier = Some(member.boxed()?),
            "modalities" => refuse_audio(&member)?,
            "audio" => return Err(member.refuse(NO_AUDIO)),
            "functions" | "function_call" => {
                return Err(member.refuse("is the old form of tools; use 'tools' and 'tool_choice'"));
            }
            "web_search_options" | "plugins" => {
                return Err(member.refuse(
                    "asks for tools on the provider's side, which the model you named does not have; leave it out",
                ));
            }
            other => leave(chat, other),
        }
        Ok(())
    }

    fn finish(self, path: PathFacts<'_>) -> Result<Chat, BadRequest> {
        let mut chat = self.chat;
        if chat.model.is_empty() {
            chat.model = path.model.unwrap_or_default().into();
        }
        if chat.model.is_empty() {
            return Err(BadRequest::at("model", "'model' is missing; name the model to answer"));
        }
        if !self.has_messages {
            return Err(BadRequest::at(
                "messages",
                "'messages' is missing; send at least one message",
            ));
        }
        if self.top_logprobs > 0 && !self.logprobs {
            return Err(BadRequest::at(
                "top_logprobs",
                "'top_logprobs' needs 'logprobs' to be true",
            ));
        }
        chat.sampling.max_tokens = self.max_completion_tokens.or(chat.sampling.max_tokens);
        chat.sampling.top_logprobs = self.logprobs.then_some(self.top_logprobs);
        chat.user = self.safety_identifier.or(chat.user);
        self.reasoning.finish(&mut chat);
        self.choice.finish(&mut chat)?;
        Ok(chat)
    }
}

const NO_AUDIO: &str = "asks for spoken answers, which the model you named cannot give here; ask for text";

fn refuse_audio(modalities: &Field<'_, '_>) -> Result<(), BadRequest> {
    modalities.elements(|modality| match &*modality.text()? {
        "text" => Ok(()),
        "audio" => Err(modality.refuse(NO_AUDIO)),
        _ => Err(modality.refuse("is no modality that can be asked for; use 'text'")),
    })
}

pub(super) fn read_stream_options(chat: &mut Chat, options: &Field<'_, '_>) -> Result<(), BadRequest> {
    options.members(|name, option| {
        if name == "include_usage" {
            // Whether it is set is the envelope's to say (`Request::caller_asked_usage`): it is about the answer.
            return option.flag().map(drop);
        }
        leave(chat, format!("stream_options.{name}"));
        Ok(())
    })
}

pub(super) fn read_stop(stop: &Field<'_, '_>) -> Result<Vec<Box<str>>, BadRequest> {
    match stop.kind() {
        Kind::String => Ok(vec![stop.boxed()?]),
        Kind::Array => {
            let mut all = Vec::new();
            stop.elements(|one| {
                all.push(one.boxed()?);
                Ok(())
            })?;
            Ok(all)
        }
        Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => {
            Err(stop.expected("a string or an array of strings"))
        }
    }
}

pub(super) fn read_choices(n: &Field<'_, '_>) -> Result<u64, BadRequest> {
    match n.count()? {
        0 => Err(n.refuse("must be at least 1")),
        count => Ok(count),
    }
}

fn read_format(format: &Field<'_, '_>) -> Result<Format, BadRequest> {
    let kind = format.member_text("type").ok_or_else(|| format.lacks("type"))?;
    match &*kind {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Json),
        "json_schema" => {
            let mut schema = None;
            format.members(|name, member| {
                if name == "json_schema" {
                    schema = Some(read_schema(&member)?);
                }
                Ok(())
            })?;
            schema.map(Format::Schema).ok_or_else(|| format.lacks("json_schema"))
        }
        _ => Err(format.refuse("is of an unknown 'type'; use 'text', 'json_object' or 'json_schema'")),
    }
}

fn read_schema(described: &Field<'_, '_>) -> Result<Schema, BadRequest> {
    let (mut name, mut description, mut schema, mut strict) = (None, None, None, None);
    described.members(|member, value| {
        match member {
            "name" => name = Some(value.boxed()?),
            "description" => description = Some(value.boxed()?),
            "schema" if value.kind() == Kind::Object => schema = Some(value.json()?),
            "schema" => return Err(value.expected("an object")),
            "strict" => strict = Some(value.flag()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Schema {
        name: name.ok_or_else(|| described.lacks("name"))?,
        description,
        schema: schema.ok_or_else(|| described.lacks("schema"))?,
        strict,
    })
}
