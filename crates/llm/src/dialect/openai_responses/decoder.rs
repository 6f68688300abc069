//! Reads a provider's stream. Servers differ in how much they tell: some send a part in pieces and then whole, some
//! only one or the other, so each part is told by whatever comes first and never twice.

use std::collections::HashMap;

use super::output::{SUMMARY_BREAK, call_id, elements, facts_of, failure_of, index, object, stop_of, text, thoughts};
use super::read_answer::signature_of;
use crate::Failure;
use crate::NotAnAnswer;
use crate::dialect::sequence::{PartKey, Sequence};
use crate::dialect::sse_decoder::ReadData;
use crate::event::{Event, Opening};
use crate::json::Value;
use crate::wire::ToldError;

#[derive(Default)]
pub(super) struct EventReader {
    parts: HashMap<PartKey, Progress>,
    /// What was last told of the thinking of each reasoning item.
    thoughts: HashMap<u64, Thought>,
    has_calls: bool,
    has_refusal: bool,
    has_text: bool,
}

/// How much of a part has been told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Opened,
    Begun,
    Closed,
}

/// Which part of which telling of the thinking.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Thought {
    telling: Telling,
    part: u64,
}

/// Servers that tell both tell the same twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    Summary,
    Verbatim,
}

/// Where events go, together with the order they have to keep.
struct Told<'s> {
    sequence: &'s mut Sequence,
    events: &'s mut Vec<Event>,
}

impl ReadData for EventReader {
    fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        if sequence.has_stopped() || data.trim_ascii_start().starts_with(b"[DONE]") {
            return;
        }
        let mut told = Told { sequence, events };
        match object(data) {
            Ok(event) => self.event(&event, &mut told),
            Err(_) => told.fail(NotAnAnswer::NotJson.into_failure()),
        }
    }
}

impl EventReader {
    fn event(&mut self, event: &Value<'_>, told: &mut Told<'_>) {
        if let Some(error) = event.member("error").and_then(|error| ToldError::read(&error)) {
            return told.fail(Failure::told(&error));
        }
        let kind = text(event, "type").unwrap_or_default();
        let delta = || text(event, "delta").unwrap_or_default();
        match &*kind {
            "response.created" | "response.queued" | "response.in_progress" => start(event, told),
            "response.output_item.added" => self.item_added(event, told),
            "response.output_item.done" => {
                if let Some(item) = event.member("item") {
                    self.item_done(&item, index(event, "output_index"), told);
                }
            }
            "response.output_text.delta" => self.tell(content_key(event), Opening::Text, &delta(), told),
            "response.output_text.done" => {
                let whole = text(event, "text").unwrap_or_default();
                self.tell_whole(content_key(event), Opening::Text, &whole, told);
            }
            "response.refusal.delta" => self.tell(content_key(event), Opening::Refusal, &delta(), told),
            "response.refusal.done" => {
                let whole = text(event, "refusal").unwrap_or_default();
                self.tell_whole(content_key(event), Opening::Refusal, &whole, told);
            }
            "response.content_part.done" => {
                if let Some(part) = event.member("part") {
                    self.content_done(content_key(event), &part, told);
                }
            }
            "response.function_call_arguments.delta" => {
                let key = item_key(index(event, "output_index"));
                // Of a call without a name nothing can be told yet; the whole item will come.
                if self.parts.contains_key(&key) {
                    self.add(key, &delta(), told);
                }
            }
            "response.function_call_arguments.done" => self.arguments_done(event, told),
            "response.reasoning_summary_text.delta" => self.think(event, Telling::Summary, &delta(), told),
            "response.reasoning_text.delta" => self.think(event, Telling::Verbatim, &delta(), told),
            "response.reasoning_summary_text.done" => self.thought(event, Telling::Summary, told),
            "response.reasoning_text.done" => self.thought(event, Telling::Verbatim, told),
            "response.completed" | "response.incomplete" => self.finish(event, told),
            "response.failed" => {
                let failure = event.member("response").and_then(|response| failure_of(&response));
                told.fail(failure.unwrap_or_else(|| Failure::told(&ToldError::default())));
            }
            "error" => told.fail(Failure::told(&ToldError::read(event).unwrap_or_default())),
            _ => {}
        }
    }

