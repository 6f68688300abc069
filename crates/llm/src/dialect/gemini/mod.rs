//! Gemini's generateContent and streamGenerateContent, as AI Studio and Vertex AI both speak them. The model's name and
//! whether the answer is streamed are in the address and not in the body.

mod arguments;
mod base64;
mod decoder;
mod encoder;
mod finish;
mod joined;
mod key;
mod media_type;
mod part;
mod read_answer;
mod read_facts;
mod read_request;
mod response;
mod schema;
mod signature;
mod tool_response;
mod usage;
mod watch;
mod write_answer;
mod write_error;
mod write_request;

pub use encoder::Framing;
pub(crate) use key::camel;
pub use read_request::read_count_request;
pub use write_answer::write_token_count;

use super::{
    Decoder, Encoder, ErrorFacts, Inbound, Outbound, PathFacts, ReplyFacts, TargetFacts, Unsupported, Watch, Written,
};
use crate::chat::{Chat, Media};
use crate::event::Answer;
use crate::{AnswerFacts, BadRequest, Failure, NotAnAnswer};

#[derive(Debug, Clone, Copy)]
pub struct Gemini;

/// Who serves it, where that makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    AiStudio,
    Vertex,
}

impl Inbound for Gemini {
    fn read_request(&self, body: &[u8], path: PathFacts<'_>) -> Result<Chat, BadRequest> {
        read_request::read_request(body, path)
    }

    fn write_answer(&self, answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
        write_answer::write_answer(answer, reply)
    }

    fn write_error(&self, error: &ErrorFacts<'_>) -> Vec<u8> {
        write_error::write_error(error)
    }

    fn encoder(&self, reply: &ReplyFacts<'_>) -> Box<dyn Encoder> {
        encoder(Framing::Sse, reply)
    }

    fn read_facts(&self, body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
        read_facts::read_facts(body)
    }

    fn watcher(&self) -> Box<dyn Watch> {
        Box::new(watch::Watcher::default())
    }
}

impl Outbound for Gemini {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        write_request::write_request(chat, target)
    }

    fn wants_bytes(&self, media: &Media) -> bool {
        media.web_address().is_some_and(|address| !is_uploaded(address))
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        read_answer::read_answer(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        decoder::decoder()
    }
}

/// Files that were uploaded to Google, which nobody else can read.
fn is_uploaded(address: &str) -> bool {
    address.starts_with("https://generativelanguage.googleapis.com/")
}

/// What an answer, or a whole stream of them in one array, says was used.
pub(crate) fn used(body: &[u8]) -> Option<AnswerFacts> {
    read_facts::used(body)
}

/// The writer of a stream in the framing that the caller asked for: without `alt=sse` in the address, an array.
pub fn encoder(framing: Framing, reply: &ReplyFacts<'_>) -> Box<dyn Encoder> {
    Box::new(encoder::StreamEncoder::new(framing, reply))
}

/// A request to count, for a provider.
pub fn write_count_request(chat: &Chat, target: TargetFacts<'_>, home: Home) -> Result<Written, Unsupported> {
    write_request::write_count_request(chat, target, home)
}
