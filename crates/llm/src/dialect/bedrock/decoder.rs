//! Reads the events of ConverseStream. Only tool calls are told to begin; texts and thoughts begin with their first
//! piece. Usage comes last, after the reason why the answer stopped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::frame_decoder::{ReadFrame, malformed};
use super::read_answer::{is_run_by_bedrock, stop, text};
use super::{BedrockConverse, usage};
use crate::dialect::sequence::{PartKey, Sequence};
use crate::event::{Event, Opening};
use crate::json::{Members, Value};
use crate::{Failure, Terms, Tokens};

/// Bytes of the longest signature, or sealed thinking, that is put together.
const LONGEST_SEAL: usize = 16 * 1024 * 1024;

pub(super) struct ConverseEvents {
    model: BedrockConverse,
    seal: Option<Seal>,
    /// Tool calls that have no arguments yet.
    bare_calls: Vec<PartKey>,
    /// The model wrote what it may not. Told at the end: usage comes before.
    failure: Option<Failure>,
}

/// What makes thinking the model's own, as far as it has come: it may come in pieces.
struct Seal {
    key: PartKey,
    signature: String,
    /// The sealed thinking itself, when none of it may be read.
    content: Vec<u8>,
}

/// The members of all kinds of events.
#[derive(Default)]
struct Payload<'a> {
    key: PartKey,
    start: Option<Value<'a>>,
    delta: Option<Value<'a>>,
    stop_reason: Option<Value<'a>>,
    additional: Option<Value<'a>>,
    usage: Option<Tokens>,
    terms: Terms,
}

impl ConverseEvents {
    pub(super) fn of(model: BedrockConverse) -> Self {
        Self {
            model,
            seal: None,
            bare_calls: Vec::new(),
            failure: None,
        }
    }

    fn start_block(&mut self, payload: &Payload<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let call = payload.start.and_then(|start| start.member("toolUse"));
        let Some(call) = call.filter(|call| !is_run_by_bedrock(call)) else {
            return;
        };
        let opening = Opening::ToolCall {
            id: text(&call, "toolUseId").unwrap_or_default(),
            name: text(&call, "name").unwrap_or_default(),
        };
        if !sequence.knows(payload.key) {
            self.bare_calls.push(payload.key);
        }
        sequence.open(payload.key, opening, events);
    }

    fn add(&mut self, payload: &Payload<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let key = payload.key;
        // A delta has one member, which says what it is.
        let Some(Ok(Some(inner))) = payload.delta.map(|delta| delta.members().next_member()) else {
            return;
        };
        match &*inner.key {
            b"text" => {
                if let Some(piece) = inner.value.string() {
                    add_to(Opening::Text, key, &piece, sequence, events);
                }
            }
            b"toolUse" => {
                let piece = inner.value.member("input").and_then(|input| input.string());
                if let Some(piece) = piece.filter(|piece| !piece.is_empty()) {
                    self.bare_calls.retain(|call| *call != key);
                    sequence.add(key, &piece, events);
                }
            }
            b"reasoningContent" => self.add_thinking(key, &inner.value, sequence, events),
            _ => {}
        }
    }

    fn add_thinking(&mut self, key: PartKey, delta: &Value<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let Ok(Some(inner)) = delta.members().next_member() else {
            return;
        };
        let Some(piece) = inner.value.string() else { return };
        match &*inner.key {
            b"text" => add_to(Opening::Thinking, key, &piece, sequence, events),
            b"signature" => {
                sequence.open(key, Opening::Thinking, events);
                let seal = self.seal_of(key, sequence, events);
                seal.signature.push_str(&piece);
                self.check_seal(sequence, events);
            }
            b"redactedContent" => {
                let Ok(content) = BASE64.decode(piece.as_bytes()) else {
                    return malformed("the provider sent thinking that is not base64", sequence, events);
                };
                sequence.open(key, Opening::Thinking, events);
                let seal = self.seal_of(key, sequence, events);
                seal.content.extend(content);
                self.check_seal(sequence, events);
            }
            _ => {}
        }
    }

