//! Reads a caller's request. What only Anthropic's own service could do is refused by name; what only it would heed is
//! noted as not held.

mod block;
mod calls;
mod media;
mod messages;
mod reasoning;
mod tools;

use std::borrow::Cow;

use self::messages::Instructions;
use self::reasoning::Output;
use crate::BadRequest;
use crate::chat::{CacheMark, Chat, Part, note};
use crate::dialect::read::{Field, document};
use crate::json::Kind;

/// Bytes of the longest name a model may have.
const LONGEST_MODEL: usize = 128;

/// Names of members that have no place in a [`Chat`].
#[derive(Debug, Default)]
struct Unheld(Vec<Box<str>>);

/// Members that bear on one another, until all of them are known.
#[derive(Default)]
struct Rest<'a> {
    model: Option<Box<str>>,
    messages_seen: bool,
    instructions: Instructions,
    output: Output,
    cache: Option<CacheMark>,
    unheld: Unheld,
    max_tokens: Option<u64>,
    user: Option<Cow<'a, str>>,
}

/// A request to answer: `max_tokens` has to be there.
pub(super) fn read(body: &[u8]) -> Result<Chat, BadRequest> {
    let chat = read_unlimited(body)?;
    if chat.sampling.max_tokens.is_none() {
        return Err(BadRequest::at(
            "max_tokens",
            "'max_tokens' is missing; say how many tokens the answer may have at most",
        ));
    }
    Ok(chat)
}

pub(super) fn read_unlimited(body: &[u8]) -> Result<Chat, BadRequest> {
    let mut chat = Chat::default();
    let mut rest = Rest::default();
    document(body, |key, field| read_member(key, field, &mut chat, &mut rest))?;
    rest.finish(chat)
}

fn read_member<'a>(key: &str, field: Field<'a, '_>, chat: &mut Chat, rest: &mut Rest<'a>) -> Result<(), BadRequest> {
    match key {
        "model" => rest.model = Some(read_model(field)?),
        "messages" => {
            rest.messages_seen = true;
            messages::read(field, chat, &mut rest.instructions.later, &mut rest.unheld)?;
        }
        "system" => rest.instructions.first = messages::read_texts(field, "system", &mut rest.unheld)?,
        "max_tokens" => rest.max_tokens = Some(field.count()?),
        "stream" => chat.stream = field.flag()?,
        "temperature" => chat.sampling.temperature = Some(field.number()?),
        "top_p" => chat.sampling.top_p = Some(field.number()?),
        "top_k" => chat.sampling.top_k = Some(field.count()?),
        "stop_sequences" => field.elements(|text| {
            chat.sampling.stop.push(text.boxed()?);
            Ok(())
        })?,
        "tools" => chat.tools = tools::read(field, &mut rest.unheld)?,
        "tool_choice" => tools::read_choice(field, chat, &mut rest.unheld)?,
        "thinking" => rest.output.read_thinking(field, &mut rest.unheld)?,
        "output_config" => rest.output.read_config(field, &mut rest.unheld)?,
        "output_format" => rest.output.read_format(field, &mut rest.unheld)?,
        "metadata" => field.members(|key, value| {
            match key {
                "user_id" => rest.user = Some(value.text()?),
                other => rest.unheld.note("metadata", other),
            }
            Ok(())
        })?,
        "cache_control" => rest.cache = Some(read_cache_mark(field)?),
        "thread" => {
            return Err(field.refuse("cannot be used here: no conversation is kept; send all of its messages"));
        }
        "mcp_servers" if is_empty_array(field) => {}
        "mcp_servers" => {
            return Err(field.refuse("cannot be used here: call the servers yourself and offer their tools in 'tools'"));
        }
        other => rest.unheld.note("", other),
    }
    Ok(())
}

impl Rest<'_> {
    fn finish(self, mut chat: Chat) -> Result<Chat, BadRequest> {
        chat.model = self
            .model
            .ok_or_else(|| BadRequest::at("model", "'model' is missing; name the model to answer"))?;
        if !self.messages_seen {
            return Err(BadRequest::at(
                "messages",
                "'messages' is missing; send at least one message",
            ));
        }
        chat.sampling.max_tokens = self.max_tokens;
        chat.user = self.user.map(|user| user.into_owned().into());
        chat.instructions = self.instructions.first;
        chat.instructions.extend(self.instructions.later);
        let mut unheld = self.unheld;
        chat.reasoning = self.output.reasoning(&mut unheld);
        chat.format = self.output.format;
        chat.unheld = unheld.0;
        if let Some(mark) = self.cache {
            mark_last(&mut chat, mark);
        }
        Ok(chat)
    }
}

impl Unheld {
    /// `within` is the way to the object that has the member, without indices.
    fn note(&mut self, within: &str, name: &str) {
        let full = if within.is_empty() {
            name.into()
        } else {
            format!("{within}.{name}").into_boxed_str()
        };
        note(&mut self.0, &full);
    }
}

fn read_model(field: Field<'_, '_>) -> Result<Box<str>, BadRequest> {
    let model = field.boxed()?;
    if model.is_empty() {
        return Err(field.refuse("is empty; name the model to answer"));
    }
    if model.len() > LONGEST_MODEL {
        return Err(field.refuse("is longer than 128 bytes; no model has such a name"));
    }
    Ok(model)
}

/// A duration that is not known counts as the usual one.
fn read_cache_mark(field: Field<'_, '_>) -> Result<CacheMark, BadRequest> {
    let mut mark = CacheMark::FiveMinutes;
    field.members(|key, value| {
        if key == "ttl" && &*value.text()? == "1h" {
            mark = CacheMark::OneHour;
        }
        Ok(())
    })?;
    Ok(mark)
}

/// What `cache_control` of the whole request means: it marks the last block that can be marked.
fn mark_last(chat: &mut Chat, mark: CacheMark) {
    let mut parts = chat.turns.iter_mut().flat_map(|turn| &mut turn.parts).rev();
    if let Some(place) = parts.find_map(Part::cache_mark) {
        place.get_or_insert(mark);
    }
}

fn is_empty_array(field: Field<'_, '_>) -> bool {
    let mut empty = field.kind() == Kind::Array;
    // Its elements are not read: there being one is enough.
    let read = field.elements(|_| {
        empty = false;
        Ok(())
    });
    empty && read.is_ok()
}
