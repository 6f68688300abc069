//! Reads a caller's request. What only OpenAI could do (its own tools, its memory, running in the background) is
//! refused by name; what merely tunes the answer is noted and goes without.

mod content;
mod input;
mod tools;
mod wanted;

use crate::BadRequest;
use crate::chat::{Chat, Text, note};
use crate::dialect::read::{self, Field};

pub(super) fn read_request(body: &[u8]) -> Result<Chat, BadRequest> {
    read(body, Earlier::Unknown)
}

pub(super) fn read_continued(body: &[u8]) -> Result<Chat, BadRequest> {
    read(body, Earlier::Found)
}

/// Whether somebody followed the request's pointer to an earlier response and put the conversation in front.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Earlier {
    Unknown,
    Found,
}

struct Request {
    chat: Chat,
    earlier: Earlier,
    has_input: bool,
    /// They come first, wherever in the request they stand.
    instructions: Option<Box<str>>,
    /// The older name of `safety_identifier`.
    user: Option<Box<str>>,
    top_logprobs: Option<u64>,
    logprobs_included: bool,
}

fn read(body: &[u8], earlier: Earlier) -> Result<Chat, BadRequest> {
    let mut request = Request {
        chat: Chat::default(),
        earlier,
        has_input: false,
        instructions: None,
        user: None,
        top_logprobs: None,
        logprobs_included: false,
    };
    read::document(body, |name, field| request.member(name, &field))?;
    request.finish()
}

impl Request {
    fn member(&mut self, name: &str, field: &Field<'_, '_>) -> Result<(), BadRequest> {
        let chat = &mut self.chat;
        match name {
            "model" => chat.model = field.boxed()?,
            "input" => {
                self.has_input = true;
                input::read(field, chat)?;
            }
            "instructions" => self.instructions = Some(field.boxed()?),
            "stream" => chat.stream = field.flag()?,
            "tools" => tools::read_tools(field, chat)?,
            "tool_choice" => chat.tool_choice = tools::read_choice(field, &mut chat.unheld)?,
            "parallel_tool_calls" => chat.parallel_tools = Some(field.flag()?),
            "text" => wanted::read_text(field, chat)?,
            "reasoning" => chat.reasoning = wanted::read_reasoning(field, &mut chat.unheld)?,
            "max_output_tokens" => chat.sampling.max_tokens = Some(field.count()?),
            "temperature" => chat.sampling.temperature = Some(field.number()?),
            "top_p" => chat.sampling.top_p = Some(field.number()?),
            "top_logprobs" => self.top_logprobs = Some(field.count()?),
            "include" => self.include(field)?,
            "safety_identifier" => chat.user = Some(field.boxed()?),
            "user" => self.user = Some(field.boxed()?),
            // The proxy sees to it.
            "store" => {
                field.flag()?;
            }
            "previous_response_id" if self.earlier == Earlier::Found => chat.continues = Some(field.boxed()?),
            "previous_response_id" | "conversation" => {
                return Err(field.refuse("cannot be resolved here; send the whole conversation in 'input' instead"));
            }
            "background" => check_background(field)?,
            "prompt" | "moderation" => {
                return Err(field.refuse("is carried out by OpenAI only, not by this model; leave it out"));
            }
            "prompt_cache_options" => read_cache_options(field, &mut chat.unheld)?,
            "stream_options" => read_stream_options(field, &mut chat.unheld)?,
            "truncation" | "service_tier" => {
                let says_nothing = matches!(&*field.text()?, "disabled" | "default")
                    || (name == "service_tier" && field.text()? == "auto");
                if !says_nothing {
                    note(&mut chat.unheld, name);
                }
            }
            other => note(&mut chat.unheld, other),
        }
        Ok(())
    }

    fn include(&mut self, field: &Field<'_, '_>) -> Result<(), BadRequest> {
        field.elements(|element| {
            match &*element.text()? {
                // It always is.
                "reasoning.encrypted_content" => {}
                "message.output_text.logprobs" => self.logprobs_included = true,
                _ => note(&mut self.chat.unheld, "include"),
            }
            Ok(())
        })
    }

    fn finish(self) -> Result<Chat, BadRequest> {
        let mut chat = self.chat;
        if chat.model.is_empty() {
            return Err(BadRequest::at("model", "'model' is missing; name the model to answer"));
        }
        if !self.has_input {
            return Err(BadRequest::at(
                "input",
                "'input' is missing; send a text or a list of items",
            ));
        }
        if chat.turns.is_empty() {
            return Err(BadRequest::at(
                "input",
                "'input' holds nothing to answer; send at least one message",
            ));
        }
        if let Some(instructions) = self.instructions.filter(|text| !text.is_empty()) {
            chat.instructions.insert(0, Text::new(instructions));
        }
        match (&chat.user, self.user) {
            (Some(known), Some(user)) if *known != user => note(&mut chat.unheld, "user"),
            (None, user) => chat.user = user,
            (Some(_), _) => {}
        }
        chat.sampling.top_logprobs = match self.top_logprobs {
            None | Some(0) => self.logprobs_included.then_some(0),
            alternatives => alternatives,
        };
        Ok(chat)
    }
}

fn check_background(field: &Field<'_, '_>) -> Result<(), BadRequest> {
    if field.flag()? {
        return Err(field.refuse("is not possible with this model; leave it out and wait for the answer"));
    }
    Ok(())
}

fn read_cache_options(field: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<(), BadRequest> {
    note(unheld, "prompt_cache_options");
    field.members(|name, member| {
        if name == "prewarm" && member.flag()? {
            return Err(member.refuse("is not possible with this model: there would be no answer; leave it out"));
        }
        Ok(())
    })
}

fn read_stream_options(field: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<(), BadRequest> {
    field.members(|name, member| {
        if name != "include_obfuscation" || member.flag()? {
            note(unheld, &format!("stream_options.{name}"));
        }
        Ok(())
    })
}
