//! OpenAI chat completions: the dialect most callers speak, and, with small differences, most providers. Only translated
//! calls come here; between a caller and a provider of this dialect the bytes pass unread.

pub mod completions;
mod decoder;
mod details;
mod encoder;
mod fingerprint;
mod finish;
mod message;
mod quirks;
mod read_answer;
mod read_request;
mod usage;
pub mod vendors;
mod watch;
mod write_answer;
mod write_error;
mod write_request;

use super::sse_decoder::SseDecoder;
use super::{
    Decoder, Encoder, ErrorFacts, Inbound, Outbound, PathFacts, ReplyFacts, TargetFacts, Unsupported, Watch, Written,
};
use crate::chat::{Chat, Media};
use crate::event::Answer;
use crate::{AnswerFacts, BadRequest, Failure, NotAnAnswer};

pub use quirks::{
    CallIds, Documents, InstructionsRole, MaxTokensName, Quirks, ReasoningParam, SchemaSupport, SeedName, ThoughtsBack,
};

/// What callers speak.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiChat;

/// What a provider speaks that is compatible to this degree.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiChatTo(pub Quirks);

impl Inbound for OpenaiChat {
    fn read_request(&self, body: &[u8], path: PathFacts<'_>) -> Result<Chat, BadRequest> {
        read_request::read(body, path)
    }

    fn write_answer(&self, answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
        write_answer::write(answer, reply)
    }

    fn write_error(&self, error: &ErrorFacts<'_>) -> Vec<u8> {
        write_error::body(error)
    }

    fn encoder(&self, reply: &ReplyFacts<'_>) -> Box<dyn Encoder> {
        Box::new(encoder::ChunkEncoder::new(reply))
    }

    fn read_facts(&self, body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
        crate::read_answer(body)
    }

    fn watcher(&self) -> Box<dyn Watch> {
        Box::new(watch::ChunkWatch::default())
    }
}

impl Outbound for OpenaiChatTo {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        write_request::write(chat, target, &self.0)
    }

    fn wants_bytes(&self, media: &Media) -> bool {
        self.0.wants_bytes(media.kind) && media.web_address().is_some()
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        read_answer::read(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(SseDecoder::new(decoder::ChunkReader::default()))
    }
}
