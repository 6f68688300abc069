//! Passes a provider's stream on to the caller as it comes, watches it go by, keeps a silent one alive, and meters it
//! before its last bytes leave. Polled by the connection itself: when the caller hangs up it is dropped, and with it the
//! connection to the provider.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gatewright_llm::{Ended, Failure, FailureKind, Flow, Tokens};
use gatewright_types::Nanos;
use gatewright_types::api::Outcome;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::attempts::{Streaming, Underway};
use crate::cache::{Collecting, Given, Maker};
use crate::call::failure_of;
use crate::opening::Source;
use crate::patience::{Limit, Patience};
use crate::record::{End, Ending, Metered, Record, Untold, Used};
use crate::refusal::Refusal;
use crate::responses::Passing;
use crate::speech::Telling;

pub(crate) const KEEPALIVE: Bytes = Bytes::from_static(b": keepalive\n\n");
/// Where comments are not understood: between elements of an array, or events, it means nothing.
pub(crate) const BLANK: Bytes = Bytes::from_static(b"\n");

/// How long a provider may take to close an answer whose end it has told.
const EMPTIED_WITHIN: Duration = Duration::from_secs(1);

/// The body of a streamed reply that says something.
pub(crate) struct Relay {
    state: State,
    flow: Flow,
    telling: Telling,
    passing: Passing,
    /// What the cache is to have of it, as long as that is possible.
    collecting: Option<Collecting>,
    /// The cache takes it; nothing leaves meanwhile.
    keeping: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// What the caller reads takes comments.
    comments: bool,
    /// Comments for the end, of what the headers could not say.
    unsaid: String,
    /// Taken when the request is metered.
    record: Option<Record>,
    /// Bytes to pass on next.
    out: Option<Bytes>,
    patience: Patience,
    keepalive: Duration,
    /// Until it is known how the call ended.
    underway: Option<Underway>,
    /// When something was last received or sent.
    active: Instant,
    timer: Pin<Box<Sleep>>,
}

enum State {
    Flowing(Source),
    /// The stream is over, and nobody said what was used.
    Counting(Box<Counting>),
    /// The caller was told everything; a connection that is read to its end can be used again.
    Emptying(Source),
    Over,
}

/// How a stream ends once its tokens are counted.
struct Counting {
    untold: Untold,
    counted: oneshot::Receiver<Tokens>,
    end: Last,
    before: Option<Bytes>,
}

/// How a stream ended.
enum Last {
    Whole,
    Broken(Refusal),
}

impl Relay {
    pub(crate) fn new(
        streaming: Streaming,
        collecting: Option<Collecting>,
        record: Record,
        keepalive: Duration,
        unsaid: String,
    ) -> Self {
        let Streaming {
            source,
            flow,
            passing,
            held,
            ended,
            telling,
            underway,
            patience,
        } = streaming;
        let now = Instant::now();
        let mut relay = Self {
            state: State::Flowing(source),
            passing,
            collecting,
            keeping: None,
            flow,
            comments: telling.takes_comments(),
            unsaid,
            telling,
            record: Some(record),
            out: held,
            patience,
            underway: Some(underway),
            keepalive,
            active: now,
            timer: Box::pin(sleep_until(now)),
        };
        let held = relay.out.clone();
        relay.collect(held.as_deref());
        let first_alarm = relay.next_alarm();
        relay.timer.as_mut().reset(first_alarm);
        match ended {
            Some(ended) => relay.complete(ended),
            None if relay.flow.is_whole() => relay.complete_early(),
            None => {}
        }
        relay
    }

    /// The next piece for the caller; `None` at the end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            std::task::ready!(self.passing.poll_settled(cx));
            if let Some(keeping) = &mut self.keeping {
                std::task::ready!(keeping.as_mut().poll(cx));
                self.keeping = None;
            }
            if let Some(out) = self.out.take() {
                return Poll::Ready(Some(out));
            }
            match self.poll_source(cx) {
                Poll::Ready(Progress::Over) => return Poll::Ready(None),
                Poll::Ready(Progress::Made) => continue,
                Poll::Pending => {}
            }
            std::task::ready!(self.timer.as_mut().poll(cx));
            self.alarm();
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        match &mut self.state {
            State::Over => return Poll::Ready(Progress::Over),
            State::Emptying(source) => match std::task::ready!(source.poll_next(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.state = State::Over,
            },
            State::Flowing(source) => match std::task::ready!(source.poll_next(cx)) {
                Some(Ok(bytes)) => self.pass(bytes),
                Some(Err(failure)) => self.break_off(failure),
                None => {
                    let ended = self.flow.end();
                    self.complete(ended);
                }
            },
            State::Counting(counting) => {
                let tokens = std::task::ready!(Pin::new(&mut counting.counted).poll(cx)).unwrap_or_default();
                self.counted(tokens);
            }
        }
        Poll::Ready(Progress::Made)
    }

