//! One call, made ready: the request in the target's words, a credential, and the breaker's leave.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use gatewright_contract::UpstreamTarget;
use gatewright_llm::{Endpoint, Request, Wanted};
use gatewright_routing::{Flight, Leg, Vitals};
use gatewright_types::api::{FailureClass, ShownModel};
use http::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use super::next::{Unready, now};
use super::{Attempts, Underway, Won, streaming, whole};
use crate::asking::{Asking, credential};
use crate::changed::changed;
use crate::gateway::Gateway;
use crate::limits::{self, Purchase, Question};
use crate::opening::Opening;
use crate::patience::Patience;
use crate::prompt_cache::Caching;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::responses::Keeper;
use crate::speech::{Marks, Prepared, Speech, Telling};
use crate::upstream::{Chosen, Fetched, Preference};

/// A call that can be made.
pub(super) struct Ready {
    pub(super) opening: Opening,
    pub(super) telling: Telling,
    pub(super) keeper: Option<Keeper>,
    pub(super) underway: Underway,
    pub(super) patience: Patience,
    /// Somebody stands in for it when the prompt is refused.
    pub(super) refusal_stood_in: bool,
}

impl Ready {
    pub(super) async fn make(self: Box<Self>, gateway: &Gateway, record: &mut Record) -> Result<Won, Refusal> {
        match self.opening.stream {
            true => streaming::begin(self, gateway, record)
                .await
                .map(|it| Won::Streaming(Box::new(it))),
            false => whole::answer(self, gateway, record)
                .await
                .map(|it| Won::Whole(Box::new(it))),
        }
    }
}

impl Attempts {
    pub(super) async fn get_ready(&mut self, record: &mut Record) -> Result<Box<Ready>, Unready> {
        let target = self.target().clone();
        let mut speech = self.speech(&target, record).await.map_err(Unready::Refused)?;
        let model = &self.plan.routed.model;
        if model.settings.shown_model == ShownModel::Requested {
            speech.telling.name(&model.name);
        }
        let patience = self.patience();
        let Some(flight) = self.take_off(&target, patience) else {
            return Err(Unready::Open);
        };
        let credential = self.credential(&target, record).await.map_err(Unready::Refused)?;
        let used = credential.as_ref().map(|chosen| chosen.id);
        record.flies(flight.vitals().clone());
        let underway = Underway::new(&self.gateway, target.clone(), used, flight);
        let Speech {
            endpoint,
            body,
            telling,
        } = speech;
        let same_dialect = !telling.tells_errors_anew();
        let asking = Asking {
            endpoint,
            body,
            stream: self.request.stream(),
            same_dialect,
            fault: self.plan.fault_at(&target),
            headers: self.headers(&target, endpoint, &telling),
        };
        let opening = asking.open(&self.gateway, target, credential, patience.connect, record);
        Ok(Box::new(Ready {
            keeper: Keeper::of(&self.gateway, &self.plan, &opening, record),
            opening,
            telling,
            underway,
            patience,
            refusal_stood_in: self.plan.routed.after(self.leg, FailureClass::ContentPolicy).is_some(),
        }))
    }

    /// The next one of which something is left.
    async fn credential(&mut self, target: &UpstreamTarget, record: &mut Record) -> Result<Option<Chosen>, Refusal> {
        loop {
            let upstream = &self.gateway.parts.upstream;
            let preference = Preference {
                before: self.plan.credential,
                tried: &self.tried,
                affinity: self.leg().affinity,
            };
            let chosen = credential(upstream, &target.provider, preference)?;
            let used = chosen.as_ref().map(|chosen| chosen.id);
            self.tried.extend(used);
            let asked = limits::Target {
                provider: &target.provider,
                model: Some(target),
                credential: used,
            };
            let purchase = Purchase {
                question: Question::Read(&self.request),
                targets: &[target],
                catalog: &self.gateway.catalog(),
                health: self.gateway.health(),
                now: record.began_at(),
            };
            match limits::meet_target(record.ticket(), asked, Some(purchase)).await {
                Err(Refusal::Over(_)) if used.is_some() && self.has_an_untried_credential() => {}
                met => return met.map(|()| chosen),
            }
        }
    }

