//! A call whose answer comes as a stream: it succeeded when the stream says something. Until then nothing of it is passed
//! on, so that another call can take its place.

use bytes::{Bytes, BytesMut};
use gatewright_llm::{Ended, Failure, FailureKind, Flow, unexpected};
use tokio::time::{Instant, timeout_at};

use super::Underway;
use super::ready::Ready;
use crate::call::{failure_of, refused};
use crate::gateway::Gateway;
use crate::opening::{Opened, Source};
use crate::patience::Patience;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::responses::Passing;
use crate::speech::Telling;

/// A stream that says something.
pub(crate) struct Streaming {
    pub(crate) source: Source,
    pub(crate) flow: Flow,
    pub(crate) passing: Passing,
    /// What came so far, for the caller.
    pub(crate) held: Option<Bytes>,
    /// It is over already.
    pub(crate) ended: Option<Ended>,
    pub(crate) telling: Telling,
    pub(crate) underway: Underway,
    pub(crate) patience: Patience,
}

/// The beginning of a stream.
struct Begun {
    held: Option<Bytes>,
    ended: Option<Ended>,
}

pub(super) async fn begin(ready: Box<Ready>, gateway: &Gateway, record: &mut Record) -> Result<Streaming, Refusal> {
    let Ready {
        opening,
        telling,
        keeper,
        mut underway,
        patience,
        refusal_stood_in,
    } = *ready;
    let began = Instant::now();
    let (deadline, limit) = patience.deadline(record.started(), began);
    let limit_bytes = gateway.parts.settings.answer_limit_bytes;
    let mut flow = telling.flow();
    let mut passing = Passing::of(keeper, &mut flow);
    let begun = timeout_at(deadline, async {
        let Opened { served, mut source, .. } = opening.open().await?;
        let begun = hear(&mut source, &mut flow, &mut passing, limit_bytes)
            .await
            .map_err(refused)?;
        match flow.is_blocked() && refusal_stood_in {
            true => Err(refused(Failure::blocked(None))),
            false => Ok((served, source, begun)),
        }
    })
    .await;
    record.waited(began.elapsed());
    match begun.unwrap_or_else(|_| Err(refused(limit.exceeded()))) {
        Ok((served, source, begun)) => {
            underway.succeeded(began.elapsed());
            record.served(served);
            record.first_token();
            let Begun { held, ended } = begun;
            Ok(Streaming {
                source,
                flow,
                passing,
                held,
                ended,
                telling,
                underway,
                patience,
            })
        }
        Err(refusal) => {
            let refusal = refusal.having_used(flow.used());
            underway.failed(&refusal, patience);
            Err(refusal)
        }
    }
}

/// Reads until something is said.
async fn hear(
    source: &mut Source,
    flow: &mut Flow,
    passing: &mut Passing,
    limit_bytes: usize,
) -> Result<Begun, Failure> {
    let mut held: Option<Bytes> = None;
    let mut heard = false;
    loop {
        let Some(piece) = source.next().await else { break };
        let piece = piece?;
        if !std::mem::replace(&mut heard, true) && is_no_stream(&piece) {
            return Err(unexpected(&source.rest(piece, limit_bytes).await?));
        }
        let seen = flow.push(piece);
        passing.look(flow);
        if let Some(failure) = seen.failed {
            return Err(failure);
        }
        held = joined(held, seen.out);
        if seen.first_content {
            return Ok(Begun { held, ended: None });
        }
        if flow.is_whole() {
            break;
        }
        if held.as_ref().is_some_and(|held| held.len() > limit_bytes) {
            let message = format!("the stream says nothing in {limit_bytes} bytes");
            return Err(failure_of(FailureKind::Malformed, message));
        }
    }
    let mut ended = flow.end();
    if let Some(failure) = ended.failed {
        return Err(failure);
    }
    let held = joined(held, ended.out.take());
    if ended.content_events == 0 && !ended.finish_seen {
        let message = "the stream ended before it said anything".to_owned();
        return Err(failure_of(FailureKind::Malformed, message));
    }
    Ok(Begun {
        held,
        ended: Some(ended),
    })
}

/// What some servers send in place of a stream: an object that tells an error, or a page.
fn is_no_stream(piece: &[u8]) -> bool {
    matches!(piece.trim_ascii_start().first(), Some(b'{' | b'<'))
}

fn joined(before: Option<Bytes>, after: Option<Bytes>) -> Option<Bytes> {
    let (Some(one), Some(other)) = (&before, &after) else {
        return before.or(after);
    };
    let mut both = BytesMut::with_capacity(one.len() + other.len());
    both.extend_from_slice(one);
    both.extend_from_slice(other);
    Some(both.freeze())
}
