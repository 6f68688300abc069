//! A stream to the caller of which nothing is known yet: it is kept alive while providers are called, one after the other
//! if need be. What comes of that takes its place.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gatewright_llm::dialect::inbound;
use gatewright_llm::{Flow, UsageChunk};
use gatewright_types::api::Dialect;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::attempts::{Streaming, Won};
use crate::cache::Collecting;
use crate::call::{Calling, failure_of, refused};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::relay::{BLANK, KEEPALIVE, Relay, cost_comment};
use crate::reply::facts_comment;

/// The body of a streamed reply.
pub(crate) enum Streamed {
    Waiting(Box<Waiting>),
    Relaying(Box<Relay>),
    Over,
}

pub(crate) struct Waiting {
    calling: Calling,
    told: HowTold,
    /// What the cache is to have of it.
    collecting: Option<Collecting>,
    keepalive: Duration,
    timer: Pin<Box<Sleep>>,
    /// The first keepalive is due when the caller's stream begins.
    due: bool,
}

/// How a caller is told of a failure before anything else was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HowTold {
    pub(crate) dialect: Dialect,
    /// The stream is one JSON array.
    pub(crate) as_array: bool,
    pub(crate) comments: bool,
}

enum Next {
    Keepalive(Bytes),
    Streaming(Box<Streaming>, Record),
    Failed(Bytes),
}

impl Streamed {
    /// The next piece for the caller; `None` at the end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let waiting = match self {
                Self::Relaying(relay) => return relay.poll_next(cx),
                Self::Over => return Poll::Ready(None),
                Self::Waiting(waiting) => waiting,
            };
            match std::task::ready!(waiting.poll_next(cx)) {
                Next::Keepalive(bytes) => return Poll::Ready(Some(bytes)),
                Next::Streaming(streaming, mut record) => {
                    record.hold_overhead();
                    let unsaid = facts_comment(&record.facts(), streaming.telling.dropped());
                    let collecting = waiting.collecting.take();
                    let relay = Relay::new(*streaming, collecting, record, waiting.keepalive, unsaid);
                    *self = Self::Relaying(Box::new(relay));
                }
                Next::Failed(bytes) => {
                    *self = Self::Over;
                    return Poll::Ready(Some(bytes));
                }
            }
        }
    }
}

impl Waiting {
    pub(crate) fn new(calling: Calling, told: HowTold, collecting: Option<Collecting>, keepalive: Duration) -> Self {
        Self {
            calling,
            told,
            collecting,
            keepalive,
            timer: Box::pin(sleep_until(Instant::now() + keepalive)),
            due: true,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if let Poll::Ready((record, won)) = self.calling.as_mut().poll(cx) {
            let refusal = match won {
                Ok(Won::Streaming(streaming)) => return Poll::Ready(Next::Streaming(streaming, record)),
                Ok(Won::Whole(_)) => refused(failure_of(
                    gatewright_llm::FailureKind::Malformed,
                    "the provider did not stream".to_owned(),
                )),
                Err(refusal) => refusal,
            };
            return Poll::Ready(Next::Failed(self.told.failure(&refusal, record)));
        }
        if !std::mem::take(&mut self.due) {
            std::task::ready!(self.timer.as_mut().poll(cx));
            self.timer.as_mut().reset(Instant::now() + self.keepalive);
        }
        Poll::Ready(Next::Keepalive(if self.told.comments { KEEPALIVE } else { BLANK }))
    }
}

impl HowTold {
    /// The last bytes of the stream. The request is metered before they leave.
    fn failure(self, refusal: &Refusal, mut record: Record) -> Bytes {
        let event = refusal.tell(record.id(), |facts| match self.as_array {
            true => [b"[", &*inbound(self.dialect).write_error(facts), b"]"].concat().into(),
            false => Flow::passed(self.dialect, UsageChunk::Keep).failure(facts),
        });
        let unsaid = facts_comment(&record.facts(), None);
        let metered = record.refuse(refusal);
        if !self.comments {
            return event;
        }
        let comments = unsaid + &cost_comment(metered.cost);
        [comments.as_bytes(), &event].concat().into()
    }
}
