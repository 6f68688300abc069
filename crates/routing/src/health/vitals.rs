//! What is known of one deployment, a model at a provider, from the calls this node makes there. All of it is written and
//! read without a lock.

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

/// A call under way. It is over when this is dropped.
#[derive(Debug)]
pub struct Flight {
    vitals: Arc<Vitals>,
    probe: bool,
}

/// How a call ended, as far as it says something of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Succeeded {
        first_token: Duration,
    },
    /// Its provider answered something that is no request's answer.
    Reached,
    Failed,
    /// The caller was at fault, or went away.
    Untold,
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

impl Flight {
    pub const fn is_probe(&self) -> bool {
        self.probe
    }

    pub const fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }

    /// To be called once: when there is an answer, when a stream has begun to say something, or when it failed.
    pub fn ended(&mut self, outcome: Outcome, settings: &BreakerSettings, now: Moment) -> Option<Transition> {
        let vitals = &self.vitals;
        let probe = std::mem::take(&mut self.probe);
        match outcome {
            Outcome::Untold => {
                if probe {
                    vitals.breaker.release_probe();
                }
                None
            }
            Outcome::Succeeded { first_token } => {
                vitals.first_token.note(first_token, now.into());
                vitals.answered.store(now.0, Ordering::Relaxed);
                if probe {
                    return vitals.close(now).then_some(Transition::Closed);
                }
                vitals.note(0, 1, settings, now);
                None
            }
            Outcome::Reached => {
                if probe {
                    vitals.breaker.release_probe();
                }
                vitals.note(0, 1, settings, now);
                None
            }
            Outcome::Failed => {
                vitals.note(1, 1, settings, now);
                if probe {
                    return vitals.open(settings, now);
                }
                vitals.open_if_failing(settings, now)
            }
        }
    }

    /// The first token is there.
    pub fn first_token(&self, took: Duration, now: impl Into<Moment>) {
        self.vitals.first_token.note(took, now.into().into());
    }

    /// An answer that was counted as one has broken off.
    pub fn broke_off(&self, settings: &BreakerSettings, now: Moment) -> Option<Transition> {
        self.vitals.note(1, 0, settings, now);
        self.vitals.open_if_failing(settings, now)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.vitals.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.probe {
            self.vitals.breaker.release_probe();
        }
    }
}

#[cfg(test)]
mod tests {
    use gatewright_types::HumanDuration;

    use super::*;

    const LEASE: Duration = Duration::from_secs(60);

    fn at(millis: u64) -> Moment {
        Moment(1_000_000).after(Duration::from_millis(millis))
    }

    fn call(vitals: &Arc<Vitals>, outcome: Outcome, now: Moment) -> Option<Transition> {
        vitals
            .begin(LEASE, now)
            .ended(outcome, &BreakerSettings::default(), now)
    }

    const WELL: Outcome = Outcome::Succeeded {
        first_token: Duration::from_millis(10),
    };

    #[test]
    fn it_opens_on_the_rate_of_failures_and_not_before_there_are_enough() {
        let vitals = Arc::new(Vitals::default());
        for number in 0..9 {
            assert_eq!(call(&vitals, Outcome::Failed, at(number)), None, "{number}");
        }
        let opened = call(&vitals, Outcome::Failed, at(9));
        assert!(
            matches!(opened, Some(Transition::Opened(Opened { times: 0, .. }))),
            "{opened:?}"
        );
        assert!(vitals.try_begin(LEASE, at(10)).is_none());

        let steady = Arc::new(Vitals::default());
        for number in 0..100 {
            let outcome = if number % 5 < 3 { WELL } else { Outcome::Failed };
            assert_eq!(
                call(&steady, outcome, at(number)),
                None,
                "two of five is less than half"
            );
        }
    }

    #[test]
    fn failures_of_long_ago_and_callers_mistakes_do_not_count() {
        let vitals = Arc::new(Vitals::default());
        for number in 0..9 {
            call(&vitals, Outcome::Failed, at(number));
        }
        for number in 0..50 {
            assert_eq!(call(&vitals, Outcome::Untold, at(10 + number)), None);
        }

        assert_eq!(
            call(&vitals, Outcome::Failed, at(40_000)),
            None,
            "the others are out of the window"
        );
        let tally = vitals.tally(at(40_000));
        assert_eq!((tally.requests, tally.failures), (1, 1));
    }