    fn item_added(&mut self, event: &Value<'_>, told: &mut Told<'_>) {
        let output_index = index(event, "output_index");
        self.forget(output_index, told);
        let Some(item) = event.member("item") else {
            return;
        };
        if text(&item, "type").as_deref() == Some("function_call") && text(&item, "name").is_some() {
            self.open_call(&item, output_index, told);
        }
    }

    /// Servers that number all their items alike begin another one with each.
    fn forget(&mut self, output_index: u64, told: &mut Told<'_>) {
        self.thoughts.remove(&output_index);
        self.parts.retain(|key, _| {
            let is_of_item = item_key(output_index) >> CONTENT_BITS == key >> CONTENT_BITS;
            if is_of_item {
                told.sequence.close(*key, told.events);
            }
            !is_of_item
        });
    }

    fn item_done(&mut self, item: &Value<'_>, output_index: u64, told: &mut Told<'_>) {
        let key = item_key(output_index);
        match text(item, "type").as_deref() {
            Some("message") => {
                for (place, content) in (0..).zip(elements(item, "content")) {
                    self.content_done(key_of(output_index, place), &content, told);
                }
            }
            Some("function_call") => {
                self.open_call(item, output_index, told);
                let arguments = text(item, "arguments").unwrap_or_default();
                self.call_done(key, &arguments, told);
            }
            Some("reasoning") => self.reasoning_done(item, output_index, told),
            _ => {}
        }
    }

    fn content_done(&mut self, key: PartKey, content: &Value<'_>, told: &mut Told<'_>) {
        match text(content, "type").as_deref() {
            Some("output_text") => {
                let whole = text(content, "text").unwrap_or_default();
                self.tell_whole(key, Opening::Text, &whole, told);
            }
            Some("refusal") => {
                let whole = text(content, "refusal").unwrap_or_default();
                self.tell_whole(key, Opening::Refusal, &whole, told);
            }
            _ => {}
        }
    }

    fn open_call(&mut self, item: &Value<'_>, output_index: u64, told: &mut Told<'_>) {
        let opening = Opening::ToolCall {
            id: call_id(item).unwrap_or_else(|| format!("call_{output_index}").into()),
            name: text(item, "name").unwrap_or_default().into(),
        };
        self.has_calls = true;
        self.open(item_key(output_index), opening, told);
    }

    fn arguments_done(&mut self, event: &Value<'_>, told: &mut Told<'_>) {
        let key = item_key(index(event, "output_index"));
        if self.parts.contains_key(&key) {
            let arguments = text(event, "arguments").unwrap_or_default();
            self.call_done(key, &arguments, told);
        }
    }

    fn call_done(&mut self, key: PartKey, arguments: &str, told: &mut Told<'_>) {
        if self.parts.get(&key) == Some(&Progress::Opened) {
            let arguments = if arguments.is_empty() { "{}" } else { arguments };
            self.add(key, arguments, told);
        }
        self.close(key, told);
    }

    /// More of the thinking of an item.
    fn think(&mut self, event: &Value<'_>, telling: Telling, delta: &str, told: &mut Told<'_>) {
        let output_index = index(event, "output_index");
        let part = index(event, telling.index_name());
        let thought = Thought { telling, part };
        let last = self.thoughts.get(&output_index).copied();
        if last.is_some_and(|last| last.telling != telling) || delta.is_empty() {
            return;
        }
        self.thoughts.insert(output_index, thought);
        let key = item_key(output_index);
        if last.is_some_and(|last| last != thought) {
            self.tell(key, Opening::Thinking, SUMMARY_BREAK, told);
        }
        self.tell(key, Opening::Thinking, delta, told);
    }

    /// A part of the thinking as a whole.
    fn thought(&mut self, event: &Value<'_>, telling: Telling, told: &mut Told<'_>) {
        let last = self.thoughts.get(&index(event, "output_index"));
        let part = index(event, telling.index_name());
        if last.is_none_or(|last| last.telling == telling && last.part < part) {
            let whole = text(event, "text").unwrap_or_default();
            self.think(event, telling, &whole, told);
        }
    }

