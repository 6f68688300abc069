//! The old completions of OpenAI, `/v1/completions`, answered by chat models: the prompt is what the user says. What only
//! models that continue texts can do is refused.

mod encoder;
mod read_request;
mod watch;
mod write_answer;

use super::write_error;
use crate::chat::Chat;
use crate::dialect::{Encoder, ErrorFacts, Inbound, PathFacts, ReplyFacts, Watch};
use crate::event::Answer;
use crate::{AnswerFacts, BadRequest, NotAnAnswer};

#[derive(Debug, Clone, Copy)]
pub struct OpenaiCompletions;

impl Inbound for OpenaiCompletions {
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
        Box::new(encoder::TextEncoder::new(reply))
    }

    fn read_facts(&self, body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
        crate::read_answer(body)
    }

    fn watcher(&self) -> Box<dyn Watch> {
        Box::new(watch::TextWatch::default())
    }
}
