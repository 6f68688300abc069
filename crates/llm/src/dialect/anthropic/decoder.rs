//! Reads a provider's stream. A block's index is its part's key.

use super::block::Block;
use super::read_answer::explanation;
use super::sent::{Sent, member_text};
use super::usage::ToldUsage;
use super::{failure, stop};
use crate::chat::{Maker, Signature};
use crate::dialect::sequence::{PartKey, Sequence};
use crate::dialect::sse_decoder::ReadData;
use crate::event::{Event, Opening, Stop};
use crate::wire::ToldError;
use crate::{Failure, FailureKind};

/// No block has this index: it is the refusal that a stream's last event explains.
const REFUSAL: PartKey = u64::MAX;

/// What is known of one stream besides its order.
#[derive(Debug, Default)]
pub(crate) struct MessageReader {
    usage: ToldUsage,
    /// Calls that have no arguments yet, and those they have if none come.
    bare_calls: Vec<(PartKey, Box<str>)>,
    /// A block began.
    said: bool,
}

impl ReadData for MessageReader {
    fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        let Ok(sent) = Sent::read(data) else {
            let failure = Failure::new(
                FailureKind::Malformed,
                "the provider sent an event that is not a JSON object",
            );
            return sequence.fail(failure, events);
        };
        match sent.kind.as_deref().unwrap_or_default() {
            "message_start" => self.start(&sent, sequence, events),
            "content_block_start" => self.open(&sent, sequence, events),
            "content_block_delta" => self.add(&sent, sequence, events),
            "content_block_stop" => self.close(&sent, sequence, events),
            "message_delta" => self.stop(&sent, sequence, events),
            "message_stop" => self.finish(sequence, events),
            "error" => {
                let told = sent.error.as_ref().and_then(ToldError::read).unwrap_or_default();
                sequence.fail(failure::told(&told), events);
            }
            // `ping`, and whatever comes in later versions.
            _ => {}
        }
    }
}

impl MessageReader {
    fn start(&mut self, sent: &Sent<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let text = |name| member_text(sent.message.as_ref()?, name);
        sequence.start(text("id").as_deref(), text("model").as_deref(), events);
        self.tell_usage(sent, sequence, events);
    }

    fn open(&mut self, sent: &Sent<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let (Some(key), Some(block)) = (sent.index, &sent.block) else {
            return;
        };
        let block = Block::read(block);
        let Some(opening) = block.opening() else {
            return;
        };
        if matches!(opening, Opening::ToolCall { .. }) && !sequence.knows(key) {
            self.bare_calls.push((key, block.arguments()));
        }
        self.said = true;
        sequence.open(key, opening, events);
        sequence.add(key, block.text(), events);
        if let Some(signature) = block.signature() {
            sequence.sign(key, signature, events);
        }
    }

    fn add(&mut self, sent: &Sent<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let (Some(key), Some(delta)) = (sent.index, &sent.delta) else {
            return;
        };
        let mut members = delta.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = &member.value;
            match &*member.key {
                b"text" | b"thinking" => {
                    sequence.add(key, value.string().as_deref().unwrap_or_default(), events);
                }
                b"partial_json" => {
                    let json = value.string().unwrap_or_default();
                    if !json.is_empty() {
                        self.bare_calls.retain(|(bare, _)| *bare != key);
                        sequence.add(key, &json, events);
                    }
                }
                b"signature" => {
                    if let Some(text) = value.string().filter(|text| !text.is_empty()) {
                        let maker = Maker::Anthropic;
                        let text = (*text).into();
                        sequence.sign(key, Signature { maker, text }, events);
                    }
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, sent: &Sent<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let Some(key) = sent.index else {
            return;
        };
        self.complete_calls(|bare| bare == key, sequence, events);
        sequence.close(key, events);
    }

    fn stop(&mut self, sent: &Sent<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        self.tell_usage(sent, sequence, events);
        let (Some(delta), Some(reason)) = (&sent.delta, sent.stop_reason()) else {
            return;
        };
        let sequence_text = member_text(delta, "stop_sequence");
        let stop = match stop::read(&reason, sequence_text.as_deref()) {
            Stop::Refused if !self.said => Stop::Blocked,
            other => other,
        };
        let is_blocked = stop == Stop::Blocked;
        sequence.stop(stop);
        self.complete_calls(|_| true, sequence, events);
        if let Some(refusal) = delta.member("stop_details").as_ref().and_then(explanation) {
            sequence.close_all(events);
            sequence.open(REFUSAL, Opening::Refusal, events);
            sequence.add(REFUSAL, &refusal, events);
        }
        // Nothing else will come, and nobody has to wait to know.
        if is_blocked {
            sequence.finish(events);
        }
    }

    fn finish(&mut self, sequence: &mut Sequence, events: &mut Vec<Event>) {
        self.complete_calls(|_| true, sequence, events);
        if !sequence.has_stopped() {
            sequence.stop(Stop::End);
        }
        sequence.finish(events);
    }

    fn tell_usage(&mut self, sent: &Sent<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        if let Some(usage) = sent.told_usage() {
            self.usage.update(&usage);
            let facts = self.usage.facts();
            sequence.terms(facts.terms);
            sequence.usage(facts.usage, events);
        }
    }

    /// Gives the calls that are over the arguments that did not come in pieces.
    fn complete_calls(&mut self, over: impl Fn(PartKey) -> bool, sequence: &mut Sequence, events: &mut Vec<Event>) {
        self.bare_calls.retain(|(key, arguments)| {
            if over(*key) {
                sequence.add(*key, arguments, events);
            }
            !over(*key)
        });
    }
}
