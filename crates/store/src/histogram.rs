//! Durations in fixed slots, so that the percentiles of any span are found in sums. The slots follow the sense of a
//! reader rather than a formula: 1, 2, 5, and closer together where answers of models usually lie.

use std::time::Duration;

pub(crate) const SLOTS: usize = 24;

/// Upper ends of all slots but the last, which has none.
const UPPER_MS: [u64; SLOTS - 1] = [
    1, 2, 5, 10, 25, 50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000,
    30_000, 60_000, 120_000,
];
/// Where the last slot is taken to end, for interpolation only.
const LAST_MS: u64 = 600_000;

/// How many durations fell into each slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Histogram(pub(crate) [i64; SLOTS]);

impl Histogram {
    pub(crate) fn count(&mut self, duration: Duration) {
        let slot = UPPER_MS.partition_point(|upper| Duration::from_millis(*upper) < duration);
        if let Some(count) = self.0.get_mut(slot) {
            *count += 1;
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }

    /// The duration below which `percent` of them lie, taken to be spread evenly within a slot; nothing without any.
    pub(crate) fn percentile_ms(&self, percent: u32) -> Option<u64> {
        let total: i64 = self.0.iter().sum();
        let rank = u64::try_from(total).ok().filter(|total| *total > 0)? * u64::from(percent) / 100;
        let mut below = 0;
        let mut lower = 0;
        for (count, upper) in self.0.iter().zip(UPPER_MS.into_iter().chain([LAST_MS])) {
            let count = u64::try_from(*count).unwrap_or(0);
            if count > 0 && rank < below + count {
                return Some(lower + (upper - lower) * (rank - below + 1) / count);
            }
            below += count;
            lower = upper;
        }
        Some(LAST_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(durations_ms: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for ms in durations_ms {
            histogram.count(Duration::from_millis(*ms));
        }
        histogram
    }

    #[test]
    fn percentiles_are_in_the_slot_of_the_ranked_duration() {
        let ninety_fast_ten_slow = [vec![40; 90], vec![4_000; 10]].concat();
        let histogram = of(&ninety_fast_ten_slow);

        assert_eq!(histogram.percentile_ms(50), Some(25 + 25 * 51 / 90));
        assert_eq!(histogram.percentile_ms(95), Some(3_000 + 2_000 * 6 / 10));
    }

    #[test]
    fn ends_of_slots_belong_to_the_lower_slot() {
        let check = |ms, slot| assert_eq!(of(&[ms]).0.iter().position(|count| *count == 1), Some(slot), "{ms}");

        check(0, 0);
        check(1, 0);
        check(2, 1);
        check(120_000, SLOTS - 2);
        check(120_001, SLOTS - 1);
    }

    #[test]
    fn without_durations_there_is_no_percentile() {
        assert_eq!(Histogram::default().percentile_ms(50), None);
        assert_eq!(of(&[7]).percentile_ms(95), Some(10));
    }
}
