//! Reads a provider's stream of chunks. Servers differ in what they leave out: roles, indices, identifiers, usage, the
//! finish, `[DONE]`; what they do send is put in order.

use std::borrow::Cow;

use super::details::{self, Detail};
use super::finish::{self, Finish, Held};
use super::message::{Brought, CallPiece, Prose, words};
use super::read_answer::{broke_off, made_up_id};
use super::watch::{is_done, not_an_object};
use crate::chat::{Maker, Signature};
use crate::dialect::sequence::{PartKey, Sequence};
use crate::dialect::sse_decoder::ReadData;
use crate::event::{Event, Opening, Stop};
use crate::json::{Members, SyntaxError, Value};
use crate::wire::ToldError;
use crate::{Failure, Tokens};

const TEXT: PartKey = 0;
const REFUSAL: PartKey = 1;
const THINKING: PartKey = 2;
const FIRST_TOOL: PartKey = 16;
/// Signatures that may wait for their calls, and bytes of arguments that may wait for a name.
const MOST_WAITING: usize = 128;
const MOST_HELD_BYTES: usize = 1 << 20;

#[derive(Default)]
pub(super) struct ChunkReader {
    /// The answer's identifier, to make up others from.
    id: Option<Box<str>>,
    held: Held,
    any_prose: bool,
    /// The part of prose that is open: parts of prose come one after the other.
    prose: Option<PartKey>,
    thinking: ThinkingPart,
    calls: Vec<Call>,
    /// Signatures of calls that were not there yet.
    unmatched: Vec<(Box<str>, Signature)>,
}

/// What the open part of thinking holds.
#[derive(Default)]
struct ThinkingPart {
    index: Option<u64>,
    has_text: bool,
    is_signed: bool,
}

struct Call {
    /// The provider's index.
    index: Option<u64>,
    id: Option<Box<str>>,
    /// Empty until it is told; only then the call is open.
    name: Box<str>,
    key: PartKey,
    /// Arguments that came before the name.
    early: String,
}

/// The members of one chunk.
#[derive(Default)]
struct Chunk<'a> {
    id: Option<Cow<'a, str>>,
    model: Option<Cow<'a, str>>,
    choice: Option<Value<'a>>,
    usage: Option<Tokens>,
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
        sequence.usage(chunk.usage, events);
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
                b"usage" => chunk.usage = Tokens::read(&value),
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
            self.call_piece(place, CallPiece::read(&call), sequence, events);
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
            && self.sign_call(id, signature, sequence, events)
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

    /// Whether a sealed entry was, or may yet be, a tool call's.
    fn sign_call(&mut self, id: &str, signature: &Signature, sequence: &mut Sequence, events: &mut Vec<Event>) -> bool {
        let call = self.calls.iter().find(|call| call.id.as_deref() == Some(id));
        if let Some(call) = call.filter(|call| !call.name.is_empty()) {
            sequence.sign(call.key, signature.clone(), events);
            return true;
        }
        // Reasoning items of OpenAI have identifiers, too.
        if signature.maker != Maker::Gemini || self.unmatched.len() >= MOST_WAITING {
            return false;
        }
        self.unmatched.push((id.into(), signature.clone()));
        true
    }

    fn call_piece(&mut self, place: usize, piece: CallPiece<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        self.close_prose(sequence, events);
        let at = match self.find_call(place, &piece) {
            Some(at) => at,
            None => {
                let key = (0..).zip(&self.calls).fold(FIRST_TOOL, |key, _| key + 1);
                self.calls.push(Call {
                    index: piece.index,
                    id: piece.id.as_deref().map(Into::into),
                    name: Box::default(),
                    key,
                    early: String::new(),
                });
                self.calls.len() - 1
            }
        };
        let made_up = made_up_id(at, self.id.as_deref());
        let Some(call) = self.calls.get_mut(at) else {
            return;
        };
        if !call.name.is_empty() {
            return sequence.add(call.key, &piece.arguments, events);
        }
        let Some(name) = piece.name else {
            if call.early.len() + piece.arguments.len() <= MOST_HELD_BYTES {
                call.early.push_str(&piece.arguments);
            }
            return;
        };
        call.name = name.into();
        self.held.tool_calls = true;
        let id = call.id.get_or_insert(made_up).clone();
        let opening = Opening::ToolCall {
            id: id.clone(),
            name: call.name.clone(),
        };
        sequence.open(call.key, opening, events);
        sequence.add(call.key, &std::mem::take(&mut call.early), events);
        sequence.add(call.key, &piece.arguments, events);
        let key = call.key;
        if let Some(at) = self.unmatched.iter().position(|(waiting, _)| *waiting == id) {
            let (_, signature) = self.unmatched.swap_remove(at);
            sequence.sign(key, signature, events);
        }
    }

    /// The call that a piece belongs to. Some servers give all calls the index 0, or none: then identifiers, and names,
    /// which only come with a call's first piece, tell them apart.
    fn find_call(&self, place: usize, piece: &CallPiece<'_>) -> Option<usize> {
        if let Some(id) = &piece.id
            && let Some(known) = self.calls.iter().position(|call| call.id.as_deref() == Some(&**id))
        {
            return Some(known);
        }
        let index = match piece.index {
            Some(_) => self.calls.iter().rposition(|call| call.index == piece.index),
            None if piece.name.is_some() => None,
            None => self.calls.len().checked_sub(1).filter(|_| place == 0),
        }?;
        let call = self.calls.get(index)?;
        let is_another = piece.name.as_deref().is_some_and(|name| {
            let has_other_name = !call.name.is_empty() && *call.name != *name;
            has_other_name || (piece.id.is_some() && call.id.is_some())
        });
        (!is_another).then_some(index)
    }

    /// Sealed entries whose calls never came are thinking by themselves.
    fn give_up_matching(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        for (_, signature) in std::mem::take(&mut self.unmatched) {
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