    fn pass(&mut self, bytes: Bytes) {
        self.active = Instant::now();
        let seen = self.flow.push(bytes);
        self.passing.look(&self.flow);
        self.collect(seen.out.as_deref());
        self.out = seen.out;
        if let Some(failure) = seen.failed {
            self.break_off(failure);
        } else if self.flow.is_whole() {
            self.complete_early();
        }
    }

    /// Callers stop reading at the mark of the end, so the request is metered before they see it, and however long the
    /// provider takes to close its answer.
    fn complete_early(&mut self) {
        let before = std::mem::replace(&mut self.state, State::Over);
        let ended = self.flow.end();
        self.complete(ended);
        if let (State::Flowing(source), State::Over) = (before, &self.state) {
            self.state = State::Emptying(source);
            self.timer.as_mut().reset(self.active + EMPTIED_WITHIN);
        }
    }

    fn collect(&mut self, piece: Option<&[u8]>) {
        if let Some(piece) = piece {
            self.collecting = self.collecting.take().and_then(|collecting| collecting.add(piece));
        }
    }

    /// Gives the cache what was collected.
    fn give(&mut self, trailer: &[u8], maker: Option<Maker>, usage: Option<Tokens>, metered: Metered) {
        self.collect(Some(trailer));
        let Some(collecting) = self.collecting.take() else {
            return;
        };
        let given = Given {
            maker,
            usage,
            cost: metered.cost,
            dropped: self.telling.dropped().map(|dropped| dropped.to_string().into()),
        };
        self.keeping = Some(Box::pin(collecting.keep(given)));
    }

    /// The provider's connection ended as it should, or at least without an error.
    fn complete(&mut self, mut ended: Ended) {
        if let Some(failure) = ended.failed.clone() {
            return self.end_badly(failure, ended);
        }
        if !ended.done && !ended.finish_seen {
            let failure = failure_of(
                FailureKind::Malformed,
                "the stream ended before the answer did".to_owned(),
            );
            return self.end_badly(failure, ended);
        }
        self.collect(ended.out.as_deref());
        if ended.done || !self.flow.has_end_mark() {
            self.collecting.as_mut().map(Collecting::ends);
        }
        // The piece with the mark of the end is held back until the request is metered.
        ended.out = self.out.take().or(ended.out);
        self.close(Last::Whole, ended);
    }

    fn break_off(&mut self, failure: Failure) {
        let ended = self.flow.end();
        self.end_badly(failure, ended);
    }

    fn end_badly(&mut self, failure: Failure, ended: Ended) {
        if let Some(mut underway) = self.underway.take() {
            underway.broke_off();
        }
        let refusal = Refusal::Upstream(failure.into());
        tracing::warn!(
            request.id = self.record.as_ref().map(|record| tracing::field::display(record.id())),
            code = refusal.code(),
            "a provider's stream broke"
        );
        self.close(Last::Broken(refusal), ended);
    }

    /// Ends the stream, now or when its tokens are counted.
    fn close(&mut self, last: Last, ended: Ended) {
        let Some(record) = &mut self.record else { return };
        let before = match last {
            Last::Whole => ended.out,
            // What comes of an event that says so is not passed on.
            Last::Broken(..) => None,
        };
        match record.ending(ended.facts, ended.delivered) {
            Ending::Known(used) => self.settle(&last, before, used),
            Ending::Untold(untold) => {
                record.stop_clock();
                let counted = record.ask(&untold);
                self.state = State::Counting(Box::new(Counting {
                    untold,
                    counted,
                    end: last,
                    before,
                }));
            }
        }
    }

