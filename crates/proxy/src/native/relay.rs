//! Passes a provider's own bytes on as they come and puts none of ours between them. Polled by the connection itself:
//! when the caller hangs up it is dropped, and with it the connection to the provider. The record is finished before the
//! caller can know that the answer is over.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gatewright_llm::{Failure, NativeWatch, Watched};
use gatewright_types::api::Outcome;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::opening::Source;
use crate::patience::{Limit, Patience};
use crate::record::{End, Record, Used};
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
    active: Instant,
    started: Instant,
    timer: Pin<Box<Sleep>>,
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
            active: Instant::now(),
            started,
            timer: Box::pin(sleep_until(started)),
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
        loop {
            match self.source.poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) if bytes.is_empty() => continue,
                Poll::Ready(Some(Ok(bytes))) => {
                    self.see(&bytes);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Poll::Ready(Some(Err(failure))) => return Poll::Ready(Some(Err(self.break_off(failure)))),
                Poll::Ready(None) => {
                    self.complete();
                    return Poll::Ready(None);
                }
                Poll::Pending => {}
            }
            std::task::ready!(self.timer.as_mut().poll(cx));
            let (end, limit) = self.silence_limit();
            if Instant::now() >= end {
                return Poll::Ready(Some(Err(self.break_off(limit.exceeded()))));
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
            // The caller has read so itself.
            Some(failure) => self.end_badly(failure, &watched),
            None => self.finish(&End {
                outcome: Outcome::Complete,
                status: self.status,
                code: None,
                used: used(&watched),
            }),
        }
    }

    fn break_off(&mut self, failure: Failure) -> Broken {
        let watched = self.watch.end();
        self.end_badly(failure, &watched);
        Broken
    }

    fn end_badly(&mut self, failure: Failure, watched: &Watched) {
        let refusal = Refusal::Upstream(failure.into());
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
        self.finish(&End {
            outcome,
            status: refusal.status(),
            code: Some(refusal.code()),
            used: used(watched),
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
        let Some(mut record) = self.record.take() else { return };
        record.abandon(used(&self.watch.end()));
    }
}

fn used(watched: &Watched) -> Used {
    Used::of(watched.facts, watched.content_events)
}
