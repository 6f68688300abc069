//! Counts of durations in buckets whose width grows with the value: any quantile to within one part in 128, in constant
//! memory and without keeping the samples.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Buckets for each doubling of the value.
const STEPS: u64 = 128;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// In nanoseconds, a little over 18 minutes: what takes longer counts as that.
const LONGEST: u64 = 1 << 40;

#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    largest: u64,
}

/// What is told of a histogram, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; bucket_of(LONGEST) + 1],
            count: 0,
            sum: 0,
            largest: 0,
        }
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).min(LONGEST);
        if let Some(count) = self.counts.get_mut(bucket_of(nanos)) {
            *count += 1;
        }
        self.count += 1;
        self.sum += u128::from(nanos);
        self.largest = self.largest.max(nanos);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.largest = self.largest.max(other.largest);
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The nanoseconds that `per_mille` of a thousand samples do not exceed.
    pub(crate) fn quantile(&self, per_mille: u64) -> u64 {
        let rank = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_end(bucket).min(self.largest);
            }
        }
        self.largest
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        if self.count == 0 {
            return Quantiles::default();
        }
        let micros = |nanos: u64| nanos as f64 / 1e3;
        Quantiles {
            mean: self.sum as f64 / self.count as f64 / 1e3,
            p50: micros(self.quantile(500)),
            p90: micros(self.quantile(900)),
            p99: micros(self.quantile(990)),
            max: micros(self.largest),
        }
    }
}

/// Values below `STEPS` have a bucket each; from there on each doubling has `STEPS` buckets.
fn bucket_of(value: u64) -> usize {
    let magnitude = value.max(STEPS).ilog2() - STEP_BITS;
    let bucket = u64::from(magnitude) * STEPS + (value >> magnitude);
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let magnitude = bucket / STEPS - 1;
    let lower = (bucket - magnitude * STEPS) << magnitude;
    lower + (1 << magnitude) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_whose_end_is_within_one_part_in_128() {
        let mut last = 0;
        for value in (0..4096).chain((12..40).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1])) {
            let end = upper_end(bucket_of(value));

            assert!(end >= value && end - value <= value / STEPS, "{value} counts as {end}");
            assert!(bucket_of(value) >= last || value < 4096, "{value} is out of order");
            last = bucket_of(value);
        }
    }

    #[test]
    fn quantiles_of_a_thousand_even_samples() {
        let mut histogram = Histogram::new();
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }

        let near = |per_mille, micros: u64| {
            let found = histogram.quantile(per_mille);
            assert!(
                found >= micros * 1000 && found <= micros * 1000 + micros * 8,
                "{per_mille}: {found}"
            );
        };

        near(500, 500);
        near(990, 990);
        assert_eq!(histogram.quantile(1000), 1_000_000);
        assert!((histogram.quantiles().mean - 500.5).abs() < 1e-9);
    }

    #[test]
    fn a_merged_histogram_counts_both() {
        let (mut one, mut other) = (Histogram::new(), Histogram::new());
        one.record(Duration::from_nanos(100));
        other.record(Duration::from_secs(4000));

        one.merge(&other);

        assert_eq!((one.count(), one.quantile(500), one.quantile(1000)), (2, 100, LONGEST));
    }
}
