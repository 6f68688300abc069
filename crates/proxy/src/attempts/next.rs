//! What is done after a call failed: the same again with another credential, the same again after a pause, the next leg
//! of the plan, or nothing any more.

use std::time::Duration;

use gatewright_llm::dialect::Dropped;
use gatewright_llm::dialect::anthropic::betas;
use gatewright_llm::{Failure, FailureKind};
use gatewright_types::api::FailureClass;
use tokio::time::Instant;

use super::Attempts;
use super::pause::{pause, random};
use crate::record::Record;
use crate::refusal::Refusal;

/// Credentials of one leg that are tried for one request, at most.
const MOST_CREDENTIALS: usize = 4;

/// Legs that were passed over because their breakers are open.
#[derive(Debug, Default)]
pub(super) struct Standby {
    /// The first of them, for when nothing else is left.
    leg: Option<usize>,
    /// It is called whatever its breaker says.
    pub(super) called: bool,
}

/// Why a call could not be made ready.
#[derive(Debug)]
pub(super) enum Unready {
    /// Calls there fail too often at the moment.
    Open,
    /// The target cannot take the request, or not now.
    Refused(Refusal),
}

impl Attempts {
    /// What follows a call that failed: the pause before the next one, or the failure that the caller is told.
    pub(super) fn after(&mut self, refusal: Refusal, record: &mut Record) -> Result<Option<Duration>, Refusal> {
        let Refusal::Upstream(upstream) = &refusal else {
            return Err(refusal);
        };
        let failure = upstream.failure.clone();
        if self.leaves_out_betas(&failure)? {
            self.gateway.parts.metrics.retried();
            return Ok(None);
        }
        let Some(class) = failure.class() else {
            // The caller's own mistake is one everywhere.
            return Err(refusal);
        };
        self.keep_most_telling(refusal);
        let left = self.time_left(record);
        if left.is_zero() {
            return Err(self.told());
        }
        if self.has_another_credential(&failure) {
            self.gateway.parts.metrics.retried();
            return Ok(None);
        }
        if let Some(pause) = self.retry(&failure, class).filter(|pause| *pause < left)
            && self.may_retry(record)
        {
            self.retried += 1;
            self.gateway.parts.metrics.retried();
            return Ok(Some(pause));
        }
        self.next_leg(class)?;
        self.gateway.parts.metrics.failed_over();
        Ok(None)
    }

    /// Goes past a leg that was not called.
    pub(super) fn pass_over(&mut self, unready: Unready, record: &mut Record) -> Result<(), Refusal> {
        match unready {
            Unready::Open => match self.plan.routed.after(self.leg, FailureClass::Error) {
                Some(next) => {
                    self.standby.leg.get_or_insert(self.leg);
                    self.go_to(next);
                }
                None => self.standby.called = true,
            },
            Unready::Refused(refusal) => {
                let class = match &refusal {
                    Refusal::Upstream(upstream) => upstream.failure.class(),
                    // Others may have something left.
                    Refusal::Over(_) => Some(FailureClass::RateLimit),
                    _ => Some(FailureClass::Error),
                };
                record.notes().passed_over(&self.target().name(), refusal.message());
                self.keep_most_telling(refusal);
                self.next_leg(class.unwrap_or(FailureClass::Error))?;
            }
        }
        Ok(())
    }

    fn next_leg(&mut self, class: FailureClass) -> Result<(), Refusal> {
        if let Some(next) = self.plan.routed.after(self.leg, class) {
            self.go_to(next);
            return Ok(());
        }
        let Some(leg) = self.standby.leg.take() else {
            return Err(self.told());
        };
        self.go_to(leg);
        self.standby.called = true;
        Ok(())
    }

    fn go_to(&mut self, leg: usize) {
        self.leg = leg;
        self.retried = 0;
        self.tried.clear();
        self.standby.called = false;
        self.told.refused_betas = Dropped::default();
    }

    /// Whether the same is asked again, without beta features that were refused: once at each leg.
    fn leaves_out_betas(&mut self, failure: &Failure) -> Result<bool, Refusal> {
        if !self.told.refused_betas.is_empty() || failure.kind != FailureKind::BadRequest {
            return Ok(false);
        }
        let refused = betas::refused(&failure.message, self.told.betas());
        self.told.wishes.allow(&refused)?;
        self.told.refused_betas = refused;
        Ok(!self.told.refused_betas.is_empty())
    }

    /// Another credential is tried at once: it has a limit of its own.
    fn has_another_credential(&self, failure: &Failure) -> bool {
        failure.is_about_credential() && self.has_an_untried_credential()
    }

    pub(super) fn has_an_untried_credential(&self) -> bool {
        let credentials = self.gateway.parts.upstream.credentials();
        self.plan.credential.is_none()
            && self.tried.len() < MOST_CREDENTIALS
            && credentials.has_another(&self.target().provider, &self.tried)
    }

    /// How long to wait before the same call is made again; `None` when it is not.
    fn retry(&self, failure: &Failure, class: FailureClass) -> Option<Duration> {
        let retries = &self.plan.routed.model.settings.retries;
        let wanted = match failure.should_retry {
            Some(told) => told,
            // The same credential and the same name fail again.
            None => {
                retries.on.contains(&class) && !matches!(failure.kind, FailureKind::Credential | FailureKind::NotFound)
            }
        };
        if !wanted || self.retried >= retries.attempts || self.is_open() {
            return None;
        }
        pause(retries, self.retried, failure, random())
    }

    fn may_retry(&self, record: &Record) -> bool {
        let percent = self.plan.routed.model.settings.retries.budget;
        self.gateway
            .health()
            .budget(record.organization())
            .take_retry(percent, now())
    }

    /// Until all of it has to be over.
    fn time_left(&self, record: &Record) -> Duration {
        let end = record.started() + self.patience().total.length;
        end.saturating_duration_since(Instant::now())
    }

    /// What may pass tells more than what stays as it is, for a later try may succeed; of two that tell as much, it is
    /// the first: of the target that the request was meant for.
    fn keep_most_telling(&mut self, refusal: Refusal) {
        let rank = |refusal: &Refusal| match refusal {
            Refusal::Upstream(upstream) => match upstream.failure.class() {
                Some(FailureClass::RateLimit) => 3,
                Some(FailureClass::Timeout | FailureClass::Error) => 2,
                Some(FailureClass::ContextLength | FailureClass::ContentPolicy | FailureClass::Guardrail) | None => 1,
            },
            Refusal::Over(_) => 1,
            _ => 0,
        };
        if self.failed.as_ref().is_none_or(|kept| rank(&refusal) > rank(kept)) {
            self.failed = Some(refusal);
        }
    }

    fn told(&mut self) -> Refusal {
        self.failed.take().unwrap_or(Refusal::Overloaded)
    }
}

pub(super) fn now() -> gatewright_routing::Moment {
    chrono::Utc::now().into()
}