    fn counted(&mut self, tokens: Tokens) {
        if let State::Counting(counting) = std::mem::replace(&mut self.state, State::Over) {
            let used = Used::Counted(tokens, counting.untold.terms);
            self.settle(&counting.end, counting.before, used);
        }
    }

    fn settle(&mut self, last: &Last, before: Option<Bytes>, used: Used) {
        match last {
            Last::Whole => {
                let maker = self.record.as_ref().and_then(Record::maker);
                let usage = used.tokens();
                let metered = self.finish(&End {
                    outcome: Outcome::Complete,
                    status: 200,
                    code: None,
                    used,
                });
                let trailer = self.flow.trailer();
                self.passing.end(&mut self.flow, &self.telling);
                self.give(&trailer, maker, usage, metered);
                self.leave(before, metered, &trailer);
            }
            Last::Broken(refusal) => {
                let end = End {
                    outcome: Outcome::Cut,
                    status: refusal.status(),
                    code: Some(refusal.code()),
                    used,
                };
                let event = self.failure(refusal);
                let metered = self.finish(&end);
                let before = self.out.take();
                self.leave(before, metered, &event);
            }
        }
    }

    /// What tells the caller; before the record is finished, whose identifier it names.
    fn failure(&mut self, refusal: &Refusal) -> Bytes {
        let Some(id) = self.record.as_ref().map(Record::id) else {
            return Bytes::new();
        };
        refusal.tell(id, |facts| self.flow.failure(facts))
    }

    fn finish(&mut self, end: &End) -> Metered {
        self.state = State::Over;
        self.underway = None;
        match self.record.take() {
            Some(mut record) => record.finish(end),
            None => Metered { cost: None },
        }
    }

    /// The last bytes: what was held back, the cost as a comment, the end mark or the error.
    fn leave(&mut self, before: Option<Bytes>, metered: Metered, last: &[u8]) {
        let comment = if self.comments {
            std::mem::take(&mut self.unsaid) + &cost_comment(metered.cost)
        } else {
            String::new()
        };
        let before = before.unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(before.len() + comment.len() + last.len());
        bytes.extend_from_slice(&before);
        bytes.extend_from_slice(comment.as_bytes());
        bytes.extend_from_slice(last);
        self.out = Some(bytes.freeze());
    }

    /// The earliest moment at which silence means something.
    fn next_alarm(&self) -> Instant {
        let (end, _) = self.silence_limit();
        end.min(self.active + self.keepalive)
    }

    /// A stream that flows goes on for as long as it does, whatever all of it was to take.
    fn silence_limit(&self) -> (Instant, Limit) {
        let limit = self.patience.between_tokens;
        (self.active + limit.length, limit)
    }

    fn alarm(&mut self) {
        if let State::Emptying(_) = self.state {
            self.state = State::Over;
            return;
        }
        let now = Instant::now();
        if let State::Counting(_) = self.state {
            // It is over: nobody is silent.
            self.timer.as_mut().reset(now + self.keepalive);
            return;
        }
        let (end, limit) = self.silence_limit();
        if now >= end {
            self.break_off(limit.exceeded());
            return;
        }
        if now >= self.active + self.keepalive {
            self.out = Some(if self.comments { KEEPALIVE } else { BLANK });
            // Between tokens the provider's silence is measured from its last byte, not from our comment.
            let alarm = end.min(now + self.keepalive);
            self.timer.as_mut().reset(alarm);
            return;
        }
        let alarm = self.next_alarm();
        self.timer.as_mut().reset(alarm);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let Some(record) = self.record.take() else { return };
        let ending = match std::mem::replace(&mut self.state, State::Over) {
            State::Counting(counting) => Ending::Untold(counting.untold),
            State::Flowing(_) | State::Emptying(_) | State::Over => {
                let ended = self.flow.end();
                record.ending(ended.facts, ended.delivered)
            }
        };
        record.abandon(ending);
    }
}

enum Progress {
    Made,
    Over,
}

pub(crate) fn cost_comment(cost: Option<Nanos>) -> String {
    match cost {
        Some(cost) => format!(": x-gw-cost-usd: {cost}\n\n"),
        None => ": x-gw-cost-usd: unpriced\n\n".to_owned(),
    }
}
