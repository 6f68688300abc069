//! When a deployment was probed last, and what that found: one number without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use gatewright_types::api::ProbeOutcome;

use super::Moment;

const OUTCOME_BITS: u32 = 8;
const OUTCOME: u64 = (1 << OUTCOME_BITS) - 1;

/// The moment above the outcome's place in the list of all. Zero for never.
#[derive(Debug, Default)]
pub(super) struct Probed(AtomicU64);

impl Probed {
    pub(super) fn note(&self, outcome: ProbeOutcome, now: Moment) {
        let place = ProbeOutcome::ALL.iter().position(|one| *one == outcome);
        let place = place.map_or(0, |place| place as u64);
        self.0.store(now.0 << OUTCOME_BITS | place, Ordering::Relaxed);
    }

    pub(super) fn last(&self) -> Option<(Moment, ProbeOutcome)> {
        let packed = self.0.load(Ordering::Relaxed);
        let place = usize::try_from(packed & OUTCOME).ok()?;
        let outcome = *ProbeOutcome::ALL.get(place)?;
        (packed > 0).then_some((Moment(packed >> OUTCOME_BITS), outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_probe_is_known_with_what_it_found() {
        let probed = Probed::default();
        assert_eq!(probed.last(), None);
        for (millis, outcome) in (1_000_000..).zip(ProbeOutcome::ALL.iter().copied()) {
            probed.note(outcome, Moment(millis));
            assert_eq!(probed.last(), Some((Moment(millis), outcome)));
        }
    }
}
