//! Anthropic Messages: what Claude's own API speaks, and what Vertex and Bedrock put their envelopes around.

pub mod betas;
mod block;
pub(crate) mod decoder;
mod encoder;
mod failure;
mod input;
mod message;
mod model;
mod read_answer;
mod read_facts;
mod read_request;
mod sent;
mod stop;
mod token_count;
mod usage;
mod watch;
mod write_answer;
mod write_error;
mod write_request;

use self::decoder::MessageReader;
use super::bedrock::invoke_claude::InvokeClaude;
use super::sse_decoder::SseDecoder;
use super::{
    Decoder, Encoder, ErrorFacts, Inbound, Outbound, PathFacts, ReplyFacts, TargetFacts, Unsupported, Watch, Written,
};
use crate::chat::{Chat, Media};
use crate::event::Answer;
use crate::{AnswerFacts, BadRequest, Failure, NotAnAnswer};

/// Anthropic's own API.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

/// Claude wherever it is served.
#[derive(Debug, Clone, Copy)]
pub struct AnthropicOn(pub Envelope);

/// What differs between the places that serve Claude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// The body names the model and says whether to stream.
    Direct,
    /// The address names the model, the body says whether to stream.
    Vertex,
    /// The address says both.
    Bedrock,
}

impl Envelope {
    /// What a body says to be for it.
    pub(crate) fn version(self) -> Option<&'static str> {
        match self {
            Self::Direct => None,
            Self::Vertex => Some("vertex-2023-10-16"),
            Self::Bedrock => Some("bedrock-2023-05-31"),
        }
    }
}

impl Inbound for Anthropic {
    fn read_request(&self, body: &[u8], _: PathFacts<'_>) -> Result<Chat, BadRequest> {
        read_request::read(body)
    }

    fn write_answer(&self, answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
        write_answer::write(answer, reply)
    }

    fn write_error(&self, error: &ErrorFacts<'_>) -> Vec<u8> {
        write_error::write(error)
    }

    fn encoder(&self, reply: &ReplyFacts<'_>) -> Box<dyn Encoder> {
        Box::new(encoder::MessageWriter::new(reply))
    }

    fn read_facts(&self, body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
        read_facts::read(body)
    }

    fn watcher(&self) -> Box<dyn Watch> {
        Box::new(watch::MessageWatch::default())
    }
}

impl Outbound for Anthropic {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        write_request::write(chat, target, Envelope::Direct)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        read_answer::read(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(SseDecoder::new(MessageReader::default()))
    }
}

impl Outbound for AnthropicOn {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        write_request::write(chat, target, self.0)
    }

    fn wants_bytes(&self, media: &Media) -> bool {
        match self.0 {
            Envelope::Direct => false,
            Envelope::Vertex | Envelope::Bedrock => media.web_address().is_some(),
        }
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        Anthropic.read_answer(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        match self.0 {
            Envelope::Direct | Envelope::Vertex => Anthropic.decoder(),
            Envelope::Bedrock => Box::new(InvokeClaude::of(MessageReader::default())),
        }
    }

    fn envelope(&self) -> Option<Envelope> {
        Some(self.0)
    }
}

/// The body of a request to count tokens: a conversation that needs no `max_tokens`.
pub fn read_count_request(body: &[u8]) -> Result<Chat, BadRequest> {
    token_count::read(body)
}

/// A request to count, for a provider: without what only an answer would need.
pub fn write_count_request(chat: &Chat, target: TargetFacts<'_>, envelope: Envelope) -> Result<Written, Unsupported> {
    token_count::write_request(chat, target, envelope)
}

/// The name of a stream's event, which its data tells; `None` for what is no event.
pub(crate) fn event_name(data: &[u8]) -> Option<String> {
    let name = sent::Sent::read(data).ok()?.kind?;
    name.bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then(|| name.into_owned())
}

pub fn write_token_count(input_tokens: u64) -> Vec<u8> {
    token_count::write(input_tokens)
}
