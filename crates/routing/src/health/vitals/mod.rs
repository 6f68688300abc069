//! What is known of one deployment, a model at a provider, from the calls this node makes there. All of it is written and
//! read without a lock.

mod flight;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{BreakerChange, BreakerSubject};
use gatewright_types::api::{BreakerSettings, ProbeOutcome};

use super::Moment;
use super::breaker::{Admission, Breaker, Opened, Standing};
use super::latency::Latency;
use super::probed::Probed;
use super::ring::Ring;
use crate::habits::Habits;

pub use flight::{Flight, Outcome};

const OUTCOME_BUCKETS: u8 = 10;
/// Within an outcome bucket: failures above all outcomes.
const COUNT_BITS: u32 = 18;
const COUNT: u64 = (1 << COUNT_BITS) - 1;

const TOKEN_BUCKETS: usize = 12;
const TOKEN_PERIOD: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct Vitals {
    in_flight: AtomicU32,
    first_token: Latency,
    tokens: Ring<TOKEN_BUCKETS>,
    outcomes: Ring<{ OUTCOME_BUCKETS as usize }>,
    habits: Habits,
    /// How long each bucket of outcomes is, as the provider's settings had it last.
    bucket_ms: AtomicU64,
    breaker: Breaker,
    /// When the breaker opened or closed last, zero for never.
    changed: AtomicU64,
    /// When it was called last.
    used: AtomicU64,
    /// When a request was answered last, zero for never.
    answered: AtomicU64,
    probed: Probed,
}

/// What an outcome did to the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    Opened(Opened),
    Closed,
}

/// Outcomes within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub requests: u32,
    pub failures: u32,
}

impl Transition {
    /// As another node or a person told it.
    pub(super) fn of(change: &BreakerChange) -> Self {
        match change.until_ms {
            Some(until) => Self::Opened(Opened {
                until: Moment::from_millis(until),
                times: change.times,
            }),
            None => Self::Closed,
        }
    }

    /// What other nodes are told of it.
    pub fn told(self, subject: BreakerSubject) -> BreakerChange {
        match self {
            Self::Opened(opened) => BreakerChange {
                from: None,
                subject,
                until_ms: Some(opened.until.millis()),
                times: opened.times,
            },
            Self::Closed => BreakerChange::closed(subject),
        }
    }
}

impl Vitals {
    pub(super) fn begun(now: Moment) -> Self {
        let vitals = Self::default();
        vitals.used.store(now.0, Ordering::Relaxed);
        vitals
    }

