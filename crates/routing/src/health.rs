//! What a node learns of deployments while it calls them. A deployment is a provider's model, whichever models of the
//! organization lead there. Reading and noting takes no lock; only a deployment that was never called before does.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use chrono::{DateTime, Utc};
use gatewright_types::{ProviderId, UpstreamModel};

use crate::habits::Habits;
use crate::latency::Latency;
use crate::minute::Minute;

type Deployments = HashMap<ProviderId, HashMap<UpstreamModel, Arc<Vitals>>>;

/// The vitals of all deployments that were called. Cheap to clone; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Health {
    deployments: Arc<ArcSwap<Deployments>>,
}

/// What was there at one moment, to look up many.
#[derive(Debug)]
pub(crate) struct Look(Guard<Arc<Deployments>>);

/// How a deployment does.
#[derive(Debug, Default)]
pub struct Vitals {
    in_flight: AtomicU32,
    latency: Latency,
    tokens: Minute,
    habits: Habits,
    /// In milliseconds since 1970.
    open_until: AtomicI64,
}

/// A request under way, until it is dropped.
#[derive(Debug)]
pub struct Flight {
    vitals: Arc<Vitals>,
}

impl Health {
    /// The vitals of a deployment, which begin here if there are none yet.
    pub fn of(&self, provider: ProviderId, model: &UpstreamModel) -> Arc<Vitals> {
        if let Some(vitals) = self.find(provider, model) {
            return vitals;
        }
        let new = Arc::<Vitals>::default();
        self.deployments.rcu(|deployments| {
            let mut deployments = Deployments::clone(deployments);
            let models = deployments.entry(provider).or_default();
            models.entry(model.clone()).or_insert_with(|| new.clone());
            deployments
        });
        self.find(provider, model).unwrap_or(new)
    }

    pub fn find(&self, provider: ProviderId, model: &UpstreamModel) -> Option<Arc<Vitals>> {
        self.deployments.load().get(&provider)?.get(model).cloned()
    }

    pub(crate) fn look(&self) -> Look {
        Look(self.deployments.load())
    }
}

impl Look {
    pub(crate) fn find(&self, provider: ProviderId, model: &UpstreamModel) -> Option<&Vitals> {
        let vitals = self.0.get(&provider)?.get(model)?;
        Some(vitals)
    }

    /// The models of a provider that were called.
    pub(crate) fn models(&self, provider: ProviderId) -> impl Iterator<Item = &UpstreamModel> {
        self.0.get(&provider).into_iter().flat_map(HashMap::keys)
    }
}

impl Vitals {
    /// A request begins.
    pub fn begin(self: Arc<Self>) -> Flight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Flight { vitals: self }
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The time to the first token, in microseconds, as it is expected; `None` before the first call.
    pub fn latency_micros(&self, now: DateTime<Utc>) -> Option<u32> {
        self.latency.micros(now)
    }

    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    pub fn tokens_within_a_minute(&self, now: DateTime<Utc>) -> u64 {
        self.tokens.sum(now)
    }

    /// It gets no requests until then, as long as there are others.
    pub fn open(&self, until: DateTime<Utc>) {
        self.open_until.store(until.timestamp_millis(), Ordering::Relaxed);
    }

    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        now.timestamp_millis() < self.open_until.load(Ordering::Relaxed)
    }
}

impl Flight {
    pub fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    pub fn first_token(&self, took: Duration, now: DateTime<Utc>) {
        self.vitals.latency.note(took, now);
    }

    /// Tokens of the request and its answer.
    pub fn used(&self, tokens: u64, now: DateTime<Utc>) {
        self.vitals.tokens.add(tokens, now);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.vitals.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
