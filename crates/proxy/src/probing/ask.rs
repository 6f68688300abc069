//! One probe: a request for a few tokens, or for the list of the provider's models. What comes of it is noted like the
//! outcome of any call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use gatewright_contract::UpstreamTarget;
use gatewright_llm::{FailureKind, Request, dialect::PathFacts};
use gatewright_routing::Flight;
use gatewright_types::RequestId;
use gatewright_types::api::{Capability, Dialect, FailureClass, ProbeOutcome, ProviderKind};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::now;
use super::schedule::Probed;
use crate::asking::credential;
use crate::attempts::Underway;
use crate::call::{failure_of, refused};
use crate::gateway::Gateway;
use crate::opening::Opening;
use crate::patience::Patience;
use crate::refusal::Refusal;
use crate::speech::{Marks, Prepared, Speech};
use crate::told::Told;
use crate::upstream::{Chosen, Preference};

/// Enough for the word, and for vendors that refuse to give less.
const ANSWER_TOKENS: u32 = 16;
/// No probe waits for longer, whatever the provider's time limits are.
const LONGEST: Duration = Duration::from_secs(60);
const LONGEST_LISTING: Duration = Duration::from_secs(10);

impl Gateway {
    /// In place of a request, where the breaker was open for long enough.
    pub(super) async fn try_again(&self, target: &Arc<UpstreamTarget>) {
        let now = now();
        let vitals = self.health().of(target.provider.id, &target.model, now);
        if let Some(flight) = vitals.try_begin(LONGEST, now).filter(Flight::is_probe) {
            self.ask(target, flight).await;
        }
    }

    /// While the provider is idle, unless something is wrong with the model already.
    pub(super) async fn ask_idle(&self, target: &Arc<UpstreamTarget>) {
        let now = now();
        let vitals = self.health().of(target.provider.id, &target.model, now);
        if let Some(flight) = vitals.try_begin(LONGEST, now).filter(|flight| !flight.is_probe()) {
            self.ask(target, flight).await;
        }
    }

    async fn ask(&self, target: &Arc<UpstreamTarget>, flight: Flight) {
        let vitals = flight.vitals().clone();
        let chosen = match credential(&self.parts.upstream, &target.provider, Preference::default()) {
            Ok(chosen) => chosen,
            Err(refusal) => return vitals.note_probe(outcome_of(&refusal), now()),
        };
        let used = chosen.as_ref().map(|chosen| chosen.id);
        let mut underway = Underway::new(self, target.clone(), used, flight);
        let patience = self.patience_for(target);
        let began = Instant::now();
        let longest = patience.beginning().length.min(LONGEST);
        let answered = timeout(longest, self.answer(target, chosen, patience)).await;
        match answered.unwrap_or_else(|_| Err(too_late(longest))) {
            Ok(()) => {
                vitals.note_probe(ProbeOutcome::Answered, now());
                underway.succeeded(began.elapsed());
            }
            Err(refusal) => {
                let outcome = outcome_of(&refusal);
                vitals.note_probe(outcome, now());
                if outcome != ProbeOutcome::Unclear {
                    underway.failed(&refusal, patience);
                }
            }
        }
    }

    async fn answer(
        &self,
        target: &Arc<UpstreamTarget>,
        chosen: Option<Chosen>,
        patience: Patience,
    ) -> Result<(), Refusal> {
        let (now, id, told) = (Utc::now(), RequestId::mint(), Told::default());
        let catalog = self.catalog();
        let facts = target.facts(&catalog, now);
        let embeds = facts.is_some_and(|facts| {
            facts.capabilities.contains(Capability::Embeddings) && !facts.capabilities.contains(Capability::Chat)
        });
        let (dialect, body) = question(target, embeds);
        let request = Request::parse(dialect, body, PathFacts::default()).map_err(Refusal::BadRequest)?;
        let speech = match Speech::prepare(&request, target, &told)? {
            Prepared::Ready(speech) => speech,
            Prepared::Unwritten(unwritten) => {
                unwritten.write(target, &catalog, told.wishes, Marks { request_id: id, now })?
            }
        };
        let Speech {
            endpoint,
            body,
            telling,
        } = speech;
        let same_dialect = !telling.tells_errors_anew();
        let opening = Opening {
            upstream: self.parts.upstream.clone(),
            target: target.clone(),
            endpoint,
            body,
            stream: false,
            same_dialect,
            fault: None,
            headers: told.headers_for(endpoint, same_dialect, telling.betas()),
            request_id: id,
            credential: chosen,
            traceparent: None,
            connect: patience.connect,
            now,
        };
        let opened = opening.open().await?;
        let limit_bytes = self.parts.settings.answer_limit_bytes;
        let body = opened.source.collect(limit_bytes).await.map_err(refused)?;
        telling.whole(body, &[], None).map_err(refused)?;
        Ok(())
    }

