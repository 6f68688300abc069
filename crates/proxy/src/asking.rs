//! What a provider is to be asked, and one call that asks it and gets an answer in one piece.

use std::sync::Arc;

use bytes::Bytes;
use gatewright_contract::{Provider, UpstreamTarget};
use gatewright_llm::{Endpoint, FailureKind, Segments};
use gatewright_types::api::Fault;
use http::header::{HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};

use crate::call::{failure_of, refused};
use crate::gateway::Gateway;
use crate::opening::Opening;
use crate::patience::{Limit, Patience};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::upstream::{Chosen, Preference, Upstream};

/// What a provider is to be asked.
pub(crate) struct Asking {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Segments,
    pub(crate) stream: bool,
    pub(crate) same_dialect: bool,
    /// What the caller wants to go wrong.
    pub(crate) fault: Option<Fault>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Asking {
    /// The call that asks it.
    pub(crate) fn open(
        self,
        gateway: &Gateway,
        target: Arc<UpstreamTarget>,
        credential: Option<Chosen>,
        connect: Limit,
        record: &mut Record,
    ) -> Opening {
        record.attempt(&target, credential.as_ref().map(|chosen| chosen.id));
        let traceparent = record.trace().call(&target.provider, target.model.as_str());
        Opening {
            upstream: gateway.parts.upstream.clone(),
            target,
            endpoint: self.endpoint,
            body: self.body,
            stream: self.stream,
            same_dialect: self.same_dialect,
            fault: self.fault,
            headers: self.headers,
            request_id: record.id(),
            credential,
            traceparent,
            connect,
            now: chrono::Utc::now(),
        }
    }
}

pub(crate) fn credential(
    upstream: &Upstream,
    provider: &Provider,
    preference: Preference<'_>,
) -> Result<Option<Chosen>, Refusal> {
    let chosen = upstream.credentials().choose(provider, preference);
    chosen.map_err(|error| {
        tracing::error!(%error, upstream.provider = provider.name.as_str(), "a provider's credential cannot be used");
        refused(failure_of(FailureKind::Credential, error.to_string()))
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
    let (deadline, limit) = patience.deadline(record.started(), began);
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
