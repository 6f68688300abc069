//! Reads a provider's stream of chunks. Servers differ in what they leave out: roles, indices, identifiers, usage, the
//! finish, `[DONE]`; what they do send is put in order.

mod calls;

use std::borrow::Cow;

use self::calls::Calls;
use super::details::{self, Detail};
use super::finish::{self, Finish, Held};
use super::message::{Brought, CallPiece, Prose, words};
use super::read_answer::broke_off;
use super::watch::{is_done, not_an_object};
use crate::dialect::sequence::{PartKey, Sequence};
use crate::dialect::sse_decoder::ReadData;
use crate::event::{Event, Opening, Stop};
use crate::json::{Members, SyntaxError, Value};
use crate::terms::read_tier;
use crate::wire::ToldError;
use crate::{AnswerFacts, Failure};

const TEXT: PartKey = 0;
const REFUSAL: PartKey = 1;
const THINKING: PartKey = 2;

#[derive(Default)]
pub(super) struct ChunkReader {
    /// The answer's identifier, to make up others from.
    id: Option<Box<str>>,
    held: Held,
    any_prose: bool,
    /// The part of prose that is open: parts of prose come one after the other.
    prose: Option<PartKey>,
    thinking: ThinkingPart,
    calls: Calls,
}

/// What the open part of thinking holds.
#[derive(Default)]
struct ThinkingPart {
    index: Option<u64>,
    has_text: bool,
    is_signed: bool,
}

/// The members of one chunk.
#[derive(Default)]
struct Chunk<'a> {
    id: Option<Cow<'a, str>>,
    model: Option<Cow<'a, str>>,
    choice: Option<Value<'a>>,
    facts: AnswerFacts,
    error: Option<ToldError>,
}

impl ReadData for ChunkReader {
    fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        if is_done(data) {
            return self.done(sequence, events);
        }
        let chunk = match std::str::from_utf8(data).map(|_| Chunk::read(data)) {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(_)) | Err(_) => return sequence.fail(not_an_object(), events),
        };
        if let Some(told) = chunk.error {
            return sequence.fail(Failure::told(&told), events);
        }
        if self.id.is_none() {
            self.id = chunk.id.as_deref().map(Into::into);
        }
        // Azure's first chunk has neither, and no choices.
        if chunk.id.is_some() || chunk.model.is_some() {
            sequence.start(chunk.id.as_deref(), chunk.model.as_deref(), events);
        }
        sequence.terms(chunk.facts.terms);
        sequence.usage(chunk.facts.usage, events);
        if let Some(choice) = chunk.choice {
            self.choice(&choice, sequence, events);
        }
    }
}

impl<'a> Chunk<'a> {
    fn read(data: &'a [u8]) -> Result<Self, SyntaxError> {
        let mut chunk = Self::default();
        let mut members = Members::of_document(data)?;
        while let Some(member) = members.next_member()? {
            let value = member.value;
            match &*member.key {
                b"id" => chunk.id = words(&value),
                b"model" => chunk.model = words(&value),
                b"choices" => chunk.choice = value.elements().find(is_first),
                b"usage" => chunk.facts.tell(AnswerFacts::read_usage_value(&value)),
                b"service_tier" => chunk.facts.terms.served = read_tier(&value),
                b"error" => chunk.error = ToldError::read(&value),
                _ => {}
            }
        }
        Ok(chunk)
    }
}

/// Only one choice was asked for; what some servers send besides it is not for anybody.
fn is_first(choice: &Value<'_>) -> bool {
    let mut members = choice.members();
    while let Ok(Some(member)) = members.next_member() {
        if &*member.key == b"index" {
            return member.value.text == b"0";
        }
    }
    true
}