    fn reasoning_done(&mut self, item: &Value<'_>, output_index: u64, told: &mut Told<'_>) {
        let key = item_key(output_index);
        if !self.parts.contains_key(&key) {
            self.tell(key, Opening::Thinking, &thoughts(item), told);
        }
        if let Some(signature) = signature_of(item) {
            self.open(key, Opening::Thinking, told);
            told.sequence.sign(key, signature, told.events);
        }
        self.close(key, told);
    }

    fn finish(&mut self, event: &Value<'_>, told: &mut Told<'_>) {
        start(event, told);
        let Some(response) = event.member("response") else {
            return told.sequence.stop(stop_of(event, self.has_calls, self.has_refusal));
        };
        if let Some(failure) = failure_of(&response) {
            return told.fail(failure);
        }
        // Items may be numbered otherwise here than before: those that nobody told of are only told when none was.
        let nothing_told = !self.has_text;
        for (output_index, item) in (0..).zip(elements(&response, "output")) {
            if nothing_told || self.parts.contains_key(&item_key(output_index)) {
                self.item_done(&item, output_index, told);
            }
        }
        let facts = facts_of(&response);
        told.sequence.terms(facts.terms);
        told.sequence.usage(facts.usage, told.events);
        told.sequence.stop(stop_of(&response, self.has_calls, self.has_refusal));
    }

    fn tell_whole(&mut self, key: PartKey, opening: Opening, whole: &str, told: &mut Told<'_>) {
        if !self.parts.contains_key(&key) {
            self.tell(key, opening, whole, told);
        }
        self.close(key, told);
    }

    /// A part begins with its first text: empty ones say nothing.
    fn tell(&mut self, key: PartKey, opening: Opening, text: &str, told: &mut Told<'_>) {
        if text.is_empty() {
            return;
        }
        self.has_refusal |= opening == Opening::Refusal;
        self.open(key, opening, told);
        self.add(key, text, told);
    }

    fn open(&mut self, key: PartKey, opening: Opening, told: &mut Told<'_>) {
        self.parts.entry(key).or_insert_with(|| {
            told.sequence.open(key, opening, told.events);
            Progress::Opened
        });
    }

    fn add(&mut self, key: PartKey, text: &str, told: &mut Told<'_>) {
        match self.parts.get_mut(&key) {
            Some(Progress::Closed) | None => {}
            Some(progress) if !text.is_empty() => {
                *progress = Progress::Begun;
                self.has_text = true;
                told.sequence.add(key, text, told.events);
            }
            Some(Progress::Opened | Progress::Begun) => {}
        }
    }

    fn close(&mut self, key: PartKey, told: &mut Told<'_>) {
        if let Some(progress) = self.parts.get_mut(&key) {
            *progress = Progress::Closed;
            told.sequence.close(key, told.events);
        }
    }
}

impl Telling {
    const fn index_name(self) -> &'static str {
        match self {
            Self::Summary => "summary_index",
            Self::Verbatim => "content_index",
        }
    }
}

impl Told<'_> {
    fn fail(&mut self, failure: Failure) {
        self.sequence.fail(failure, self.events);
    }
}

const CONTENT_BITS: u32 = 24;

fn item_key(output_index: u64) -> PartKey {
    output_index << CONTENT_BITS
}

/// A piece of a message; the item by itself counts as its first.
fn key_of(output_index: u64, content_index: u64) -> PartKey {
    item_key(output_index) | (content_index.wrapping_add(1) & ((1 << CONTENT_BITS) - 1))
}

fn content_key(event: &Value<'_>) -> PartKey {
    key_of(index(event, "output_index"), index(event, "content_index"))
}

fn start(event: &Value<'_>, told: &mut Told<'_>) {
    let response = event.member("response");
    let of_response = |name| response.and_then(|response| text(&response, name));
    told.sequence.start(
        of_response("id").as_deref(),
        of_response("model").as_deref(),
        told.events,
    );
}
