//! The wire formats of conversations: what callers speak to us and what we speak to providers. Each is a folder with a
//! file for each direction. Translation always goes through [`Chat`] and [`Event`], never from one dialect to another.

pub mod anthropic;
pub mod bedrock;
pub mod cohere;
pub mod gemini;
pub mod openai_chat;
pub mod openai_responses;

pub(crate) mod data_uri;
pub(crate) mod freeform;
pub(crate) mod read;
pub(crate) mod sequence;
pub(crate) mod sse_decoder;

use std::fmt::{self, Write as _};

use gatewright_types::api::{Dialect, NativeDialect};

use crate::chat::{Chat, Media, Sampling, note};
use crate::event::{Answer, Event};
use crate::{AnswerFacts, BadRequest, Delivered, Failure, NotAnAnswer, Terms};

/// A dialect that callers speak to us.
pub trait Inbound: fmt::Debug + Sync {
    /// Reads a request. `path` is what the address says, in dialects that put something there.
    fn read_request(&self, body: &[u8], path: PathFacts<'_>) -> Result<Chat, BadRequest>;

    fn write_answer(&self, answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8>;

    /// The body of a refusal.
    fn write_error(&self, error: &ErrorFacts<'_>) -> Vec<u8>;

    /// The writer of one stream.
    fn encoder(&self, reply: &ReplyFacts<'_>) -> Box<dyn Encoder>;

    /// What a whole answer in this dialect says of itself, when it is passed on unread.
    fn read_facts(&self, body: &[u8]) -> Result<AnswerFacts, NotAnAnswer>;

    /// The watcher of one stream in this dialect that is passed on unread.
    fn watcher(&self) -> Box<dyn Watch>;
}

/// A dialect that we speak to providers.
pub trait Outbound: fmt::Debug + Sync {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported>;

    /// Whether it has to be in the request itself, though the caller gave its address.
    fn wants_bytes(&self, _: &Media) -> bool {
        false
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure>;

    /// The reader of one stream.
    fn decoder(&self) -> Box<dyn Decoder>;

    /// What is around Anthropic's dialect, where it is that.
    fn envelope(&self) -> Option<anthropic::Envelope> {
        None
    }
}

/// How callers of this dialect are spoken to. Embeddings are no conversation, and what is only spoken at a provider's own
/// address is not written here: of those only errors and facts.
pub fn inbound(dialect: Dialect) -> &'static dyn Inbound {
    match dialect {
        Dialect::Native(NativeDialect::VertexPredict) => &gemini::Gemini,
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::Native(_) => &openai_chat::OpenaiChat,
        Dialect::OpenaiResponses => &openai_responses::OpenaiResponses,
        Dialect::OpenaiCompletions => &openai_chat::completions::OpenaiCompletions,
        Dialect::AnthropicMessages => &anthropic::Anthropic,
        Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed => &gemini::Gemini,
    }
}

/// Writes one stream to a caller.
pub trait Encoder: Send {
    /// Appends what the event means in this dialect, if anything. `Failed` is not for it but for `fail`.
    fn write(&mut self, event: &Event, out: &mut Vec<u8>);

    /// Appends what ends a whole stream: called once, after `Stop` was written and the last usage is known.
    fn end(&mut self, out: &mut Vec<u8>);

    /// Appends what tells the caller that the stream broke off, wherever it stands; nothing comes after it.
    fn fail(&mut self, error: &ErrorFacts<'_>, out: &mut Vec<u8>);
}

/// Looks at the events of a stream that passes by unchanged.
pub trait Watch: Send {
    /// Looks at the data of one event, which may be anything.
    fn look(&mut self, data: &[u8]) -> Looked;

    /// As told last: numbers that replace each other are told apart from those that add up.
    fn facts(&self) -> AnswerFacts;

    /// What was said so far, once.
    fn delivered(&mut self) -> Delivered;

    /// The name under which callers can refer to the answer later, in dialects where they can.
    fn answer_id(&self) -> Option<&str> {
        None
    }
}

/// What one event said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Looked {
    /// It brings a piece of an answer: text, thoughts, a tool call.
    pub content: bool,
    /// It says why the answer ended.
    pub finish: bool,
    /// It ended because the provider or its model refuses.
    pub refused: bool,
    /// Nothing comes after it.
    pub done: bool,
    /// It is an error, or nothing that belongs into such a stream.
    pub failed: Option<Failure>,
}

/// A refusal or failure, as far as dialects tell it.
#[derive(Debug, Clone, Copy)]
pub struct ErrorFacts<'a> {
    pub status: u16,
    pub message: &'a str,
    /// Our reason: `model_not_found`, `upstream_timeout`.
    pub code: &'a str,
    pub param: Option<&'a str>,
    pub request_id: &'a str,
}

/// Reads one stream of a provider. Never panics and keeps to the order of [`Event`], whatever comes.
pub trait Decoder: Send {
    /// Takes the next bytes, cut anywhere.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>);

    /// To be called once when no more bytes come. Closes what is open; a stream without a proper end is `Failed`.
    fn end(&mut self, events: &mut Vec<Event>);

    /// On what terms the answer is given, as told so far.
    fn terms(&self) -> Terms;
}

/// What a request's address says of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PathFacts<'a> {
    pub model: Option<&'a str>,
    pub stream: bool,
}

/// What an answer needs to know besides itself.
#[derive(Debug, Clone, Copy)]
pub struct ReplyFacts<'a> {
    /// Ours, for dialects whose answers have one when the provider told none.
    pub request_id: &'a str,
    /// The provider's name for the model, when its answer does not tell.
    pub model: &'a str,
    /// Seconds since 1970.
    pub created: i64,
    /// The caller wants usage in the stream, in dialects where that is a choice.
    pub usage_wanted: bool,
    /// What of the request has to be repeated in the answer.
    pub chat: &'a Chat,
}

/// What a request needs to know of where it goes.
#[derive(Debug, Clone, Copy)]
pub struct TargetFacts<'a> {
    /// The provider's name for the model.
    pub model: &'a str,
    /// The longest answer the model can give, where the catalogue knows: for dialects that insist on a limit.
    pub output_limit: Option<u64>,
}

