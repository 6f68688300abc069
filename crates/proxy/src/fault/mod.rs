//! Failures made on purpose where a route asks for them, or a caller who may (`wished`): the provider is not asked, or its answer is spoilt. They look
//! like what providers do, so that all that follows is what would follow.

mod wished;

use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::UpstreamTarget;
use gatewright_llm::{Failure, FailureKind, Step};
use gatewright_types::api::{Fault, FaultKind};

use crate::call::failure_of;
use crate::opening::{Opened, Source};
use crate::upstream::Player;
pub(crate) use wished::Wished;

/// Where the fault does not say how much later everything comes.
const SLOW: Duration = Duration::from_secs(1);

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// In place of what the provider would have answered.
    Answered(u16, &'static [u8]),
    Silence,
    Later(Duration),
    Cut,
}

/// A source that breaks behind its first piece, in the middle of the next: or of the first, where that is all.
#[derive(Debug)]
pub(crate) struct Cutting {
    source: Box<Source>,
    /// Held back until it is known whether more comes.
    held: Option<Bytes>,
    over: bool,
}

impl Mishap {
    /// What happens to a call of this target, as chance has it. What the caller wishes goes before what the route does.
    pub(crate) fn of(target: &UpstreamTarget, wished: Option<&Fault>, random: u64) -> Option<Self> {
        let of_route = || target.changes.as_ref()?.fault.as_ref();
        let fault = wished.or_else(of_route)?;
        (random % 100 < u64::from(fault.percent)).then(|| Self::made(fault))
    }

    fn made(fault: &Fault) -> Self {
        match fault.kind {
            FaultKind::RateLimit => Self::Answered(
                429,
                br#"{"error":{"message":"a fault of the route: too many requests","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#,
            ),
            FaultKind::Error => Self::Answered(
                500,
                br#"{"error":{"message":"a fault of the route: the server failed","type":"server_error","code":null}}"#,
            ),
            FaultKind::Malformed => Self::Answered(200, b"<html><title>a fault of the route</title></html>"),
            FaultKind::Stall => Self::Silence,
            FaultKind::Slow => Self::Later(fault.delay.map_or(SLOW, |delay| delay.get())),
            FaultKind::Cut => Self::Cut,
        }
    }

    /// The answer that comes instead of the provider's.
    pub(crate) fn answer(status: u16, body: &'static [u8]) -> Opened {
        Opened {
            status,
            served: None,
            source: Source::Sandbox(Player::new(vec![Step::Send(Bytes::from_static(body))])),
        }
    }
}

impl Cutting {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source: Box::new(source),
            held: None,
            over: false,
        }
    }

    pub(crate) fn poll_next(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes, Failure>>> {
        use std::task::Poll;
        if self.over {
            let message = "a fault of the route: the connection broke".to_owned();
            return Poll::Ready(Some(Err(failure_of(FailureKind::Connection, message))));
        }
        loop {
            let next = std::task::ready!(self.source.poll_next(cx));
            let Some(Ok(piece)) = next else {
                // All came in one piece.
                self.over = true;
                let half = self.held.take().map(|held| held.slice(..held.len() / 2));
                return Poll::Ready(Some(Ok(half.unwrap_or_default())));
            };
            match self.held.replace(piece) {
                None => {}
                Some(first) => {
                    self.over = true;
                    return Poll::Ready(Some(Ok(first)));
                }
            }
        }
    }
}
