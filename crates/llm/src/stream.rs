//! Watches a stream of the caller's own dialect go by: gathers usage, notices the first token, the finish, errors and the
//! end, and takes out what the caller did not ask for. Events that need no change are passed on as the bytes that came.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use crate::chunk::{ChunkFacts, read_chunk};
use crate::dialect::{Looked, Watch};
use crate::sse::{Payload, Splitter, TooLarge, events, payload};
use crate::{AnswerFacts, Delivered, Failure, FailureKind, Naming};

/// What becomes of the usage that was asked for on the caller's behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageChunk {
    /// The caller asked for it: everything passes as it comes.
    Keep,
    /// The caller did not ask: the extra chunk and `"usage":null` members are taken out.
    Strip,
}

/// The state of one stream. Knows nothing of time: silence is for the proxy to notice.
pub struct PassedStream {
    reader: Reader,
    /// Which model its events name, where that is not the provider's.
    naming: Option<Naming>,
    splitter: Splitter,
    phase: Phase,
    finish_seen: bool,
    /// Of chat chunks; others are asked at the end.
    facts: AnswerFacts,
    delivered: Delivered,
    content_events: u64,
    blocked: bool,
}

/// Who looks at the events.
enum Reader {
    /// OpenAI's chat chunks, some of which may have to be changed.
    Chat(UsageChunk),
    Other(Box<dyn Watch>),
}

/// What one piece of the stream brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// To be passed on now: whole events, unchanged where nothing had to be taken out. Never empty bytes.
    pub out: Option<Bytes>,
    /// The first event that says something (a token of text, reasoning or a tool call, or the finish) is in `out`.
    pub first_content: bool,
    /// The stream failed: `out` ends before the event that says so, and nothing more will pass.
    pub failed: Option<Failure>,
}

/// What is known when the stream is over, whether it ended or broke.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// A last event that lacked its blank line, completed.
    pub out: Option<Bytes>,
    /// That last event was an error.
    pub failed: Option<Failure>,
    /// `[DONE]` was seen. It is never in `out`: the proxy writes its own.
    pub done: bool,
    /// A choice had a finish reason.
    pub finish_seen: bool,
    /// As told last: cumulative numbers replace each other.
    pub facts: AnswerFacts,
    /// How many events carried a piece of an answer.
    pub content_events: u64,
    pub delivered: Delivered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    BeforeContent,
    InContent,
    Done,
    Failed,
}

/// What becomes of one event.
enum Verdict {
    Pass,
    Drop,
    /// It passes without these of its bytes.
    Without(Range<usize>),
    /// Nothing from here on passes.
    Stop(Option<Failure>),
}

/// The parts of a block that pass on; copied only when they do not lie together.
#[derive(Default)]
struct Kept {
    only: Range<usize>,
    joined: Vec<u8>,
    next: usize,
}

impl fmt::Debug for PassedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassedStream").finish_non_exhaustive()
    }
}

impl PassedStream {
    /// Of OpenAI's chat completions.
    pub fn chat(usage_chunk: UsageChunk) -> Self {
        Self::read_by(Reader::Chat(usage_chunk))
    }

    /// Of another dialect, where everything passes unchanged.
    pub fn other(watch: Box<dyn Watch>) -> Self {
        Self::read_by(Reader::Other(watch))
    }

    /// With another name in the place of the model's.
    pub fn named(self, naming: Option<Naming>) -> Self {
        Self { naming, ..self }
    }

    fn read_by(reader: Reader) -> Self {
        Self {
            reader,
            naming: None,
            splitter: Splitter::default(),
            phase: Phase::BeforeContent,
            finish_seen: false,
            facts: AnswerFacts::default(),
            delivered: Delivered::default(),
            content_events: 0,
            blocked: false,
        }
    }

    /// Takes the next bytes, cut anywhere.
    pub fn push(&mut self, bytes: Bytes) -> Seen {
        match self.phase {
            Phase::BeforeContent | Phase::InContent => {}
            // Clients stop reading at `[DONE]`, and what follows a failure has no meaning.
            Phase::Done | Phase::Failed => return Seen::default(),
        }
        match self.splitter.push(bytes) {
            Ok(whole) => self.pass(&whole),
            Err(TooLarge) => {
                self.phase = Phase::Failed;
                let failed = Failure::new(FailureKind::Malformed, "the provider sent an event of more than 16 MiB");
                Seen {
                    failed: Some(failed),
                    ..Seen::default()
                }
            }
        }
    }

    /// To be called once, when no more bytes come or nobody wants them. Half an event is dropped: it would break the
    /// reader that it is sent to.
    pub fn end(&mut self) -> Ended {
        let rest = self.splitter.rest();
        let last = match self.phase {
            Phase::BeforeContent | Phase::InContent if self.is_whole(&rest) => {
                self.pass(&Bytes::from([rest.trim_ascii_end(), b"\n\n"].concat()))
            }
            Phase::BeforeContent | Phase::InContent | Phase::Done | Phase::Failed => Seen::default(),
        };
        Ended {
            out: last.out,
            failed: last.failed,
            done: self.phase == Phase::Done,
            finish_seen: self.finish_seen,
            facts: self.facts(),
            content_events: self.content_events,
            delivered: match &mut self.reader {
                Reader::Chat(_) => std::mem::take(&mut self.delivered),
                Reader::Other(watch) => watch.delivered(),
            },
        }
    }

    /// As told so far.
    pub fn facts(&self) -> AnswerFacts {
        match &self.reader {
            Reader::Chat(_) => self.facts,
            Reader::Other(watch) => watch.facts(),
        }
    }