    pub(super) fn target(&self) -> &Arc<UpstreamTarget> {
        &self.leg().target
    }

    fn leg(&self) -> &Leg {
        let legs = &self.plan.routed.legs;
        legs.get(self.leg).unwrap_or_else(|| legs.first())
    }

    /// What the caller tells the provider besides the body, and what the route adds.
    fn headers(
        &self,
        target: &UpstreamTarget,
        endpoint: Endpoint,
        telling: &Telling,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let same_dialect = !telling.tells_errors_anew();
        let mut headers = self.told.headers_for(endpoint, same_dialect, telling.betas());
        let added = target.changes.iter().flat_map(|changes| &changes.headers);
        // Both were checked to be what a header can carry.
        headers.extend(added.filter_map(|(name, value)| {
            Some((name.as_str().parse().ok()?, HeaderValue::from_str(value.as_str()).ok()?))
        }));
        headers
    }

    pub(super) fn patience(&self) -> Patience {
        Patience::with(
            &self.plan.routed.model.settings.timeouts,
            &self.target().provider.settings.timeouts,
            self.gateway.parts.settings.timeouts,
        )
        .capped(self.timeout)
    }

    pub(super) fn is_open(&self) -> bool {
        let target = self.target();
        let vitals = self.gateway.health().find(target.provider.id, &target.model);
        vitals.is_some_and(|vitals| vitals.is_open(now()))
    }

    fn take_off(&self, target: &Arc<UpstreamTarget>, patience: Patience) -> Option<Flight> {
        let now = now();
        let vitals = self.gateway.health().of(target.provider.id, &target.model, now);
        let lease = patience.beginning().length;
        match self.standby.called {
            true => Some(vitals.begin(lease, now)),
            false if self.awaits_probe(target, &vitals) => None,
            false => vitals.try_begin(lease, now),
        }
    }

    /// Whether the gateway finds out by itself whether the target works again.
    fn awaits_probe(&self, target: &UpstreamTarget, vitals: &Vitals) -> bool {
        let probe = target.provider.settings.probe.as_deref();
        probe.is_some_and(|probe| vitals.awaits_probe(probe.every.get(), now()))
    }

    async fn speech(&self, target: &UpstreamTarget, record: &mut Record) -> Result<Speech, Refusal> {
        let changed = changed(&self.request, target)?;
        let request: &Request = changed.as_ref().unwrap_or(&self.request);
        let caching = Caching::of(&self.plan.routed.model, target, record.organization());
        let asked = caching.and_then(|caching| caching.ask(request, target));
        let request = asked.as_ref().unwrap_or(request);
        let mut unwritten = match Speech::prepare(request, target, &self.told)? {
            Prepared::Ready(speech) => return Ok(speech),
            Prepared::Unwritten(unwritten) => unwritten,
        };
        let wanted = unwritten.wanted_files()?;
        if !wanted.is_empty() {
            let fetching: BoxFuture<'_, _> = Box::pin(self.fetch(&wanted, record));
            let files = fetching.await?;
            unwritten.put_files(|address| files.find(address))?;
        }
        let marks = Marks {
            request_id: record.id(),
            now: chrono::Utc::now(),
        };
        unwritten.cache(caching);
        unwritten.write(target, &self.gateway.catalog(), self.told.wishes, marks)
    }

    /// The files that the provider wants. The time is their hosts' and not ours.
    async fn fetch(&self, wanted: &[Wanted], record: &mut Record) -> Result<Fetched, Refusal> {
        let began = Instant::now();
        let parts = &self.gateway.parts;
        let limit_bytes = parts.settings.body_limit_bytes.saturating_sub(self.request.body_len());
        let fetched = parts
            .upstream
            .files()
            .fetch(record.organization(), wanted, limit_bytes)
            .await;
        record.waited(began.elapsed());
        fetched.map_err(Refusal::File)
    }
}
