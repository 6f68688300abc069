//! The way of a stream from a provider to a caller: passed on as it is, taken out of an envelope first, or translated.

use bytes::Bytes;
use gatewright_types::api::Dialect;

use crate::dialect::{ErrorFacts, inbound};
use crate::stream::{Ended, PassedStream, Seen, UsageChunk};
use crate::translated::TranslatedStream;
use crate::unwrapped::UnwrappedStream;
use crate::{Naming, Tokens};

/// One stream on its way.
#[derive(Debug)]
pub enum Flow {
    Passed(Dialect, PassedStream),
    Unwrapped(Box<UnwrappedStream>),
    Translated(TranslatedStream),
}

impl Flow {
    /// For a stream of the caller's own dialect.
    pub fn passed(dialect: Dialect, usage: UsageChunk) -> Self {
        let stream = match dialect {
            Dialect::OpenaiChat | Dialect::OpenaiCompletions => PassedStream::chat(usage),
            Dialect::OpenaiResponses
            | Dialect::OpenaiEmbeddings
            | Dialect::AnthropicMessages
            | Dialect::GeminiGenerate
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_) => PassedStream::other(inbound(dialect).watcher()),
        };
        Self::Passed(dialect, stream)
    }

    /// With another name in the place of the model's.
    #[must_use]
    pub fn named(self, naming: Option<Naming>) -> Self {
        match self {
            Self::Passed(dialect, stream) => Self::Passed(dialect, stream.named(naming)),
            Self::Unwrapped(stream) => Self::Unwrapped(Box::new(stream.named(naming))),
            Self::Translated(stream) => Self::Translated(stream.named(naming)),
        }
    }

    /// The name under which callers can refer to the answer later, once the provider told it.
    pub fn answer_id(&self) -> Option<&str> {
        match self {
            Self::Passed(_, stream) => stream.answer_id(),
            Self::Unwrapped(_) | Self::Translated(_) => None,
        }
    }

    /// Takes the next bytes of the provider, cut anywhere.
    pub fn push(&mut self, bytes: Bytes) -> Seen {
        match self {
            Self::Passed(_, stream) => stream.push(bytes),
            Self::Unwrapped(stream) => stream.push(&bytes),
            Self::Translated(stream) => stream.push(&bytes),
        }
    }

    /// The provider has said that its answer is whole. A translated stream knows only when no more bytes come: what is
    /// told last, the usage, may come behind the reason to stop.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Passed(_, stream) => stream.is_done(),
            Self::Unwrapped(stream) => stream.is_whole(),
            Self::Translated(_) => false,
        }
    }

    /// What the provider said so far of the tokens.
    pub fn used(&self) -> Option<Tokens> {
        match self {
            Self::Passed(_, stream) => stream.facts().usage,
            Self::Unwrapped(stream) => stream.used(),
            Self::Translated(stream) => stream.used(),
        }
    }

    /// The provider refused the prompt, and said nothing else.
    pub fn is_blocked(&self) -> bool {
        match self {
            Self::Passed(_, stream) => stream.is_blocked(),
            Self::Unwrapped(stream) => stream.is_blocked(),
            Self::Translated(stream) => stream.is_blocked(),
        }
    }

    /// Whether an answer of this dialect says that it is whole; Gemini's streams just end.
    pub fn has_end_mark(&self) -> bool {
        match self {
            Self::Passed(dialect, _) => *dialect != Dialect::GeminiGenerate,
            Self::Unwrapped(_) | Self::Translated(_) => true,
        }
    }

    /// To be called once, when no more bytes come or nobody wants them.
    pub fn end(&mut self) -> Ended {
        match self {
            Self::Passed(_, stream) => stream.end(),
            Self::Unwrapped(stream) => stream.end(),
            Self::Translated(stream) => stream.end(),
        }
    }

    /// What ends a stream that is whole.
    pub fn trailer(&mut self) -> Bytes {
        match self {
            Self::Passed(Dialect::OpenaiChat | Dialect::OpenaiCompletions, _) => {
                Bytes::from_static(b"data: [DONE]\n\n")
            }
            // Their last event said so and was passed on.
            Self::Passed(
                Dialect::OpenaiResponses
                | Dialect::OpenaiEmbeddings
                | Dialect::AnthropicMessages
                | Dialect::GeminiGenerate
                | Dialect::GeminiEmbed
                | Dialect::GeminiBatchEmbed
                | Dialect::Native(_),
                _,
            )
            | Self::Unwrapped(_) => Bytes::new(),
            Self::Translated(stream) => stream.trailer(),
        }
    }

    /// What tells the caller that the stream broke off.
    pub fn failure(&mut self, error: &ErrorFacts<'_>) -> Bytes {
        match self {
            Self::Passed(dialect, _) => error_event(*dialect, error),
            Self::Unwrapped(_) => error_event(UnwrappedStream::DIALECT, error),
            Self::Translated(stream) => stream.failure(error),
        }
    }
}

/// An error in a stream whose earlier events are not ours.
fn error_event(dialect: Dialect, error: &ErrorFacts<'_>) -> Bytes {
    let name: &[u8] = match dialect {
        Dialect::OpenaiChat
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiGenerate
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => b"",
        Dialect::OpenaiResponses | Dialect::AnthropicMessages => b"event: error\n",
    };
    let data = match dialect {
        Dialect::OpenaiResponses => responses_error(error),
        Dialect::OpenaiChat
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::AnthropicMessages
        | Dialect::GeminiGenerate
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => inbound(dialect).write_error(error),
    };
    [name, b"data: ", &data, b"\n\n"].concat().into()
}

/// The Responses API's error event has its members at the top. Its place in the sequence is not known here; readers
/// take what is told last.
fn responses_error(error: &ErrorFacts<'_>) -> Vec<u8> {
    let event = serde_json::json!({
        "type": "error", "code": error.code, "message": error.message, "param": error.param, "sequence_number": 0,
    });
    event.to_string().into_bytes()
}
