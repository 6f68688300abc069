//! How long a deployment takes to its first token: a mean that rises at once and falls slowly, and is forgotten with time,
//! so that one that was slow is tried again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// After this time without a call, an estimate has fallen to 1/e of what it was. The same goes for how much of a mean older
/// calls make.
const FADING_SECONDS: f64 = 10.0;

/// The estimate in microseconds, and when it was made in tenths of a second, each in half of the number.
#[derive(Debug, Default)]
pub(super) struct Latency(AtomicU64);

impl Latency {
    pub(super) fn note(&self, took: Duration, now: DateTime<Utc>) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).max(1);
        let now = tenths(now);
        let noted = |packed: u64| {
            let (before, then) = unpacked(packed);
            let kept = fading(then, now);
            let mean = f64::from(before) * kept + f64::from(took) * (1.0 - kept);
            let estimate = if took >= before { took } else { round(mean).max(1) };
            Some((u64::from(estimate) << 32) | u64::from(now))
        };
        // It always gives something to store.
        let _stored = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, noted);
    }

    /// In microseconds, as far as it is remembered; `None` where it never was known.
    pub(super) fn micros(&self, now: DateTime<Utc>) -> Option<u32> {
        let (estimate, then) = unpacked(self.0.load(Ordering::Relaxed));
        (estimate > 0).then(|| round(f64::from(estimate) * fading(then, tenths(now))))
    }
}

fn unpacked(packed: u64) -> (u32, u32) {
    let half = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    (half(packed >> 32), half(packed))
}

/// Comes round again after thirteen years.
fn tenths(now: DateTime<Utc>) -> u32 {
    let tenths = now.timestamp_millis().div_euclid(100).rem_euclid(1 << 32);
    u32::try_from(tenths).unwrap_or_default()
}

fn fading(then: u32, now: u32) -> f64 {
    // A clock may go back a little.
    let passed = now.wrapping_sub(then).cast_signed().max(0);
    (-f64::from(passed) / (10.0 * FADING_SECONDS)).exp()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a part of a number that fits"
)]
fn round(micros: f64) -> u32 {
    micros.round() as u32
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn an_estimate_rises_at_once_falls_slowly_and_is_forgotten() {
        let latency = Latency::default();
        let begin: DateTime<Utc> = "2026-11-30T06:00:00Z".parse().expect("a time");
        let at = |seconds| begin + TimeDelta::seconds(seconds);
        let note = |millis, seconds| latency.note(Duration::from_millis(millis), at(seconds));

        assert_eq!(latency.micros(at(0)), None);
        note(100, 0);
        assert_eq!(latency.micros(at(0)), Some(100_000));
        note(900, 1);
        assert_eq!(latency.micros(at(1)), Some(900_000));
        note(100, 2);
        let after_one_fast_call = latency.micros(at(2)).expect("known");
        assert!(
            (700_000..900_000).contains(&after_one_fast_call),
            "{after_one_fast_call}"
        );
        let forgotten = latency.micros(at(62)).expect("known");
        assert!(forgotten < 5_000, "{forgotten}");
    }
}
