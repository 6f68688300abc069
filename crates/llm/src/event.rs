//! An answer in nobody's dialect: whole, or as the events of a stream.

mod gathering;
mod telling;

use crate::chat::{Part, Signature};
use crate::{Failure, Terms, Tokens};

pub use gathering::Gathering;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The provider's identifier and its name for the model, where it tells them.
    pub id: Option<Box<str>>,
    pub model: Option<Box<str>>,
    pub parts: Vec<Part>,
    pub stop: Stop,
    pub usage: Option<Tokens>,
    pub terms: Terms,
}

/// Why the answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stop {
    /// The model was done.
    #[default]
    End,
    /// One of the caller's stop sequences came up; providers that do not tell which, or that it was one, say `End`.
    Sequence(Option<Box<str>>),
    /// `max_tokens` was reached.
    Length,
    /// The model's own window is full.
    Context,
    ToolCalls,
    /// The provider's filter or the model's refusal.
    Refused,
    /// The provider took the prompt for one that no model is to answer: nothing that was said is a model's.
    Blocked,
    /// A server-side tool takes long: the conversation is to be sent again as it is.
    Paused,
}

/// What happens in a stream, in this order: `Start`, then parts one after the other, each `Open`, any number of `Add`
/// and `Sign`, `Close`; then `Stop`. `Usage` may come anywhere and replaces what was told before. Parts never overlap:
/// decoders hold back what came too early. After `Failed` nothing comes. Decoders keep to this whatever they are sent;
/// encoders rely on it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Start {
        id: Option<Box<str>>,
        model: Option<Box<str>>,
    },
    Open(Opening),
    /// More text of the part that is open: arguments, for a tool call. Never empty.
    Add(Box<str>),
    /// The open part's signature; a later one replaces it.
    Sign(Signature),
    Close,
    Usage(Tokens),
    Stop(Stop),
    Failed(Failure),
}

/// What kind of part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    Text,
    Refusal,
    Thinking,
    ToolCall { id: Box<str>, name: Box<str> },
}
