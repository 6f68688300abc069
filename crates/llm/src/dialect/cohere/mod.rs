//! Cohere's chat, version 2: what some providers speak. Callers do not.

mod decoder;
mod finish;
mod read_answer;
pub(crate) mod usage;
mod write_messages;
mod write_request;

use super::sse_decoder::SseDecoder;
use super::{Decoder, Outbound, TargetFacts, Unsupported, Written};
use crate::Failure;
use crate::chat::Chat;
use crate::event::Answer;

#[derive(Debug, Clone, Copy)]
pub struct Cohere;

impl Outbound for Cohere {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        write_request::write(chat, target)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        read_answer::read(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(SseDecoder::new(decoder::EventReader::default()))
    }
}
