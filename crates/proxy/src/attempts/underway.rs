//! A call under way, as the breaker of its deployment sees it.

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::{BreakerSubject, UpstreamTarget};
use gatewright_llm::Failure;
use gatewright_routing::{Flight, Outcome, Transition, Vitals};
use gatewright_types::CredentialId;
use gatewright_types::api::FailureClass;

use super::next::now;
use crate::gateway::Gateway;
use crate::patience::Patience;
use crate::refusal::Refusal;

/// What it is told counts once. Dropped when the call is over, or nobody wants its answer any more.
#[derive(Debug)]
pub(crate) struct Underway {
    gateway: Gateway,
    target: Arc<UpstreamTarget>,
    credential: Option<CredentialId>,
    flight: Flight,
}

impl Underway {
    pub(crate) fn new(
        gateway: &Gateway,
        target: Arc<UpstreamTarget>,
        credential: Option<CredentialId>,
        flight: Flight,
    ) -> Self {
        Self {
            credential,
            gateway: gateway.clone(),
            target,
            flight,
        }
    }

    pub(crate) const fn vitals(&self) -> &Arc<Vitals> {
        self.flight.vitals()
    }

    /// There is an answer, or a stream says something.
    pub(crate) fn succeeded(&mut self, first_token: Duration) {
        if let Some(credential) = self.credential {
            self.gateway.health().resting().succeeded(credential);
        }
        self.ended(Outcome::Succeeded { first_token });
    }

    /// Its provider answered something that is no request's answer.
    pub(crate) fn reached(&mut self) {
        if let Some(credential) = self.credential {
            self.gateway.health().resting().succeeded(credential);
        }
        self.ended(Outcome::Reached);
    }

    pub(crate) fn failed(&mut self, refusal: &Refusal, patience: Patience) {
        match refusal {
            // A caller who does not wait for as long as the provider may take says nothing of the provider.
            Refusal::Upstream(upstream) if upstream.failure.status.is_some() || !patience.is_callers() => {
                self.failed_with(&upstream.failure);
            }
            _ => self.ended(Outcome::Untold),
        }
    }

    fn failed_with(&mut self, failure: &Failure) {
        let outcome = match failure.class() {
            Some(FailureClass::Error | FailureClass::RateLimit | FailureClass::Timeout) => Outcome::Failed,
            Some(FailureClass::ContextLength | FailureClass::ContentPolicy | FailureClass::Guardrail) | None => {
                Outcome::Untold
            }
        };
        self.ended(outcome);
    }

    /// A stream that had begun broke.
    pub(crate) fn broke_off(&mut self) {
        let transition = self.flight.broke_off(&self.target.provider.settings.breaker, now());
        self.tell(transition);
    }

    fn ended(&mut self, outcome: Outcome) {
        let transition = self
            .flight
            .ended(outcome, &self.target.provider.settings.breaker, now());
        self.tell(transition);
    }

    fn tell(&self, transition: Option<Transition>) {
        let Some(transition) = transition else { return };
        let (provider, model) = (self.target.provider.name.as_str(), self.target.model.as_str());
        let subject = BreakerSubject::Deployment {
            provider: self.target.provider.id,
            model: self.target.model.clone(),
        };
        self.gateway.parts.upstream.news().tell(transition.told(subject));
        let metrics = &self.gateway.parts.metrics;
        match transition {
            Transition::Opened(opened) => {
                metrics.breaker_opened();
                tracing::warn!(
                    upstream.provider = provider,
                    upstream.model = model,
                    open_ms = u64::try_from(opened.until.since(now()).as_millis()).unwrap_or(u64::MAX),
                    "calls to a model at a provider fail too often: it is left alone for a while"
                );
            }
            Transition::Closed => {
                metrics.breaker_closed();
                tracing::info!(
                    upstream.provider = provider,
                    upstream.model = model,
                    "a model at a provider answers again"
                );
            }
        }
    }
}