impl ChunkReader {
    fn choice(&mut self, choice: &Value<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let (mut delta, mut reason, mut native) = (None, None, None);
        let mut members = choice.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"delta" => delta = Some(value),
                b"finish_reason" => reason = words(&value),
                b"native_finish_reason" => native = words(&value),
                b"error" => {
                    if let Some(told) = ToldError::read(&value) {
                        return sequence.fail(Failure::told(&told), events);
                    }
                }
                _ => {}
            }
        }
        if let Some(delta) = delta {
            self.delta(&delta, sequence, events);
        }
        let Some(reason) = reason else {
            return;
        };
        match finish::read(&reason, native.as_deref(), self.held) {
            Finish::Stop(stop) => {
                self.give_up_matching(sequence, events);
                sequence.stop(stop);
            }
            Finish::Failed => sequence.fail(broke_off(&reason), events),
        }
    }

    fn delta(&mut self, delta: &Value<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let brought = Brought::read(delta);
        if let Some(list) = &brought.details {
            for detail in details::entries(list) {
                self.detail(detail, sequence, events);
            }
        }
        for prose in &brought.prose {
            match prose {
                Prose::Text(text) => self.prose(TEXT, text, sequence, events),
                Prose::Refusal(text) => self.prose(REFUSAL, text, sequence, events),
                Prose::Thinking(text) => self.prose(THINKING, text, sequence, events),
            }
        }
        for (place, call) in brought.tool_calls.iter().flat_map(Value::elements).enumerate() {
            self.close_prose(sequence, events);
            let piece = CallPiece::read(&call);
            self.held.tool_calls |= self.calls.add(place, piece, self.id.as_deref(), sequence, events);
        }
    }

    fn prose(&mut self, key: PartKey, text: &str, sequence: &mut Sequence, events: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        self.open_prose(key, sequence, events);
        sequence.add(key, text, events);
    }

    fn open_prose(&mut self, key: PartKey, sequence: &mut Sequence, events: &mut Vec<Event>) {
        if self.prose == Some(key) {
            return;
        }
        self.close_prose(sequence, events);
        self.prose = Some(key);
        self.any_prose = true;
        let opening = match key {
            REFUSAL => {
                self.held.refusal = true;
                Opening::Refusal
            }
            THINKING => {
                self.thinking = ThinkingPart::default();
                Opening::Thinking
            }
            _ => Opening::Text,
        };
        sequence.open(key, opening, events);
    }

    fn close_prose(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        if let Some(open) = self.prose.take() {
            sequence.close(open, events);
        }
    }

    fn detail(&mut self, detail: Detail<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        if let (true, Some(id), Some(signature)) = (detail.sealed, &detail.id, &detail.signature)
            && self.calls.sign(id, signature, sequence, events)
        {
            return;
        }
        let continues = self.prose == Some(THINKING)
            && self.thinking.index == detail.index
            && (!detail.sealed || (detail.index.is_some() && self.thinking.has_text && !self.thinking.is_signed));
        if !continues {
            if detail.text.is_empty() && detail.signature.is_none() {
                return;
            }
            self.close_prose(sequence, events);
            self.open_prose(THINKING, sequence, events);
            self.thinking.index = detail.index;
        }
        if !detail.text.is_empty() {
            self.thinking.has_text = true;
            sequence.add(THINKING, &detail.text, events);
        }
        if let Some(signature) = detail.signature {
            self.thinking.is_signed = true;
            sequence.sign(THINKING, signature, events);
        }
    }

    /// Sealed entries whose calls never came are thinking by themselves.
    fn give_up_matching(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        for signature in self.calls.take_unmatched() {
            self.close_prose(sequence, events);
            self.open_prose(THINKING, sequence, events);
            sequence.sign(THINKING, signature, events);
        }
    }

    fn done(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let began = self.any_prose || self.held.tool_calls;
        if began && !sequence.has_stopped() {
            // It says that it is whole, if not why.
            self.give_up_matching(sequence, events);
            sequence.stop(if self.held.tool_calls {
                Stop::ToolCalls
            } else {
                Stop::End
            });
        }
        sequence.finish(events);
    }
}
