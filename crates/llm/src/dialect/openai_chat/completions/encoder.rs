//! Writes a stream of `text_completion`s.

use super::write_answer::{Choice, Completion};
use crate::Tokens;
use crate::dialect::openai_chat::encoder::write_event;
use crate::dialect::openai_chat::finish;
use crate::dialect::openai_chat::usage::Usage;
use crate::dialect::openai_chat::write_error;
use crate::dialect::{Encoder, ErrorFacts, ReplyFacts};
use crate::event::{Event, Opening};

pub(super) struct TextEncoder {
    id: Box<str>,
    model: Box<str>,
    created: i64,
    usage_wanted: bool,
    usage: Option<Tokens>,
    /// What is added is said, not thought.
    is_said: bool,
}

impl TextEncoder {
    pub(super) fn new(reply: &ReplyFacts<'_>) -> Self {
        Self {
            id: reply.request_id.into(),
            model: reply.model.into(),
            created: reply.created,
            usage_wanted: reply.usage_wanted,
            usage: None,
            is_said: false,
        }
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<Usage>, out: &mut Vec<u8>) {
        let chunk = Completion {
            id: &self.id,
            object: "text_completion",
            created: self.created,
            model: &self.model,
            choices,
            usage: self.usage_wanted.then_some(usage),
        };
        write_event(&chunk, out);
    }
}

impl Encoder for TextEncoder {
    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model } => {
                if let Some(id) = id {
                    self.id = id.clone();
                }
                if let Some(model) = model {
                    self.model = model.clone();
                }
            }
            Event::Open(opening) => {
                self.is_said = match opening {
                    Opening::Text | Opening::Refusal => true,
                    Opening::Thinking | Opening::ToolCall { .. } => false,
                };
            }
            Event::Add(text) if self.is_said => self.chunk(&[Choice::new(text, None)], None, out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop(stop) => {
                let reason = finish::write_text(stop);
                self.chunk(&[Choice::new("", Some(reason))], None, out);
            }
            Event::Add(_) | Event::Sign(_) | Event::Close | Event::Failed(_) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.filter(|_| self.usage_wanted) {
            self.chunk(&[], Some(Usage::of(&usage)), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, error: &ErrorFacts<'_>, out: &mut Vec<u8>) {
        write_error::event(error, out);
    }
}
