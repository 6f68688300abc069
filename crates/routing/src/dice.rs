//! Random numbers from one that was given: the same request with the same dice goes the same way.

/// SplitMix64 by Guy Steele and others: fast, and good for choices that nobody gains from guessing.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A time after which something happens that happens at a rate. Of several things, each is the first as often as its
    /// rate is a part of all rates, and so on with those that are left.
    pub(crate) fn exponential(&mut self, rate: u32) -> u64 {
        /// Of 53 bits, the most that a float holds, each number stands for the middle of its interval: never 0 or 1.
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        let uniform = ((self.roll() >> 11) as f64 + 0.5) * STEP;
        let time = -uniform.ln() / f64::from(rate);
        // Positive floats are in the order of their bits.
        time.to_bits()
    }
}

/// A number in which every bit depends on every bit of the given one.
pub(crate) const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
