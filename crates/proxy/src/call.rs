//! Stage 4: calls the provider. Gives an answer in one piece, metered from what it says, or a stream that has begun.

use std::pin::Pin;

use bytes::Bytes;
use gatewright_contract::Provider;
use gatewright_llm::{Endpoint, Failure, FailureKind, Request, Segments, Wanted, delivered};
use gatewright_types::CredentialId;
use http::header::{HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};

use crate::gateway::Gateway;
use crate::opening::{Opened, Opening};
use crate::patience::{Limit, Patience};
use crate::prompt_cache::Caching;
use crate::record::{Record, Used};
use crate::refusal::Refusal;
use crate::responses::{Keeper, Kept};
use crate::route::Plan;
use crate::sharing;
use crate::speech::{Marks, Prepared, Speech, Telling};
use crate::told::Told;
use crate::upstream::{Chosen, Fetched, Upstream};

/// What came of a call.
pub(crate) enum Answer {
    Whole {
        status: u16,
        body: Bytes,
        used: Used,
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
    pub(crate) patience: Patience,
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
    let patience = patience(gateway, &plan);
    let (opening, mut telling) = opening(gateway, plan, request, told, patience.connect, record).await?;
    if request.stream() {
        return stream(gateway, opening, telling, patience, record).await;
    }
    let keeper = Keeper::of(gateway, &opening, record);

    let further = telling.take_further();
    let (status, told, others) = if further.is_empty() {
        let (status, body) = whole(gateway, opening, patience, record).await?;
        (status, body, Vec::new())
    } else {
        Box::pin(sharing::all(gateway, opening, further, patience, record)).await?
    };
    let (mut body, facts) = telling.whole(told.clone(), &others, None).map_err(refused)?;
    let used = match facts.usage {
        Some(tokens) => Used::Told(tokens, facts.terms),
        None if keeper.as_ref().is_some_and(Keeper::bills_later) => Used::Nothing,
        None => {
            let untold = record.untold(delivered(record.dialect(), &body), facts.terms);
            let tokens = record.ask(&untold).await.unwrap_or_default();
            // Some answers say what was used, whoever counted it.
            (body, _) = telling.whole(told, &others, Some(tokens)).map_err(refused)?;
            Used::Counted(tokens, facts.terms)
        }
    };
    let kept = match keeper {
        Some(mut keeper) => {
            if facts.usage.is_some() {
                keeper.billed();
            }
            keeper.whole(&body).await
        }
        None => Kept::AsWished,
    };
    Ok(Answer::Whole {
        status,
        body,
        used,
        telling,
        kept,
    })
}

/// Status and body of an answer in one piece.
pub(crate) async fn whole(
    gateway: &Gateway,
    opening: Opening,
    patience: Patience,
    record: &mut Record,
) -> Result<(u16, Bytes), Refusal> {
    let began = Instant::now();
    let limit = patience.beginning();
    let deadline = record.started() + limit.length;
    let limit_bytes = gateway.parts.settings.answer_limit_bytes;
    let answered = timeout_at(deadline, async {
        let opened = opening.open().await?;
        let body = opened.source.collect(limit_bytes).await.map_err(refused)?;
        Ok((opened.status, opened.served, body))
    })
    .await;
    record.waited(began.elapsed());
    let (status, served, body) = answered.unwrap_or_else(|_| Err(refused(limit.exceeded())))?;
    record.served(served);
    Ok((status, body))
}

async fn stream(
    gateway: &Gateway,
    opening: Opening,
    telling: Telling,
    patience: Patience,
    record: &mut Record,
) -> Result<Answer, Refusal> {
    let keeper = Keeper::of(gateway, &opening, record);
    let began = Instant::now();
    let limit = patience.beginning();
    let silence = gateway.parts.settings.keepalive.min(limit.length);
    let mut waiting: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(opening.open());
    let opened = timeout_at(began + silence, waiting.as_mut()).await;
    record.waited(began.elapsed());
    let state = match opened {
        Ok(opened) => Beginning::Opened(opened?),
        Err(_) if limit.length <= silence => return Err(refused(limit.exceeded())),
        Err(_) => Beginning::Waiting(waiting),
    };
    Ok(Answer::Stream(Box::new(Begun {
        state,
        telling,
        keeper,
        patience,
    })))
}

async fn opening(
    gateway: &Gateway,
    plan: Plan,
    request: &Request,
    told: Told,
    connect: Limit,
    record: &mut Record,
) -> Result<(Opening, Telling), Refusal> {
    let target = plan.target();
    let caching = Caching::of(&plan.routed.model, target, record.organization());
    let asked = caching.and_then(|caching| caching.ask(request, target));
    let request = asked.as_ref().unwrap_or(request);
    let speech = match Speech::prepare(request, target, &told)? {
        Prepared::Ready(speech) => speech,
        Prepared::Unwritten(mut unwritten) => {
            let wanted = unwritten.wanted_files()?;
            if !wanted.is_empty() {
                let limit_bytes = gateway
                    .parts
                    .settings
                    .body_limit_bytes
                    .saturating_sub(request.body_len());
                let files = Box::pin(fetch(gateway, &wanted, limit_bytes, record)).await?;
                unwritten.put_files(|address| files.find(address))?;
            }
            let marks = Marks {
                request_id: record.id(),
                now: chrono::Utc::now(),
            };
            unwritten.cache(caching);
            unwritten.write(target, &gateway.catalog(), told.wishes, marks)?
        }
    };
    let Speech {
        endpoint,
        body,
        telling,
    } = speech;
    let same_dialect = !telling.tells_errors_anew();
    let asking = Asking {
        endpoint,
        body,
        stream: request.stream(),
        same_dialect,
        headers: told.headers_for(endpoint, same_dialect, telling.betas()),
    };
    let opening = asking.open(gateway, plan, connect, record)?;
    Ok((opening, telling))
}

/// The files that the provider wants. The time is their hosts' and not ours.
async fn fetch(
    gateway: &Gateway,
    wanted: &[Wanted],
    limit_bytes: usize,
    record: &mut Record,
) -> Result<Fetched, Refusal> {
    let began = Instant::now();
    let files = gateway.parts.upstream.files();
    let fetched = files.fetch(record.organization(), wanted, limit_bytes).await;
    record.waited(began.elapsed());
    fetched.map_err(Refusal::File)
}

/// What a provider is to be asked.
pub(crate) struct Asking {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Segments,
    pub(crate) stream: bool,
    pub(crate) same_dialect: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Asking {
    /// The call that asks it, with one of the provider's credentials.
    pub(crate) fn open(
        self,
        gateway: &Gateway,
        plan: Plan,
        connect: Limit,
        record: &mut Record,
    ) -> Result<Opening, Refusal> {
        let upstream = gateway.parts.upstream.clone();
        let target = plan.target();
        let credential = credential(&upstream, &target.provider, plan.credential)?;
        record.attempt(credential.as_ref().map(|chosen| chosen.id));
        let traceparent = record.trace().call(&target.provider, target.model.as_str());
        Ok(Opening {
            upstream,
            plan,
            endpoint: self.endpoint,
            body: self.body,
            stream: self.stream,
            same_dialect: self.same_dialect,
            headers: self.headers,
            request_id: record.id(),
            credential,
            traceparent,
            connect,
            now: chrono::Utc::now(),
        })
    }
}

/// The one that was used before, if it is still there, else the next in turn.
pub(crate) fn credential(
    upstream: &Upstream,
    provider: &Provider,
    before: Option<CredentialId>,
) -> Result<Option<Chosen>, Refusal> {
    upstream.credentials().choose_again(provider, before).map_err(|error| {
        tracing::error!(%error, upstream.provider = provider.name.as_str(), "a provider's credential cannot be used");
        refused(failure_of(FailureKind::Credential, error.to_string()))
    })
}

pub(crate) fn patience(gateway: &Gateway, plan: &Plan) -> Patience {
    let provider = &plan.target().provider.settings;
    Patience::with(
        &plan.routed.model.settings.timeouts,
        &provider.timeouts,
        gateway.parts.settings.timeouts,
    )
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

pub(crate) fn refused(failure: Failure) -> Refusal {
    Refusal::Upstream(failure.into())
}
