//! Stage 4: calls the provider, or several one after the other. Gives an answer in one piece, metered from what it says,
//! or a stream that has begun.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gatewright_llm::{Failure, FailureKind, Request};
use tokio::time::{Instant, timeout_at};

use crate::attempts::{Attempts, First, Streaming, Won};
use crate::gateway::Gateway;
use crate::record::{Record, Used};
use crate::refusal::Refusal;
use crate::responses::Kept;
use crate::route::Plan;
use crate::speech::Telling;
use crate::told::Told;

/// What came of a call.
pub(crate) enum Answer {
    Whole {
        status: u16,
        body: Bytes,
        used: Used,
        telling: Telling,
        kept: Kept,
    },
    /// The record goes with it.
    Stream(Begun),
}

/// A stream to the caller that may begin.
pub(crate) enum Begun {
    /// The provider says something.
    Streaming(Box<Streaming>, Record),
    /// Nothing that matters came so far; the caller's stream begins with keepalives meanwhile.
    Waiting(First, Calling),
}

/// Calls that go on behind a stream to the caller. They give the record back, whatever comes of them.
pub(crate) type Calling = Pin<Box<dyn Future<Output = (Record, Result<Won, Refusal>)> + Send>>;

pub(crate) async fn call(
    gateway: &Gateway,
    plan: Plan,
    request: &Arc<Request>,
    told: Told,
    record: &mut Record,
) -> Result<Answer, Refusal> {
    let mut attempts = Attempts::new(gateway, plan, request.clone(), told)?;
    gateway
        .health()
        .budget(record.organization())
        .call(chrono::Utc::now().into());
    attempts.prepare(record).await?;
    if request.stream() {
        // Their own allocations, so that no request carries the room for all that others may need.
        return Box::pin(stream(gateway, attempts, record)).await;
    }
    match Box::pin(attempts.run(record)).await? {
        Won::Whole(whole) => whole.told(record).await,
        Won::Streaming(streaming) => Ok(Answer::Stream(Begun::Streaming(streaming, record.take()))),
    }
}

/// The provider is waited for as long as the caller's side may be silent; then the caller's stream begins.
async fn stream(gateway: &Gateway, mut attempts: Attempts, record: &mut Record) -> Result<Answer, Refusal> {
    let first = attempts.first(record);
    let mut own = record.take();
    let mut calling: Calling = Box::pin(async move {
        let won = attempts.run(&mut own).await;
        (own, won)
    });
    let silent = Instant::now() + gateway.parts.settings.keepalive;
    let Ok((own, won)) = timeout_at(silent, calling.as_mut()).await else {
        return Ok(Answer::Stream(Begun::Waiting(first, calling)));
    };
    *record = own;
    match won? {
        Won::Streaming(streaming) => Ok(Answer::Stream(Begun::Streaming(streaming, record.take()))),
        Won::Whole(whole) => whole.told(record).await,
    }
}

pub(crate) fn failure_of(kind: FailureKind, message: String) -> Failure {
    Failure {
        kind,
        status: None,
        message,
        code: None,
        retry_after: None,
        should_retry: None,
        used: None,
    }
}

pub(crate) fn refused(failure: Failure) -> Refusal {
    Refusal::Upstream(failure.into())
}
