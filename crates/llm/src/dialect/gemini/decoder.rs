//! The stream of Google's answer. Each event is a response with the next pieces; pieces of a kind go on with the part
//! that is open, and calls come whole.

use super::response::{Piece, Response};
use super::{finish, read_answer, signature};
use crate::dialect::Decoder;
use crate::dialect::sequence::{PartKey, Sequence};
use crate::dialect::sse_decoder::{ReadData, SseDecoder};
use crate::event::{Event, Opening, Stop};
use crate::{Failure, FailureKind, Tokens};

pub(super) fn decoder() -> Box<dyn Decoder> {
    Box::new(SseDecoder::new(Reader::default()))
}

#[derive(Debug, Default)]
struct Reader {
    open: Option<Kind>,
    /// Of the part that is open, or was last.
    key: PartKey,
    /// The answer's identifier, as told first.
    id: Option<Box<str>>,
    calls: usize,
    usage: Option<Tokens>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
}

/// Where a stream's events go.
struct Told<'e> {
    sequence: &'e mut Sequence,
    events: &'e mut Vec<Event>,
}

impl ReadData for Reader {
    fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        let Ok(response) = Response::read(data) else {
            let problem = "the provider sent an event that is not a JSON object";
            return sequence.fail(Failure::new(FailureKind::Malformed, problem), events);
        };
        if let Some(told) = &response.error {
            return sequence.fail(Failure::told(told), events);
        }
        sequence.start(response.id.as_deref(), response.model.as_deref(), events);
        if self.id.is_none() {
            self.id = response.id.as_deref().map(Into::into);
        }
        let mut told = Told { sequence, events };
        for piece in response.pieces() {
            self.add(&piece, &mut told);
        }
        let facts = response.facts;
        told.sequence.terms(facts.terms);
        let usage = facts.usage.map(|usage| usage.keeping_searches(self.usage));
        if usage.is_some() && usage != self.usage {
            self.usage = usage;
            told.sequence.usage(usage, told.events);
        }
        match (&response.finish, &response.blocked) {
            (Some(reason), _) => match finish::read(reason, self.calls > 0) {
                Ok(stop) => told.sequence.stop(stop),
                Err(failure) => told.sequence.fail(failure, told.events),
            },
            (None, Some(blocked)) if !response.has_candidate => {
                self.close(&mut told);
                if let Some(message) = &blocked.message {
                    let key = self.next_key();
                    told.open(key, Opening::Refusal);
                    told.add(key, message);
                    told.close(key);
                }
                told.sequence.stop(Stop::Blocked);
                // Nothing else will come, and nobody has to wait to know.
                told.sequence.finish(told.events);
            }
            (None, _) => {}
        }
    }
}

impl Reader {
    fn add(&mut self, piece: &Piece<'_>, told: &mut Told<'_>) {
        let text = piece.text.as_deref().unwrap_or_default();
        let signature = piece.signature.as_deref().map(signature::of_gemini);
        if let Some(call) = &piece.call {
            self.close(told);
            self.calls += 1;
            let key = self.next_key();
            told.open(
                key,
                Opening::ToolCall {
                    id: read_answer::call_id(call, self.id.as_deref(), self.calls),
                    name: call.name.as_ref().into(),
                },
            );
            told.add(key, &read_answer::arguments(call));
            if let Some(signature) = signature {
                told.sequence.sign(key, signature, told.events);
            }
            return told.close(key);
        }
        if piece.thought {
            if text.is_empty() && signature.is_none() {
                return;
            }
            self.go_on(Kind::Thought, text, told);
            if let Some(signature) = signature {
                told.sequence.sign(self.key, signature, told.events);
                self.close(told);
            }
            return;
        }
        // A signature beside text is kept as a thought of its own before it.
        if let Some(signature) = signature {
            self.close(told);
            let key = self.next_key();
            told.open(key, Opening::Thinking);
            told.sequence.sign(key, signature, told.events);
            told.close(key);
        }
        if !text.is_empty() {
            self.go_on(Kind::Text, text, told);
        }
    }

    fn go_on(&mut self, kind: Kind, text: &str, told: &mut Told<'_>) {
        if self.open != Some(kind) {
            self.close(told);
            let opening = match kind {
                Kind::Text => Opening::Text,
                Kind::Thought => Opening::Thinking,
            };
            let key = self.next_key();
            told.open(key, opening);
            self.open = Some(kind);
        }
        told.add(self.key, text);
    }

    fn close(&mut self, told: &mut Told<'_>) {
        if self.open.take().is_some() {
            told.close(self.key);
        }
    }

    fn next_key(&mut self) -> PartKey {
        self.key += 1;
        self.key
    }
}

impl Told<'_> {
    fn open(&mut self, key: PartKey, opening: Opening) {
        self.sequence.open(key, opening, self.events);
    }

    fn add(&mut self, key: PartKey, text: &str) {
        self.sequence.add(key, text, self.events);
    }

    fn close(&mut self, key: PartKey) {
        self.sequence.close(key, self.events);
    }
}
