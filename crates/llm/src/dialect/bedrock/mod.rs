//! Amazon Bedrock: the Converse and ConverseStream APIs, which are the same for all its models, and the framing of all
//! its streams. Callers do not speak it.

mod decoder;
pub mod event_stream;
pub(crate) mod exception;
mod family;
mod frame_decoder;
pub(crate) mod invoke_any;
pub(crate) mod invoke_claude;
mod read_answer;
pub(crate) mod unwrapping;
mod usage;
mod write_request;

use frame_decoder::FrameDecoder;

use super::{Decoder, Outbound, TargetFacts, Unsupported, Written};
use crate::Failure;
use crate::chat::{Chat, Maker, Media, Signature};
use crate::event::Answer;

/// Whether a model of this name answers Anthropic's own dialect. Of an application's inference profile nobody can tell.
pub(crate) fn is_claude(model: &str) -> bool {
    model.contains("anthropic.claude-")
}

/// Whether a model of this name heeds marks of what is to be cached.
pub(crate) fn takes_cache_points(model: &str) -> bool {
    family::Family::of(model).takes_cache_points()
}

/// The Converse API. Its answers do not tell the model, but whose signatures they hold depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BedrockConverse {
    /// With a model of Anthropic's, whose signatures are the same everywhere.
    Claude,
    /// With any other model.
    Others,
}

impl BedrockConverse {
    /// For calls to this model.
    pub fn of(model: &str) -> &'static Self {
        match family::Family::of(model) {
            family::Family::Claude(_) => &Self::Claude,
            family::Family::Nova
            | family::Family::Nova2
            | family::Family::GptOss
            | family::Family::Gpt
            | family::Family::Kimi
            | family::Family::Llama
            | family::Family::Other => &Self::Others,
        }
    }

    /// The signature of thinking that may be read.
    fn signature(self, text: impl Into<Box<str>>) -> Signature {
        let maker = match self {
            Self::Claude => Maker::Anthropic,
            Self::Others => Maker::Bedrock,
        };
        let text = text.into();
        Signature { maker, text }
    }

    /// Thinking that is sealed as a whole.
    fn sealed(self, text: impl Into<Box<str>>) -> Signature {
        let maker = match self {
            Self::Claude => Maker::AnthropicRedacted,
            Self::Others => Maker::Bedrock,
        };
        let text = text.into();
        Signature { maker, text }
    }
}

impl Outbound for BedrockConverse {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        write_request::write(chat, target)
    }

    fn wants_bytes(&self, media: &Media) -> bool {
        media.web_address().is_some()
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        read_answer::read(body, *self)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(FrameDecoder::new(decoder::ConverseEvents::of(*self)))
    }
}