    /// The mark of the end has come: nothing that follows it passes.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// The prompt was refused, and nothing was said.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// The name under which callers can refer to the answer later, once it was told.
    pub fn answer_id(&self) -> Option<&str> {
        match &self.reader {
            Reader::Chat(_) => None,
            Reader::Other(watch) => watch.answer_id(),
        }
    }

    fn pass(&mut self, block: &Bytes) -> Seen {
        let was = self.phase;
        let mut kept = Kept::default();
        let mut failed = None;
        for range in events(block) {
            match self.look(block.get(range.clone()).unwrap_or_default()) {
                Verdict::Pass => {}
                Verdict::Drop => kept.cut(block, range),
                Verdict::Without(part) => kept.cut(block, range.start + part.start..range.start + part.end),
                Verdict::Stop(failure) => {
                    kept.cut(block, range.start..block.len());
                    failed = failure;
                    break;
                }
            }
        }
        let first_content = was == Phase::BeforeContent && (self.content_events > 0 || self.finish_seen);
        let out = kept.finish(block);
        Seen {
            out: match &self.naming {
                Some(naming) => out.map(|out| naming.events(out)),
                None => out,
            },
            first_content,
            failed,
        }
    }

    fn look(&mut self, event: &[u8]) -> Verdict {
        let usage_chunk = match &mut self.reader {
            Reader::Chat(usage_chunk) => *usage_chunk,
            Reader::Other(watch) => {
                let looked = match payload(event) {
                    Payload::Comment | Payload::Nothing => return Verdict::Pass,
                    Payload::Line(data, _) => watch.look(data),
                    Payload::Joined(data) => watch.look(&data),
                };
                return self.note(looked);
            }
        };
        self.look_at_chunk(event, usage_chunk)
    }

    /// An event that a watcher looked at.
    fn note(&mut self, looked: Looked) -> Verdict {
        if let Some(failure) = looked.failed {
            return self.fail(failure);
        }
        self.content_events += u64::from(looked.content);
        self.finish_seen |= looked.finish;
        self.blocked |= looked.refused && self.content_events == 0;
        if looked.done {
            self.phase = Phase::Done;
        } else if looked.content || looked.finish {
            self.phase = Phase::InContent;
        }
        Verdict::Pass
    }

    fn look_at_chunk(&mut self, event: &[u8], usage_chunk: UsageChunk) -> Verdict {
        let (facts, place) = match payload(event) {
            Payload::Comment => return Verdict::Pass,
            Payload::Nothing => return Verdict::Drop,
            Payload::Line(data, _) if is_done(data) => {
                self.phase = Phase::Done;
                return Verdict::Stop(None);
            }
            Payload::Line(data, place) => (read_chunk(data, &mut self.delivered), Some(place)),
            Payload::Joined(data) => (read_chunk(&data, &mut self.delivered), None),
        };
        let Ok(ChunkFacts {
            answer,
            null_usage,
            error,
            choices,
        }) = facts
        else {
            return self.fail(Failure::new(
                FailureKind::Malformed,
                "the provider sent an event that is not a JSON object",
            ));
        };
        if let Some(told) = error {
            return self.fail(Failure::told(&told));
        }
        self.content_events += u64::from(choices.content);
        self.finish_seen |= choices.finish;
        self.blocked |= choices.filtered && self.content_events == 0;
        if choices.content || choices.finish {
            self.phase = Phase::InContent;
        }
        self.facts.tell(answer);
        match (usage_chunk, null_usage, place) {
            // Azure's first chunk has no choices either. Who did not ask for the one with usage looks for a choice in each.
            (UsageChunk::Strip, ..) if !choices.present => Verdict::Drop,
            // Over several lines it stays: it does no harm, and its bytes do not lie together.
            (UsageChunk::Strip, Some(part), Some(place)) => Verdict::Without(place + part.start..place + part.end),
            (UsageChunk::Strip, ..) | (UsageChunk::Keep, ..) => Verdict::Pass,
        }
    }

    /// Whether an event without its end lacks nothing else.
    fn is_whole(&self, event: &[u8]) -> bool {
        let is_json = |data: &[u8]| read_chunk(data, &mut Delivered::default()).is_ok();
        match (payload(event), &self.reader) {
            (Payload::Comment | Payload::Nothing, _) => false,
            (Payload::Line(data, _), Reader::Chat(_)) if is_done(data) => true,
            (Payload::Line(data, _), _) => is_json(data),
            (Payload::Joined(data), _) => is_json(&data),
        }
    }

    fn fail(&mut self, failure: Failure) -> Verdict {
        self.phase = Phase::Failed;
        Verdict::Stop(Some(failure))
    }
}

fn is_done(data: &[u8]) -> bool {
    data.trim_ascii_start().starts_with(b"[DONE]")
}

impl Kept {
    /// Leaves out a range that lies behind all that was left out before.
    fn cut(&mut self, block: &[u8], range: Range<usize>) {
        self.keep(block, range.start);
        self.next = range.end;
    }

    fn keep(&mut self, block: &[u8], end: usize) {
        if self.next >= end {
            return;
        }
        if self.only.is_empty() {
            self.only = self.next..end;
            return;
        }
        if self.joined.is_empty() {
            self.joined.reserve(block.len());
            self.joined
                .extend_from_slice(block.get(self.only.clone()).unwrap_or_default());
        }
        self.joined
            .extend_from_slice(block.get(self.next..end).unwrap_or_default());
    }

    fn finish(mut self, block: &Bytes) -> Option<Bytes> {
        self.keep(block, block.len());
        if !self.joined.is_empty() {
            return Some(self.joined.into());
        }
        (!self.only.is_empty()).then(|| block.slice(self.only))
    }
}

#[cfg(test)]
mod tests;
