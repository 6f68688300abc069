//! OpenAI's Responses API: input and output are lists of items, of which messages are only one kind, and a stream tells
//! the life of each item. What a request leaves to OpenAI's memory is found and put in front by [`stored`].

pub mod stored;

mod data_url;
mod decoder;
mod encoder;
mod events;
mod ids;
mod items;
mod output;
mod read_answer;
mod read_facts;
mod read_request;
pub mod replay;
mod response;
mod settings;
mod usage;
mod watch;
mod write_answer;
mod write_error;
mod write_request;

use super::sse_decoder::SseDecoder;
use super::{
    Decoder, Encoder, ErrorFacts, Inbound, Outbound, PathFacts, ReplyFacts, TargetFacts, Unsupported, Watch, Written,
};
use crate::chat::Chat;
use crate::event::Answer;
use crate::{AnswerFacts, BadRequest, Failure, NotAnAnswer};

/// `POST /v1/responses`.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiResponses;

impl Inbound for OpenaiResponses {
    fn read_request(&self, body: &[u8], _path: PathFacts<'_>) -> Result<Chat, BadRequest> {
        read_request::read_request(body)
    }

    fn write_answer(&self, answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
        write_answer::write_answer(answer, reply)
    }

    fn write_error(&self, error: &ErrorFacts<'_>) -> Vec<u8> {
        write_error::write_error(error)
    }

    fn encoder(&self, reply: &ReplyFacts<'_>) -> Box<dyn Encoder> {
        Box::new(encoder::ResponsesEncoder::new(reply))
    }

    fn read_facts(&self, body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
        read_facts::read_facts(body)
    }

    fn watcher(&self) -> Box<dyn Watch> {
        Box::new(watch::ResponsesWatch::default())
    }
}

impl Outbound for OpenaiResponses {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        write_request::write_request(chat, target)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        read_answer::read_answer(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(SseDecoder::new(decoder::EventReader::default()))
    }
}
