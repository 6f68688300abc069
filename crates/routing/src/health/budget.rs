//! How many of an organization's calls may be retries, so that retries do not keep a provider down.

use super::Moment;
use super::ring::Ring;
use std::time::Duration;

const BUCKETS: usize = 10;
const BUCKET: Duration = Duration::from_secs(1);
/// Within a bucket: retries above all calls.
const COUNT_BITS: u32 = 18;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
/// So many retries are always allowed: a part of a few calls would be none.
const FLOOR: u64 = 3;

/// The calls of one organization within ten seconds.
#[derive(Debug, Default)]
pub struct Budget {
    calls: Ring<BUCKETS>,
}

impl Budget {
    /// A request makes its first call.
    pub fn call(&self, now: Moment) {
        self.add(1, now);
    }

    /// Whether one more retry is allowed, which counts from then on.
    pub fn take_retry(&self, percent: u8, now: Moment) -> bool {
        let (mut calls, mut retries) = (0, 0);
        for value in self.calls.values(now.period(BUCKET)) {
            calls += value & COUNT;
            retries += value >> COUNT_BITS;
        }
        let allowed = (calls * u64::from(percent) / 100).max(FLOOR.min(u64::from(percent)));
        let is_allowed = retries < allowed;
        if is_allowed {
            self.add(1 << COUNT_BITS, now);
        }
        is_allowed
    }

    fn add(&self, amount: u64, now: Moment) {
        self.calls.change(now.period(BUCKET), |before| {
            let is_full = before & COUNT == COUNT || before >> COUNT_BITS == COUNT;
            if is_full { before } else { before + amount }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(1_000_000 + seconds * 1_000)
    }

    fn retries(budget: &Budget, percent: u8, now: Moment) -> usize {
        (0..1_000).take_while(|_| budget.take_retry(percent, now)).count()
    }

    #[test]
    fn a_part_of_the_calls_of_ten_seconds_may_be_retries() {
        let budget = Budget::default();
        for number in 0..100 {
            budget.call(at(number % 5));
        }

        assert_eq!(retries(&budget, 20, at(5)), 20);
        assert_eq!(retries(&budget, 20, at(9)), 0, "they are used up");
        assert_eq!(retries(&budget, 30, at(9)), 10);
    }

    #[test]
    fn a_single_request_may_be_tried_again_unless_nothing_may() {
        let budget = Budget::default();
        budget.call(at(0));

        assert_eq!(retries(&budget, 0, at(0)), 0);
        assert_eq!(retries(&budget, 20, at(0)), 3);
        assert_eq!(retries(&budget, 20, at(20)), 3, "ten seconds later they are forgotten");
    }
}