/// A request in a provider's dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub body: Vec<u8>,
    pub dropped: Dropped,
}

/// What could not be carried over, by the caller's names for it, in order and once each; no more of them than
/// `note` keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dropped(Vec<Box<str>>);

/// The provider's dialect cannot say this at all, and leaving it out would change what is asked: the caller is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unsupported {
    pub message: String,
    /// Where in the request, in a form all dialects' callers understand: `tools`, `messages`, `response_format`.
    pub param: &'static str,
}

impl Dropped {
    pub fn of(chat: &Chat) -> Self {
        let mut dropped = Self::default();
        for name in &chat.unheld {
            dropped.add(name);
        }
        dropped
    }

    pub fn add(&mut self, name: &str) {
        note(&mut self.0, name);
    }

    /// Notes the name when there is something to drop.
    pub fn add_if(&mut self, present: bool, name: &str) {
        if present {
            self.add(name);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}

/// As a header shows it: some of the names are the caller's own, and may be anything.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 32;
        const LONGEST: usize = 64;
        for (index, name) in self.0.iter().take(MOST).enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            for c in name.chars().take(LONGEST) {
                f.write_char(if c.is_ascii_graphic() && c != ',' { c } else { '?' })?;
            }
        }
        match self.0.len().checked_sub(MOST) {
            Some(more @ 1..) => write!(f, ", and {more} more"),
            Some(0) | None => Ok(()),
        }
    }
}

/// What only comes back where an answer is passed on as it is: there is one answer between dialects, and no place in it
/// for log probabilities.
pub(crate) fn refuse_what_answers_cannot_hold(sampling: &Sampling) -> Result<(), Unsupported> {
    if sampling.choices.is_some_and(|choices| choices > 1) {
        let message = "several answers to one request are only possible where no translation is needed; ask for one";
        return Err(Unsupported::new("n", message));
    }
    if sampling.top_logprobs.is_some() {
        let message = "log probabilities are only possible where no translation is needed; leave them out";
        return Err(Unsupported::new("logprobs", message));
    }
    Ok(())
}

impl Unsupported {
    pub(crate) fn new(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            param,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_fits_into_a_header_whatever_it_is_called() {
        let mut dropped = Dropped::default();
        for name in ["seed", "a\r\nset-cookie: x", "é,", &"x".repeat(100)] {
            dropped.add(name);
        }
        assert_eq!(
            dropped.to_string(),
            format!("seed, a??set-cookie:?x, ??, {}", "x".repeat(64))
        );

        for number in 0..40 {
            dropped.add(&number.to_string());
        }
        assert!(dropped.to_string().ends_with(", 27, and 12 more"), "{dropped}");
    }

    #[test]
    fn a_hostile_request_has_no_more_names_than_are_kept() {
        let mut dropped = Dropped::default();
        for number in 0..100_000 {
            dropped.add(&number.to_string());
        }
        dropped.add("0");

        assert_eq!(dropped.iter().count(), 256);
    }
}
