//! Numbers within a sliding span of time, in buckets that are replaced as time goes by. No lock: each bucket is one
//! number, the period it is of above the value.

use std::sync::atomic::{AtomicU64, Ordering};

const VALUE_BITS: u32 = 36;
const VALUE: u64 = (1 << VALUE_BITS) - 1;
const PERIOD: u64 = (1 << (64 - VALUE_BITS)) - 1;

#[derive(Debug)]
pub(super) struct Ring<const BUCKETS: usize> {
    buckets: [AtomicU64; BUCKETS],
}

impl<const BUCKETS: usize> Default for Ring<BUCKETS> {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl<const BUCKETS: usize> Ring<BUCKETS> {
    /// Changes the value of a period. What lay in its bucket of an earlier one is forgotten.
    pub(super) fn change(&self, period: u64, change: impl Fn(u64) -> u64) {
        let Some(bucket) = usize::try_from(period % BUCKETS as u64)
            .ok()
            .and_then(|index| self.buckets.get(index))
        else {
            return;
        };
        let period = period & PERIOD;
        let replace = |packed: u64| {
            let before = if packed >> VALUE_BITS == period {
                packed & VALUE
            } else {
                0
            };
            Some(period << VALUE_BITS | change(before).min(VALUE))
        };
        // It only fails where the closure gives nothing.
        let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, replace);
    }

    /// The values of a period and those right before it, as many as there are buckets.
    pub(super) fn values(&self, period: u64) -> impl Iterator<Item = u64> {
        self.buckets.iter().filter_map(move |bucket| {
            let packed = bucket.load(Ordering::Relaxed);
            let age = period.wrapping_sub(packed >> VALUE_BITS) & PERIOD;
            (age < BUCKETS as u64).then_some(packed & VALUE)
        })
    }

    pub(super) fn clear(&self) {
        for bucket in &self.buckets {
            bucket.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_for_as_many_periods_as_there_are_buckets() {
        let ring = Ring::<3>::default();
        let sum = |period| ring.values(period).sum::<u64>();

        ring.change(100, |value| value + 5);
        ring.change(100, |value| value + 1);
        ring.change(101, |value| value + 2);

        assert_eq!((sum(100), sum(101), sum(102)), (6, 8, 8));
        assert_eq!((sum(103), sum(104)), (2, 0));
        ring.change(103, |value| value + 1);
        assert_eq!(sum(103), 3, "the bucket of 100 is taken over");
    }
}
