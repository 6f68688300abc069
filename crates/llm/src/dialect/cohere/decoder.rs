//! Reads the events of a stream. What kind each is says `type` in its data; citations are passed over.

use super::read_answer::{ToldCall, made_up_id, words};
use super::{finish, usage};
use crate::dialect::sequence::{PartKey, Sequence};
use crate::dialect::sse_decoder::ReadData;
use crate::event::{Event, Opening};
use crate::json::{Kind, Members, Value};
use crate::wire::ToldError;
use crate::{Failure, FailureKind};

/// The plan that comes before tool calls; parts with an index of their own have other keys.
const PLAN: PartKey = PartKey::MAX;

#[derive(Default)]
pub(super) struct EventReader {
    has_calls: bool,
}

impl ReadData for EventReader {
    fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        if data.trim_ascii_start().starts_with(b"[DONE]") {
            return sequence.finish(events);
        }
        let Some(event) = object(data) else {
            let reason = "the provider sent an event that is not a JSON object";
            return sequence.fail(Failure::new(FailureKind::Malformed, reason), events);
        };
        let kind = event.member("type").and_then(|kind| words(&kind));
        let delta = event.member("delta");
        let message = delta.and_then(|delta| delta.member("message"));
        let of_message = |name| message.and_then(|message| message.member(name));
        let index = event
            .member("index")
            .and_then(|index| number(&index))
            .unwrap_or_default();
        match kind.as_deref() {
            Some("message-start") => {
                let id = event.member("id").and_then(|id| words(&id));
                sequence.start(id.as_deref(), None, events);
            }
            Some("content-start" | "content-delta") => {
                if let Some(content) = of_message("content") {
                    add_content(content_key(index), &content, sequence, events);
                }
            }
            Some("content-end") => sequence.close(content_key(index), events),
            Some("tool-plan-delta") => {
                if let Some(plan) = of_message("tool_plan").and_then(|plan| words(&plan)) {
                    sequence.open(PLAN, Opening::Text, events);
                    sequence.add(PLAN, &plan, events);
                }
            }
            Some("tool-call-start") => {
                sequence.close(PLAN, events);
                if let Some(call) = of_message("tool_calls") {
                    self.start_call(index, &ToldCall::read(&call), sequence, events);
                }
            }
            Some("tool-call-delta") => {
                if let Some(call) = of_message("tool_calls") {
                    sequence.add(tool_key(index), &ToldCall::read(&call).arguments, events);
                }
            }
            Some("tool-call-end") => sequence.close(tool_key(index), events),
            Some("message-end") => self.end(delta.as_ref(), sequence, events),
            Some(_) => {}
            None => {
                if let Some(told) = ToldError::read_body(data) {
                    sequence.fail(Failure::told(&told), events);
                }
            }
        }
    }
}

impl EventReader {
    fn start_call(&mut self, index: u64, call: &ToldCall<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        self.has_calls = true;
        let opening = Opening::ToolCall {
            id: call.id.as_deref().map_or_else(|| made_up_id(index), Into::into),
            name: call.name.as_deref().unwrap_or_default().into(),
        };
        sequence.open(tool_key(index), opening, events);
        sequence.add(tool_key(index), &call.arguments, events);
    }

    fn end(&mut self, delta: Option<&Value<'_>>, sequence: &mut Sequence, events: &mut Vec<Event>) {
        let of_delta = |name| delta.and_then(|delta| delta.member(name));
        sequence.usage(of_delta("usage").and_then(|usage| usage::read(&usage)), events);
        let error = of_delta("error").and_then(|error| words(&error));
        let reason = of_delta("finish_reason").and_then(|reason| words(&reason));
        let Some(reason) = reason else {
            // Without a reason it is no end; the stream will end without one.
            return;
        };
        match finish::read(&reason, self.has_calls, error.as_deref()) {
            Ok(stop) => {
                sequence.stop(stop);
                sequence.finish(events);
            }
            Err(failure) => sequence.fail(failure, events),
        }
    }
}

/// The data as a value, when all of it is one JSON object.
fn object(data: &[u8]) -> Option<Value<'_>> {
    std::str::from_utf8(data).ok()?;
    let mut members = Members::of_document(data).ok()?;
    while members.next_member().ok()?.is_some() {}
    let text = data.trim_ascii();
    Some(Value {
        kind: Kind::Object,
        text,
        start: 0,
    })
}

fn number(value: &Value<'_>) -> Option<u64> {
    std::str::from_utf8(value.text).ok()?.parse().ok()
}

/// Contents and calls are counted apart.
fn content_key(index: u64) -> PartKey {
    index.wrapping_mul(2)
}

fn tool_key(index: u64) -> PartKey {
    index.wrapping_mul(2).wrapping_add(1)
}

fn add_content(key: PartKey, content: &Value<'_>, sequence: &mut Sequence, events: &mut Vec<Event>) {
    let text_of = |name| content.member(name);
    let thinking = text_of("thinking");
    let kind = content.member("type").and_then(|kind| words(&kind));
    let opening = match kind.as_deref() {
        Some("thinking") => Opening::Thinking,
        None if thinking.is_some() => Opening::Thinking,
        Some(_) | None => Opening::Text,
    };
    sequence.open(key, opening, events);
    if let Some(text) = thinking.or_else(|| text_of("text")).and_then(|text| words(&text)) {
        sequence.add(key, &text, events);
    }
}
