//! Whether something may be used at a moment: closed while it works, open for a while after it failed, then half-open for
//! one probe at a time. Two numbers without a lock; who opens it and why is decided elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Moment;

/// The longest time it stays open, however often in a row it opened.
pub(super) const LONGEST_OPEN: Duration = Duration::from_secs(300);

const TIMES_BITS: u32 = 8;
const MOST_TIMES: u64 = (1 << TIMES_BITS) - 1;

#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Until when it is open, above how often in a row it opened. Zero when closed.
    open: AtomicU64,
    /// Until when the probe under way may take.
    probing: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Closed,
    Open {
        until: Moment,
    },
    /// It was open long enough: one probe at a time finds out.
    HalfOpen,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Free,
    /// It is the one that finds out. Whoever makes it says how it ended.
    Probe,
    Refused,
}

/// It opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    pub until: Moment,
    /// How often in a row, less one.
    pub times: u8,
}

impl Breaker {
    pub(super) fn standing(&self, now: Moment) -> Standing {
        match unpack(self.open.load(Ordering::Acquire)) {
            None => Standing::Closed,
            Some(Opened { until, .. }) if now < until => Standing::Open { until },
            Some(_) => Standing::HalfOpen,
        }
    }

    /// Since when a probe may find out whether it works again.
    pub(super) fn half_open_since(&self, now: Moment) -> Option<Moment> {
        let opened = unpack(self.open.load(Ordering::Acquire))?;
        (opened.until <= now).then_some(opened.until)
    }

    /// Asks for a call. A probe that does not come back is given up after `lease`.
    pub(super) fn admit(&self, now: Moment, lease: Duration) -> Admission {
        match self.standing(now) {
            Standing::Closed => Admission::Free,
            Standing::Open { .. } => Admission::Refused,
            Standing::HalfOpen => {
                let take = |until: u64| (until <= now.0).then(|| now.after(lease).0);
                match self.probing.fetch_update(Ordering::AcqRel, Ordering::Acquire, take) {
                    Ok(_) => Admission::Probe,
                    Err(_) => Admission::Refused,
                }
            }
        }
    }

    /// Opens it: for twice as long as the last time where it is not closed. `None` when it is open already.
    pub(super) fn open(&self, now: Moment, first: Duration) -> Option<Opened> {
        let before = self.open.load(Ordering::Acquire);
        let times = match unpack(before) {
            None => 0,
            Some(Opened { until, .. }) if now < until => return None,
            Some(Opened { times, .. }) => times.saturating_add(1),
        };
        let length = first
            .saturating_mul(1_u32 << times.min(16))
            .min(LONGEST_OPEN.max(first));
        let opened = Opened {
            until: now.after(length),
            times,
        };
        self.replace(before, opened)
    }

    /// Opens it until a moment that somebody told, or for longer than it is open already.
    pub(super) fn open_until(&self, opened: Opened) -> Option<Opened> {
        let before = self.open.load(Ordering::Acquire);
        match unpack(before) {
            Some(Opened { until, .. }) if until >= opened.until => None,
            Some(_) | None => self.replace(before, opened),
        }
    }

    /// Whether it was not closed before.
    pub(super) fn close(&self) -> bool {
        self.probing.store(0, Ordering::Release);
        self.open.swap(0, Ordering::AcqRel) != 0
    }

    /// The probe found nothing out.
    pub(super) fn release_probe(&self) {
        self.probing.store(0, Ordering::Release);
    }

    fn replace(&self, before: u64, opened: Opened) -> Option<Opened> {
        let after = opened.until.0 << TIMES_BITS | u64::from(opened.times);
        self.open
            .compare_exchange(before, after, Ordering::AcqRel, Ordering::Acquire)
            .ok()?;
        self.probing.store(0, Ordering::Release);
        Some(opened)
    }
}

fn unpack(packed: u64) -> Option<Opened> {
    (packed != 0).then(|| Opened {
        until: Moment(packed >> TIMES_BITS),
        times: u8::try_from(packed & MOST_TIMES).unwrap_or(u8::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(15);
    const LEASE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Moment {
        Moment(1_000_000).after(Duration::from_secs(seconds))
    }

    #[test]
    fn an_open_breaker_lets_one_probe_through_when_its_time_is_over() {
        let breaker = Breaker::default();
        assert_eq!(breaker.admit(at(0), LEASE), Admission::Free);

        let opened = breaker.open(at(0), FIRST).expect("it opens");
        assert_eq!((opened.until, opened.times), (at(15), 0));
        assert_eq!(breaker.open(at(1), FIRST), None, "it is open already");
        assert_eq!(breaker.admit(at(14), LEASE), Admission::Refused);

        assert_eq!(breaker.standing(at(15)), Standing::HalfOpen);
        assert_eq!(breaker.admit(at(15), LEASE), Admission::Probe);
        assert_eq!(breaker.admit(at(16), LEASE), Admission::Refused, "one is under way");

        assert!(breaker.close());
        assert!(!breaker.close());
        assert_eq!(breaker.admit(at(16), LEASE), Admission::Free);
    }

    #[test]
    fn each_probe_that_fails_doubles_the_time_up_to_a_limit() {
        let breaker = Breaker::default();
        let mut now = at(0);
        let mut lengths = Vec::new();
        for _ in 0..8 {
            let opened = breaker.open(now, FIRST).expect("it opens");
            lengths.push(opened.until.since(now).as_secs());
            now = opened.until;
            assert_eq!(breaker.admit(now, LEASE), Admission::Probe);
        }

        assert_eq!(lengths, [15, 30, 60, 120, 240, 300, 300, 300]);
    }

    #[test]
    fn a_probe_that_is_lost_or_finds_nothing_out_makes_room_for_another() {
        let breaker = Breaker::default();
        breaker.open(at(0), FIRST).expect("it opens");

        assert_eq!(breaker.admit(at(15), LEASE), Admission::Probe);
        assert_eq!(breaker.admit(at(75), LEASE), Admission::Probe, "the first was given up");
        breaker.release_probe();
        assert_eq!(breaker.admit(at(76), LEASE), Admission::Probe);
    }

    #[test]
    fn what_another_node_tells_only_makes_it_longer() {
        let breaker = Breaker::default();
        let told = |seconds| Opened {
            until: at(seconds),
            times: 2,
        };

        assert_eq!(breaker.open_until(told(30)), Some(told(30)));
        assert_eq!(breaker.open_until(told(20)), None);
        assert_eq!(breaker.standing(at(29)), Standing::Open { until: at(30) });
        let again = breaker.open(at(30), FIRST).expect("it opens");
        assert_eq!(again.until.since(at(30)), FIRST * 8, "the count goes on");
    }
}