    /// Tells of the provider, and so of each of its models of which nothing is known to be wrong.
    pub(super) async fn list(&self, probed: &Probed) {
        let closed: Vec<_> = probed.closed(self.health()).collect();
        let (Some(base_url), Some(first)) = (&probed.provider.base_url, closed.first()) else {
            return;
        };
        let upstream = &self.parts.upstream;
        let patience = self.patience_for(first);
        let chosen = credential(upstream, &probed.provider, Preference::default());
        let used = chosen.as_ref().ok().and_then(|chosen| Some(chosen.as_ref()?.id));
        let listed = match &chosen {
            Ok(chosen) => {
                let listing = upstream.ask_for_models(&probed.provider, base_url, chosen.as_ref(), patience.connect);
                let listed = timeout(LONGEST_LISTING, listing).await;
                listed.map_or_else(|_| Err(too_late(LONGEST_LISTING)), |listed| listed.map_err(refused))
            }
            Err(refusal) => Err(refusal.clone()),
        };
        if let (Err(Refusal::Upstream(told)), Some(used)) = (&listed, used) {
            upstream.credentials().failed(&probed.provider, used, &told.failure);
        }
        let outcome = listed.as_ref().map_or_else(outcome_of, |()| ProbeOutcome::Answered);
        if outcome != ProbeOutcome::Answered {
            let provider = probed.provider.name.as_str();
            tracing::warn!(
                upstream.provider = provider,
                outcome = outcome.as_str(),
                "a provider that nobody calls was probed and does not answer well"
            );
        }
        let now = now();
        for target in closed {
            let vitals = self.health().of(target.provider.id, &target.model, now);
            vitals.note_probe(outcome, now);
            let mut underway = Underway::new(self, target.clone(), used, vitals.fly(now));
            match &listed {
                Ok(()) => underway.reached(),
                Err(refusal) if outcome != ProbeOutcome::Unclear => underway.failed(refusal, patience),
                Err(_) => {}
            }
        }
    }

    fn patience_for(&self, target: &UpstreamTarget) -> Patience {
        Patience::natively(&target.provider.settings.timeouts, self.parts.settings.timeouts)
    }
}

/// The shortest request that an answer can be had to.
fn question(target: &UpstreamTarget, embeds: bool) -> (Dialect, Bytes) {
    let model = target.model.as_str();
    if embeds {
        let body = json!({"model": model, "input": "ok"});
        return (Dialect::OpenaiEmbeddings, body.to_string().into());
    }
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Reply with: ok"}]});
    // Models of OpenAI's that think take no other name for it.
    let limit = match target.provider.kind {
        ProviderKind::Openai | ProviderKind::Azure => "max_completion_tokens",
        _ => "max_tokens",
    };
    body[limit] = ANSWER_TOKENS.into();
    (Dialect::OpenaiChat, body.to_string().into())
}

fn outcome_of(refusal: &Refusal) -> ProbeOutcome {
    let Refusal::Upstream(upstream) = refusal else {
        return ProbeOutcome::Unclear;
    };
    match (upstream.failure.kind, upstream.failure.class()) {
        // The model may be one for something else.
        (FailureKind::NotFound, _) => ProbeOutcome::Unclear,
        (_, Some(FailureClass::Error)) => ProbeOutcome::Failed,
        (_, Some(FailureClass::RateLimit)) => ProbeOutcome::RateLimited,
        (_, Some(FailureClass::Timeout)) => ProbeOutcome::TimedOut,
        (_, Some(FailureClass::ContextLength | FailureClass::ContentPolicy | FailureClass::Guardrail) | None) => {
            ProbeOutcome::Unclear
        }
    }
}

fn too_late(limit: Duration) -> Refusal {
    let message = format!("a probe was not answered within {} seconds", limit.as_secs());
    refused(failure_of(FailureKind::Timeout, message))
}