    /// Whether calls had better go elsewhere.
    pub fn is_open(&self, now: impl Into<Moment>) -> bool {
        matches!(self.standing(now.into()), Standing::Open { .. })
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The time to the first token, in microseconds, as it is expected; `None` before the first call.
    pub fn latency_micros(&self, now: impl Into<Moment>) -> Option<u32> {
        self.first_token.micros(now.into().into())
    }

    /// Tokens within the last minute.
    pub fn tokens_within_a_minute(&self, now: impl Into<Moment>) -> u64 {
        self.tokens.values(now.into().period(TOKEN_PERIOD)).sum()
    }

    /// What its answers are usually like.
    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    pub fn used_tokens(&self, tokens: u64, now: impl Into<Moment>) {
        let now = now.into();
        self.tokens
            .change(now.period(TOKEN_PERIOD), |before| before.saturating_add(tokens));
    }

    /// What came of calls within the window.
    pub fn tally(&self, now: Moment) -> Tally {
        let (mut requests, mut failures) = (0, 0);
        let bucket = Duration::from_millis(self.bucket_ms.load(Ordering::Relaxed));
        for value in self.outcomes.values(now.period(bucket)) {
            requests += value & COUNT;
            failures += value >> COUNT_BITS;
        }
        let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Tally {
            requests: count(requests),
            failures: count(failures.min(requests)),
        }
    }

    pub fn standing(&self, now: Moment) -> Standing {
        self.breaker.standing(now)
    }

    /// When the breaker opened or closed last.
    pub fn changed(&self) -> Option<Moment> {
        Some(Moment(self.changed.load(Ordering::Relaxed))).filter(|changed| changed.0 > 0)
    }

    pub fn used(&self) -> Moment {
        Moment(self.used.load(Ordering::Relaxed))
    }

    /// When a request was answered last.
    pub fn answered(&self) -> Option<Moment> {
        Some(Moment(self.answered.load(Ordering::Relaxed))).filter(|answered| answered.0 > 0)
    }

    /// The last call of the gateway's own.
    pub fn probed(&self) -> Option<(Moment, ProbeOutcome)> {
        self.probed.last()
    }

    pub fn note_probe(&self, outcome: ProbeOutcome, now: Moment) {
        self.probed.note(outcome, now);
    }

    /// Whether requests wait for the gateway to find out by itself whether it works again. It has `every` for that, and
    /// one try: what is not found out then, requests do.
    pub fn awaits_probe(&self, every: Duration, now: Moment) -> bool {
        let Some(since) = self.breaker.half_open_since(now) else {
            return false;
        };
        let was_in_vain = self.probed().is_some_and(|(at, _)| since <= at);
        now < since.after(every) && !was_in_vain
    }

    /// Begins a call. `None` while the breaker is open, or another call finds out whether it has to be.
    pub fn try_begin(self: &Arc<Self>, lease: Duration, now: Moment) -> Option<Flight> {
        let admission = self.breaker.admit(now, lease);
        (admission != Admission::Refused).then(|| self.flight(admission == Admission::Probe, now))
    }

    /// Begins a call whatever the breaker says: there is nowhere else to go.
    pub fn begin(self: &Arc<Self>, lease: Duration, now: Moment) -> Flight {
        let admission = self.breaker.admit(now, lease);
        self.flight(admission == Admission::Probe, now)
    }

    /// Leaves it alone until then, as long as there are others.
    pub fn open_until(&self, until: impl Into<Moment>) {
        self.breaker.open_until(Opened {
            until: until.into(),
            times: 0,
        });
    }

    /// What others told of it, in place of calls.
    pub(crate) fn take_over(&self, first_token: Option<Duration>, in_flight: u32, tokens: u64, now: DateTime<Utc>) {
        if let Some(took) = first_token {
            self.first_token.note(took, now);
        }
        self.in_flight.store(in_flight, Ordering::Relaxed);
        self.used_tokens(tokens, now);
    }

    /// Begins a call of which the breaker is not told.
    pub fn fly(self: &Arc<Self>, now: impl Into<Moment>) -> Flight {
        self.flight(false, now.into())
    }

    /// An opening or closing that was told by another node.
    pub fn take_on(&self, transition: Transition, now: Moment) {
        match transition {
            Transition::Opened(opened) => {
                if self.breaker.open_until(opened).is_some() {
                    self.changed.store(now.0, Ordering::Relaxed);
                }
            }
            Transition::Closed => {
                self.close(now);
            }
        }
    }

    /// Forgets every outcome and closes the breaker. Whether it was not closed.
    pub fn close(&self, now: Moment) -> bool {
        self.outcomes.clear();
        let closed = self.breaker.close();
        if closed {
            self.changed.store(now.0, Ordering::Relaxed);
        }
        closed
    }

    fn flight(self: &Arc<Self>, probe: bool, now: Moment) -> Flight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.used.store(now.0, Ordering::Relaxed);
        Flight {
            vitals: self.clone(),
            probe,
        }
    }

    fn note(&self, failures: u64, requests: u64, settings: &BreakerSettings, now: Moment) {
        let bucket = settings.window.get() / u32::from(OUTCOME_BUCKETS);
        self.bucket_ms
            .store(u64::try_from(bucket.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.outcomes.change(now.period(bucket), |before| {
            // What does not fit any more would change little.
            if before & COUNT == COUNT || before >> COUNT_BITS == COUNT {
                return before;
            }
            before + (failures << COUNT_BITS) + requests
        });
    }

    fn open_if_failing(&self, settings: &BreakerSettings, now: Moment) -> Option<Transition> {
        let tally = self.tally(now);
        let failing = tally.requests >= settings.min_requests
            && u64::from(tally.failures) * 100 >= u64::from(tally.requests) * u64::from(settings.error_rate);
        if !failing || self.breaker.standing(now) != Standing::Closed {
            return None;
        }
        self.open(settings, now)
    }

    fn open(&self, settings: &BreakerSettings, now: Moment) -> Option<Transition> {
        let opened = self.breaker.open(now, settings.open_for.get())?;
        self.changed.store(now.0, Ordering::Relaxed);
        Some(Transition::Opened(opened))
    }
}
