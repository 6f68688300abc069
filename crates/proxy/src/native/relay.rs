//! Passes a provider's own bytes on as they come and puts none of ours between them. Polled by the connection itself:
//! when the caller hangs up it is dropped, and with it the connection to the provider. The record is finished before the
//! caller can know that the answer is over.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gatewright_llm::{Failure, NativeWatch, Tokens, Watched};
use gatewright_types::api::Outcome;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::opening::Source;
use crate::patience::{Limit, Patience};
use crate::record::{End, Ending, Record, Untold, Used};
use crate::refusal::Refusal;

/// The body of a native answer.
pub(crate) struct NativeRelay {
    source: Source,
    watch: NativeWatch,
    /// Taken when the request is metered.
    record: Option<Record>,
    patience: Patience,
    status: u16,
    anything_seen: bool,
    /// The caller is to notice that it broke off.
    broken: bool,
    active: Instant,
    started: Instant,
    timer: Pin<Box<Sleep>>,
    /// The answer is over, and nobody said what was used.
    counting: Option<Box<Counting>>,
}

/// How an answer ends once its tokens are counted.
struct Counting {
    untold: Untold,
    counted: oneshot::Receiver<Tokens>,
    last: Last,
}

/// How an answer ended.
enum Last {
    Whole,
    Broken(Outcome, Refusal),
}

/// The answer broke off, and so does what is told of it: a body that just ended would pass for whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider's answer broke off")]
pub(crate) struct Broken;

impl NativeRelay {
    pub(super) fn new(source: Source, watch: NativeWatch, record: Record, patience: Patience, status: u16) -> Self {
        let started = record.started();
        let mut relay = Self {
            source,
            watch,
            record: Some(record),
            patience,
            status,
            anything_seen: false,
            broken: false,
            active: Instant::now(),
            started,
            timer: Box::pin(sleep_until(started)),
            counting: None,
        };
        let (end, _) = relay.silence_limit();
        relay.timer.as_mut().reset(end);
        relay
    }

    /// The next piece for the caller; `None` at the end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if self.record.is_none() {
            return Poll::Ready(None);
        }
        if self.counting.is_some() {
            return self.poll_counted(cx);
        }
        loop {
            match self.source.poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) if bytes.is_empty() => continue,
                Poll::Ready(Some(Ok(bytes))) => {
                    self.see(&bytes);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Poll::Ready(Some(Err(failure))) => {
                    self.break_off(failure);
                    return self.poll_counted(cx);
                }
                Poll::Ready(None) => {
                    self.complete();
                    return self.poll_counted(cx);
                }
                Poll::Pending => {}
            }
            std::task::ready!(self.timer.as_mut().poll(cx));
            let (end, limit) = self.silence_limit();
            if Instant::now() >= end {
                self.break_off(limit.exceeded());
                return self.poll_counted(cx);
            }
            self.timer.as_mut().reset(end);
        }
    }

    fn see(&mut self, bytes: &Bytes) {
        self.active = Instant::now();
        self.anything_seen = true;
        if self.watch.look(bytes.clone())
            && let Some(record) = &mut self.record
        {
            record.first_token();
        }
    }

    /// The earliest moment at which silence is too long. An answer that flows is not cut.
    fn silence_limit(&self) -> (Instant, Limit) {
        let (since, limit) = match self.anything_seen {
            true => (self.active, self.patience.between_tokens),
            false => (self.started, self.patience.beginning()),
        };
        (since + limit.length, limit)
    }

    fn complete(&mut self) {
        let watched = self.watch.end();
        match watched.failed.clone() {
            // The caller has read so itself: its body ends as the provider's does.
            Some(failure) => {
                let last = self.badly(failure);
                self.close(last, watched);
            }
            None => self.close(Last::Whole, watched),
        }
    }

    fn break_off(&mut self, failure: Failure) {
        self.broken = true;
        let watched = self.watch.end();
        let last = self.badly(failure);
        self.close(last, watched);
    }

    fn badly(&mut self, failure: Failure) -> Last {
        let refusal = Refusal::Upstream(failure.into());
        if let Some(record) = &mut self.record {
            record.failed_natively(&refusal, self.patience);
        }
        tracing::warn!(
            request.id = self.record.as_ref().map(|record| tracing::field::display(record.id())),
            code = refusal.code(),
            "a provider's answer broke"
        );
        let outcome = if self.anything_seen {
            Outcome::Cut
        } else {
            Outcome::Failed
        };
        Last::Broken(outcome, refusal)
    }

    /// Ends the answer, now or when its tokens are counted.
    fn close(&mut self, last: Last, watched: Watched) {
        let Some(record) = &mut self.record else { return };
        match record.ending(watched.facts, watched.delivered) {
            Ending::Known(used) => self.settle(&last, used),
            Ending::Untold(untold) => {
                record.stop_clock();
                let counted = record.ask(&untold);
                self.counting = Some(Box::new(Counting { untold, counted, last }));
            }
        }
    }

    /// Ends the body as the provider's ended, once the record is finished.
    fn poll_counted(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if let Some(counting) = &mut self.counting {
            let tokens = std::task::ready!(Pin::new(&mut counting.counted).poll(cx)).unwrap_or_default();
            if let Some(counting) = self.counting.take() {
                self.settle(&counting.last, Used::Counted(tokens, counting.untold.terms));
            }
        }
        Poll::Ready(std::mem::take(&mut self.broken).then_some(Err(Broken)))
    }

    fn settle(&mut self, last: &Last, used: Used) {
        let (outcome, status, code) = match last {
            Last::Whole => (Outcome::Complete, self.status, None),
            Last::Broken(outcome, refusal) => (*outcome, refusal.status(), Some(refusal.code())),
        };
        self.finish(&End {
            outcome,
            status,
            code,
            used,
        });
    }

    fn finish(&mut self, end: &End) {
        if let Some(mut record) = self.record.take() {
            record.finish(end);
        }
    }
}

impl Drop for NativeRelay {
    fn drop(&mut self) {
        let Some(record) = self.record.take() else { return };
        let ending = match self.counting.take() {
            Some(counting) => Ending::Untold(counting.untold),
            None => {
                let watched = self.watch.end();
                record.ending(watched.facts, watched.delivered)
            }
        };
        record.abandon(ending);
    }
}