    fn seal_of(&mut self, key: PartKey, sequence: &mut Sequence, events: &mut Vec<Event>) -> &mut Seal {
        if self.seal.as_ref().is_some_and(|seal| seal.key != key) {
            self.give_seal(sequence, events);
        }
        self.seal.get_or_insert_with(|| Seal {
            key,
            signature: String::new(),
            content: Vec::new(),
        })
    }

    fn check_seal(&self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let length = self
            .seal
            .as_ref()
            .map_or(0, |seal| seal.signature.len() + seal.content.len());
        if length > LONGEST_SEAL {
            malformed("the provider sent a signature of more than 16 MiB", sequence, events);
        }
    }

    fn give_seal(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let Some(seal) = self.seal.take() else { return };
        let signature = if seal.content.is_empty() {
            self.model.signature(seal.signature)
        } else {
            self.model.sealed(BASE64.encode(&seal.content))
        };
        sequence.sign(seal.key, signature, events);
    }

    fn end_block(&mut self, key: PartKey, sequence: &mut Sequence, events: &mut Vec<Event>) {
        if self.seal.as_ref().is_some_and(|seal| seal.key == key) {
            self.give_seal(sequence, events);
        }
        if self.bare_calls.contains(&key) {
            self.bare_calls.retain(|call| *call != key);
            sequence.add(key, "{}", events);
        }
        sequence.close(key, events);
    }

    /// All blocks end, also those that were not told to.
    fn end_message(&mut self, payload: &Payload<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        self.give_seal(sequence, events);
        for call in std::mem::take(&mut self.bare_calls) {
            sequence.add(call, "{}", events);
        }
        sequence.close_all(events);
        let reason = payload.stop_reason.and_then(|reason| reason.string());
        match stop(&reason.unwrap_or_default(), payload.additional.as_ref()) {
            Ok(stop) => sequence.stop(stop),
            Err(failure) => self.failure = Some(failure),
        }
    }
}

impl ReadFrame for ConverseEvents {
    fn read(&mut self, event_type: &str, payload: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        let Some(payload) = Payload::read(payload) else {
            return malformed("the provider sent an event that is not a JSON object", sequence, events);
        };
        match event_type {
            "messageStart" => sequence.start(None, None, events),
            "contentBlockStart" => self.start_block(&payload, sequence, events),
            "contentBlockDelta" => self.add(&payload, sequence, events),
            "contentBlockStop" => self.end_block(payload.key, sequence, events),
            "messageStop" => self.end_message(&payload, sequence, events),
            "metadata" => {
                sequence.terms(payload.terms);
                sequence.usage(payload.usage, events);
            }
            // What Bedrock may tell besides.
            _ => {}
        }
    }

    fn end(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        if let Some(failure) = self.failure.take() {
            sequence.fail(failure, events);
        }
    }
}

impl<'a> Payload<'a> {
    /// Checks the syntax of the whole payload.
    fn read(payload: &'a [u8]) -> Option<Self> {
        let mut read = Self::default();
        let mut members = Members::of_document(payload).ok()?;
        while let Some(member) = members.next_member().ok()? {
            let value = member.value;
            match &*member.key {
                b"contentBlockIndex" => {
                    let index = std::str::from_utf8(value.text).ok().and_then(|text| text.parse().ok());
                    read.key = index.unwrap_or_default();
                }
                b"start" => read.start = Some(value),
                b"delta" => read.delta = Some(value),
                b"stopReason" => read.stop_reason = Some(value),
                b"additionalModelResponseFields" => read.additional = Some(value),
                b"usage" => read.usage = usage::read(&value),
                name => read.terms = usage::terms(name, &value, read.terms),
            }
        }
        Some(read)
    }
}

/// Adds to a part, which begins when it is not known.
fn add_to(opening: Opening, key: PartKey, piece: &str, sequence: &mut Sequence, events: &mut Vec<Event>) {
    if !piece.is_empty() {
        sequence.open(key, opening, events);
        sequence.add(key, piece, events);
    }
}

#[cfg(test)]
mod tests;
