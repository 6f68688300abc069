//! The one call at a provider's own address, as the breaker of its deployment sees it.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use gatewright_llm::Purpose;
use gatewright_routing::Vitals;
use gatewright_types::CredentialId;
use tokio::time::Instant;

use super::Record;
use crate::attempts::Underway;
use crate::gateway::Gateway;
use crate::native::Sighted;
use crate::patience::Patience;
use crate::refusal::Refusal;

#[derive(Debug)]
pub(super) struct Natively {
    underway: Underway,
    began: Instant,
    /// It asks for a number, which says little of answers.
    counts: bool,
    /// It said something already.
    answered: bool,
}

impl Natively {
    /// Of a call to a model that is known.
    pub(super) fn begin(
        gateway: &Gateway,
        sighted: &Sighted,
        credential: Option<CredentialId>,
        lease: Duration,
    ) -> Option<Self> {
        let now = Utc::now();
        let target = Arc::new(sighted.target.clone()?);
        let vitals = gateway.health().of(target.provider.id, &target.model, now);
        let counts = sighted.native.purpose == Some(Purpose::Count);
        let flight = match counts {
            true => vitals.fly(now),
            false => vitals.begin(lease, now.into()),
        };
        Some(Self {
            underway: Underway::new(gateway, target, credential, flight),
            began: Instant::now(),
            counts,
            answered: false,
        })
    }

    pub(super) const fn vitals(&self) -> &Arc<Vitals> {
        self.underway.vitals()
    }

    /// There is an answer, or a stream says something: a second time says nothing new.
    pub(super) fn answered(&mut self) {
        if std::mem::replace(&mut self.answered, true) {
            return;
        }
        match self.counts {
            true => self.underway.reached(),
            false => self.underway.succeeded(self.began.elapsed()),
        }
    }

    fn failed(&mut self, refusal: &Refusal, patience: Patience) {
        match self.answered {
            true => self.underway.broke_off(),
            false => self.underway.failed(refusal, patience),
        }
    }
}

impl Record {
    /// The call at a provider's own address failed, or its answer broke off.
    pub(crate) fn failed_natively(&mut self, refusal: &Refusal, patience: Patience) {
        if let Some(natively) = &mut self.get_mut().natively {
            natively.failed(refusal, patience);
        }
    }
}
