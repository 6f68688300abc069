//! Keeps a decoder's events in order: parts open and close one after the other, a stream starts once and ends once.
//! Parts that arrive side by side, as parallel tool calls may, are held back until those before them are closed.

use std::collections::VecDeque;

use crate::chat::Signature;
use crate::event::{Event, Opening, Stop};
use crate::{Failure, FailureKind, Terms, Tokens};

/// How many parts may be held back, and how much of them, before the stream is given up.
const MOST_WAITING: usize = 128;
const MOST_WAITING_BYTES: usize = 16 << 20;

/// Which part of the provider's stream is meant: its own index, or whatever else tells its parts apart.
pub(crate) type PartKey = u64;

/// The order of one stream.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    started: bool,
    open: Option<PartKey>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    stop: Option<Stop>,
    over: bool,
    terms: Terms,
}

#[derive(Debug)]
struct Waiting {
    key: PartKey,
    opening: Opening,
    text: String,
    signature: Option<Signature>,
    closed: bool,
}

impl Sequence {
    /// The stream begins; a second time says nothing.
    pub(crate) fn start(&mut self, id: Option<&str>, model: Option<&str>, events: &mut Vec<Event>) {
        if self.started || self.over {
            return;
        }
        self.started = true;
        events.push(Event::Start {
            id: id.map(Into::into),
            model: model.map(Into::into),
        });
    }

    /// Whether a part was opened and not closed yet.
    pub(crate) fn knows(&self, key: PartKey) -> bool {
        self.open == Some(key) || self.waiting.iter().any(|part| part.key == key)
    }

    /// A part begins. It has to wait when another one is open.
    pub(crate) fn open(&mut self, key: PartKey, opening: Opening, events: &mut Vec<Event>) {
        if self.over || self.knows(key) {
            return;
        }
        self.start(None, None, events);
        if self.open.is_none() {
            self.open = Some(key);
            events.push(Event::Open(opening));
        } else if self.waiting.len() >= MOST_WAITING {
            self.fail_because("the provider's stream has too many parts at once", events);
        } else {
            self.waiting.push_back(Waiting {
                key,
                opening,
                text: String::new(),
                signature: None,
                closed: false,
            });
        }
    }

    /// More of a part; of one that is not known, nothing.
    pub(crate) fn add(&mut self, key: PartKey, text: &str, events: &mut Vec<Event>) {
        if self.over || text.is_empty() {
            return;
        }
        if self.open == Some(key) {
            events.push(Event::Add(text.into()));
        } else if let Some(part) = self.waiting.iter_mut().find(|part| part.key == key) {
            part.text.push_str(text);
            self.waiting_bytes += text.len();
            if self.waiting_bytes > MOST_WAITING_BYTES {
                self.fail_because("the provider's stream mixes parts that are too large", events);
            }
        }
    }

    pub(crate) fn sign(&mut self, key: PartKey, signature: Signature, events: &mut Vec<Event>) {
        if self.over {
            return;
        }
        if self.open == Some(key) {
            events.push(Event::Sign(signature));
        } else if let Some(part) = self.waiting.iter_mut().find(|part| part.key == key) {
            part.signature = Some(signature);
        }
    }

    /// A part ends, and those that waited for it begin.
    pub(crate) fn close(&mut self, key: PartKey, events: &mut Vec<Event>) {
        if self.open == Some(key) {
            self.open = None;
            events.push(Event::Close);
            self.next(events);
        } else if let Some(part) = self.waiting.iter_mut().find(|part| part.key == key) {
            part.closed = true;
        }
    }

    /// All parts end.
    pub(crate) fn close_all(&mut self, events: &mut Vec<Event>) {
        for part in &mut self.waiting {
            part.closed = true;
        }
        if let Some(key) = self.open {
            self.close(key, events);
        }
    }

    pub(crate) fn usage(&mut self, usage: Option<Tokens>, events: &mut Vec<Event>) {
        if let Some(usage) = usage.filter(|_| !self.over) {
            self.start(None, None, events);
            events.push(Event::Usage(usage));
        }
    }

    /// On what terms the answer is given. No event: only the bill asks for it.
    pub(crate) fn terms(&mut self, told: Terms) {
        self.terms = told.or(self.terms);
    }

    pub(crate) const fn told_terms(&self) -> Terms {
        self.terms
    }

    /// Why the answer ends. Told to the caller when the stream does: usage may still come.
    pub(crate) fn stop(&mut self, stop: Stop) {
        self.stop = Some(stop);
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stop.is_some()
    }

    pub(crate) fn fail(&mut self, failure: Failure, events: &mut Vec<Event>) {
        if !self.over {
            self.over = true;
            events.push(Event::Failed(failure));
        }
    }

    /// The stream is over: a failure when it did not say why it stopped.
    pub(crate) fn finish(&mut self, events: &mut Vec<Event>) {
        if self.over {
            return;
        }
        let Some(stop) = self.stop.take() else {
            return self.fail_because("the stream ended before the answer did", events);
        };
        self.start(None, None, events);
        self.close_all(events);
        self.over = true;
        events.push(Event::Stop(stop));
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    fn fail_because(&mut self, reason: &str, events: &mut Vec<Event>) {
        self.fail(Failure::new(FailureKind::Malformed, reason), events);
    }

    fn next(&mut self, events: &mut Vec<Event>) {
        while self.open.is_none()
            && let Some(part) = self.waiting.pop_front()
        {
            self.waiting_bytes -= part.text.len();
            events.push(Event::Open(part.opening));
            if !part.text.is_empty() {
                events.push(Event::Add(part.text.into()));
            }
            events.extend(part.signature.map(Event::Sign));
            if part.closed {
                events.push(Event::Close);
            } else {
                self.open = Some(part.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str) -> Opening {
        Opening::ToolCall {
            id: name.into(),
            name: name.into(),
        }
    }

    #[test]
    fn parts_that_come_side_by_side_are_told_one_after_the_other() {
        let mut sequence = Sequence::default();
        let mut events = Vec::new();

        sequence.start(Some("1"), None, &mut events);
        sequence.open(0, call("a"), &mut events);
        sequence.open(1, call("b"), &mut events);
        sequence.add(1, "{}", &mut events);
        sequence.add(0, "[]", &mut events);
        sequence.stop(Stop::ToolCalls);
        sequence.finish(&mut events);

        let expected = [
            Event::Start {
                id: Some("1".into()),
                model: None,
            },
            Event::Open(call("a")),
            Event::Add("[]".into()),
            Event::Close,
            Event::Open(call("b")),
            Event::Add("{}".into()),
            Event::Close,
            Event::Stop(Stop::ToolCalls),
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn a_stream_that_does_not_say_why_it_stopped_has_failed_once() {
        let mut sequence = Sequence::default();
        let mut events = Vec::new();

        sequence.open(0, Opening::Text, &mut events);
        sequence.finish(&mut events);
        sequence.add(0, "more", &mut events);
        sequence.finish(&mut events);

        let failures = events.iter().filter(|event| matches!(event, Event::Failed(_))).count();
        assert_eq!((failures, matches!(events.last(), Some(Event::Failed(_)))), (1, true));
    }
}
