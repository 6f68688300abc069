//! Numbers that look like chance and are the same in every run.

use std::num::Wrapping;

/// SplitMix64.
#[derive(Debug)]
pub(crate) struct Random(Wrapping<u64>);

impl Random {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(Wrapping(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 += 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)) * Wrapping(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)) * Wrapping(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).0
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub(crate) fn index(&mut self, end: u64) -> usize {
        usize::try_from(self.below(end)).unwrap_or(0)
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// From 0 to 1.
    pub(crate) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Small values often and large ones seldom, as sizes and times are: half are below `usual`, one in 128 is beyond
    /// 7 times as much, none is beyond 16 times.
    pub(crate) fn around(&mut self, usual: u64) -> u64 {
        let doublings = self.next().trailing_ones().min(15);
        let within = self.below(usual);
        usual * u64::from(doublings) + within + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_every_time_and_within_its_bounds() {
        let (mut one, mut other) = (Random::seeded(7), Random::seeded(7));
        for _ in 0..1_000 {
            assert_eq!(one.next(), other.next());
            assert!(one.below(3) < 3);
            other.below(3);
            assert!((0.0..1.0).contains(&one.part()));
            other.part();
            assert!((1..=1_600).contains(&one.around(100)));
            other.around(100);
        }
    }
}
