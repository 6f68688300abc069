//! Stage 4: calls the provider. Gives an answer in one piece, metered from what it says, or a stream that has begun.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use gatewright_llm::{Failure, FailureKind, Request, Tokens};
use tokio::time::{Instant, timeout_at};

use crate::gateway::{Gateway, PhaseTimeouts};
use crate::opening::{Opened, Opening};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::responses::{Keeper, Kept};
use crate::route::Plan;
use crate::speech::{Marks, Speech, Telling};
use crate::told::Told;

/// What came of a call.
pub(crate) enum Answer {
    Whole {
        status: u16,
        body: Bytes,
        usage: Option<Tokens>,
        telling: Telling,
        kept: Kept,
    },
    Stream(Box<Begun>),
}

/// A stream to the caller that may begin.
pub(crate) struct Begun {
    pub(crate) state: Beginning,
    pub(crate) telling: Telling,
    pub(crate) keeper: Option<Keeper>,
    pub(crate) timeouts: PhaseTimeouts,
}

pub(crate) enum Beginning {
    /// The provider answered.
    Opened(Opened),
    /// The provider is silent so far; the caller's stream begins with keepalives meanwhile.
    Waiting(Pin<Box<dyn Future<Output = Result<Opened, Refusal>> + Send>>),
}

pub(crate) async fn call(
    gateway: &Gateway,
    plan: Plan,
    request: &Request,
    told: Told,
    record: &mut Record,
) -> Result<Answer, Refusal> {
    let timeouts = timeouts(&plan, gateway.parts.settings.timeouts);
    let (opening, telling) = opening(gateway, plan, request, told, timeouts.connect, record)?;
    if request.stream() {
        return stream(gateway, opening, telling, timeouts, record).await;
    }
    let keeper = Keeper::of(gateway, &opening);

    let began = Instant::now();
    let deadline = record.started() + timeouts.first_token.min(timeouts.total);
    let limit_bytes = gateway.parts.settings.answer_limit_bytes;
    let answered = timeout_at(deadline, async {
        let opened = opening.open().await?;
        let body = opened.source.collect(limit_bytes).await.map_err(refused)?;
        Ok((opened.status, body))
    })
    .await;
    record.waited(began.elapsed());
    let (status, body) = answered.unwrap_or_else(|_| Err(timed_out()))?;
    let (body, facts) = telling.whole(body).map_err(refused)?;
    let kept = match keeper {
        Some(keeper) => keeper.whole(&body).await,
        None => Kept::AsWished,
    };
    Ok(Answer::Whole {
        status,
        body,
        usage: facts.usage,
        telling,
        kept,
    })
}

async fn stream(
    gateway: &Gateway,
    opening: Opening,
    telling: Telling,
    timeouts: PhaseTimeouts,
    record: &mut Record,
) -> Result<Answer, Refusal> {
    let keeper = Keeper::of(gateway, &opening);
    let began = Instant::now();
    let patience = gateway.parts.settings.keepalive.min(timeouts.first_token);
    let mut waiting: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(opening.open());
    let opened = timeout_at(began + patience, waiting.as_mut()).await;
    record.waited(began.elapsed());
    let state = match opened {
        Ok(opened) => Beginning::Opened(opened?),
        Err(_) if timeouts.first_token <= patience => return Err(timed_out()),
        Err(_) => Beginning::Waiting(waiting),
    };
    Ok(Answer::Stream(Box::new(Begun {
        state,
        telling,
        keeper,
        timeouts,
    })))
}

fn opening(
    gateway: &Gateway,
    plan: Plan,
    request: &Request,
    told: Told,
    connect: Duration,
    record: &mut Record,
) -> Result<(Opening, Telling), Refusal> {
    let now = chrono::Utc::now();
    let target = plan.target();
    let output_limit = gateway
        .parts
        .catalog
        .lookup(target.provider.kind, target.model.as_str(), now)
        .and_then(|listed| listed.max_output)
        .map(u64::from);
    let marks = Marks {
        request_id: record.id(),
        created: now.timestamp(),
    };
    let Speech {
        endpoint,
        body,
        telling,
    } = Speech::prepare(request, target, output_limit, told.wishes, marks)?;
    let upstream = gateway.parts.upstream.clone();
    let credential = upstream.credentials().choose_again(&target.provider, plan.credential).map_err(|error| {
        tracing::error!(%error, upstream.provider = target.provider.name.as_str(), "a provider's credential cannot be used");
        refused(failure_of(FailureKind::Credential, error.to_string()))
    })?;
    record.attempt(credential.as_ref().map(|chosen| chosen.id));
    let traceparent = record.trace().call(target);
    let headers = told.headers_for(endpoint, !telling.is_translated());
    let opening = Opening {
        upstream,
        plan,
        endpoint,
        body,
        stream: request.stream(),
        same_dialect: !telling.is_translated(),
        headers,
        request_id: record.id(),
        credential,
        traceparent,
        connect,
        now,
    };
    Ok((opening, telling))
}

fn timeouts(plan: &Plan, usual: PhaseTimeouts) -> PhaseTimeouts {
    let own = &plan.model.timeouts;
    let pick = |own: Option<gatewright_types::HumanDuration>, usual| own.map_or(usual, |duration| duration.get());
    PhaseTimeouts {
        connect: pick(own.connect, usual.connect),
        first_token: pick(own.first_token, usual.first_token),
        between_tokens: pick(own.between_tokens, usual.between_tokens),
        total: pick(own.total, usual.total),
    }
}

pub(crate) fn failure_of(kind: FailureKind, message: String) -> Failure {
    Failure {
        kind,
        status: None,
        message,
        code: None,
        retry_after: None,
    }
}

fn timed_out() -> Refusal {
    refused(failure_of(
        FailureKind::Timeout,
        "the provider did not answer in time".to_owned(),
    ))
}

fn refused(failure: Failure) -> Refusal {
    Refusal::Upstream(failure.into())
}
