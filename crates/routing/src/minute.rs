//! A sum over the last minute that forgets as it goes, in a few atomics.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

/// The minute passes in steps of this many seconds, so that the sum is of 60 to 70 of them.
const STEP_SECONDS: i64 = 10;
const SLOTS: usize = 7;
/// How much of a slot tells which step it is of; the rest is the sum.
const STEP_BITS: u32 = 24;

#[derive(Debug, Default)]
pub(crate) struct Minute {
    slots: [AtomicU64; SLOTS],
}

impl Minute {
    pub(crate) fn add(&self, amount: u64, now: DateTime<Utc>) {
        let step = step_of(now);
        let Some(slot) = self.slots.get(step as usize % SLOTS) else {
            return;
        };
        let added = |packed: u64| {
            let sum = if packed % (1 << STEP_BITS) == step {
                packed >> STEP_BITS
            } else {
                0
            };
            let sum = sum.saturating_add(amount).min(u64::MAX >> STEP_BITS);
            Some((sum << STEP_BITS) | step)
        };
        // It always gives something to store.
        let _stored = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added);
    }

    pub(crate) fn sum(&self, now: DateTime<Utc>) -> u64 {
        let now = step_of(now);
        let recent = self.slots.iter().filter_map(|slot| {
            let packed = slot.load(Ordering::Relaxed);
            let age = now.wrapping_sub(packed % (1 << STEP_BITS)) % (1 << STEP_BITS);
            (age < SLOTS as u64).then_some(packed >> STEP_BITS)
        });
        recent.sum()
    }
}

/// Comes round again after five years.
fn step_of(now: DateTime<Utc>) -> u64 {
    now.timestamp().div_euclid(STEP_SECONDS).cast_unsigned() % (1 << STEP_BITS)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_is_older_than_a_minute_is_forgotten_and_nothing_younger() {
        let minute = Minute::default();
        let begin: DateTime<Utc> = "2026-11-30T06:00:00Z".parse().expect("a time");
        let at = |seconds| begin + TimeDelta::seconds(seconds);

        minute.add(5, at(0));
        minute.add(7, at(30));

        assert_eq!(minute.sum(at(30)), 12);
        assert_eq!(minute.sum(at(60)), 12);
        assert_eq!(minute.sum(at(70)), 7);
        assert_eq!(minute.sum(at(100)), 0);
        minute.add(1, at(70));
        assert_eq!(minute.sum(at(70)), 8);
        minute.add(u64::MAX, at(71));
        assert_eq!(minute.sum(at(200)), 0);
    }
}