    #[test]
    fn requests_wait_for_one_probe_of_the_gateways_own_and_for_no_longer_than_it_may_take() {
        const EVERY: Duration = Duration::from_secs(30);
        let open = || {
            let vitals = Arc::new(Vitals::default());
            for number in 0..10 {
                call(&vitals, Outcome::Failed, at(number));
            }
            vitals
        };
        let vitals = open();

        let awaited = [9, 15_008, 15_009, 45_008, 45_009].map(|millis| vitals.awaits_probe(EVERY, at(millis)));
        assert_eq!(awaited, [false, false, true, true, false]);

        vitals.note_probe(ProbeOutcome::TimedOut, at(9));
        assert!(vitals.awaits_probe(EVERY, at(16_000)), "that was before it opened");
        vitals.note_probe(ProbeOutcome::Unclear, at(16_000));
        assert!(!vitals.awaits_probe(EVERY, at(16_001)), "it found nothing out");

        let closed = open();
        let mut probe = closed.try_begin(LEASE, at(16_000)).expect("a probe");
        probe.ended(WELL, &BreakerSettings::default(), at(16_100));
        assert!(!closed.awaits_probe(EVERY, at(16_101)));
        assert_eq!(closed.answered(), Some(at(16_100)));
    }

    #[test]
    fn a_provider_that_is_reached_says_nothing_of_how_fast_and_what_fails_takes_its_usual_number() {
        let vitals = Arc::new(Vitals::default());

        call(&vitals, Outcome::Reached, at(0));
        let opened: Vec<_> = (1..10)
            .map(|number| call(&vitals, Outcome::Failed, at(number)))
            .collect();

        assert_eq!((vitals.latency_micros(at(0)), vitals.answered()), (None, None));
        let opened_at: Vec<_> = (1..)
            .zip(opened)
            .filter(|(_, it)| it.is_some())
            .map(|(number, _)| number)
            .collect();
        assert_eq!(opened_at, [9], "with the tenth outcome");
    }

    #[test]
    fn a_probe_closes_it_or_opens_it_again() {
        let vitals = Arc::new(Vitals::default());
        for number in 0..10 {
            call(&vitals, Outcome::Failed, at(number));
        }

        let mut probe = vitals.try_begin(LEASE, at(15_010)).expect("a probe");
        assert!(probe.is_probe() && vitals.try_begin(LEASE, at(15_010)).is_none());
        let failed = probe.ended(Outcome::Failed, &BreakerSettings::default(), at(15_010));
        assert!(
            matches!(failed, Some(Transition::Opened(Opened { times: 1, .. }))),
            "{failed:?}"
        );
        assert!(vitals.try_begin(LEASE, at(45_000)).is_none(), "twice as long");

        let mut probe = vitals.try_begin(LEASE, at(45_010)).expect("a probe");
        let closed = probe.ended(WELL, &BreakerSettings::default(), at(45_010));
        assert_eq!(closed, Some(Transition::Closed));
        assert_eq!(vitals.standing(at(45_010)), Standing::Closed);
        assert_eq!(vitals.tally(at(45_010)), Tally::default());
    }

    #[test]
    fn a_probe_whose_caller_goes_away_makes_room() {
        let vitals = Arc::new(Vitals::default());
        for number in 0..10 {
            call(&vitals, Outcome::Failed, at(number));
        }

        drop(vitals.try_begin(LEASE, at(20_000)).expect("a probe"));
        assert!(vitals.try_begin(LEASE, at(20_001)).is_some());
        assert_eq!(vitals.in_flight(), 0);
    }

    #[test]
    fn an_answer_that_breaks_off_is_one_failure_of_one_request() {
        let settings = BreakerSettings {
            error_rate: 100,
            min_requests: 2,
            open_for: HumanDuration::from_millis(1_000),
            ..BreakerSettings::default()
        };
        let vitals = Arc::new(Vitals::default());
        let broken = || {
            let mut call = vitals.begin(LEASE, at(0));
            call.ended(WELL, &settings, at(0));
            call.broke_off(&settings, at(1))
        };

        assert_eq!(broken(), None);
        assert!(matches!(broken(), Some(Transition::Opened(_))));
    }

    #[test]
    fn tokens_of_the_last_minute_are_known() {
        let vitals = Vitals::default();
        vitals.used_tokens(100, at(0));
        vitals.used_tokens(20, at(30_000));

        assert_eq!(vitals.tokens_within_a_minute(at(30_000)), 120);
        assert_eq!(vitals.tokens_within_a_minute(at(70_000)), 20);
        assert_eq!(vitals.tokens_within_a_minute(at(200_000)), 0);
    }
}
