//! What is usual for a deployment: how long its answers are, and which conversations its provider has in its prompt cache.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use gatewright_llm::Tokens;
use gatewright_types::UsageUnit;
use gatewright_types::api::Rates;

/// A new answer makes so much of the mean: one part in eight.
const MEMORY: u64 = 8;
/// Conversations that are remembered, at most.
const CONVERSATIONS: usize = 1 << u8::BITS;
/// Providers keep a prompt for five minutes since it was last read, as a rule.
const WARM_SECONDS: i64 = 5 * 60;
/// Time is noted in steps, so that it fits beside the rest.
const STEP_SECONDS: i64 = 5;
/// Providers keep no prompt shorter than this.
const SHORTEST_TOKENS: u64 = 1024;

const TOKEN_BITS: u32 = 24;
const STEP_BITS: u32 = 16;

#[derive(Debug)]
pub struct Habits {
    /// The mean of answers' tokens, times 256, plus 1; 0 before the first.
    answer: AtomicU64,
    /// Each a part of the conversation's number, when it was last seen, and the tokens that are kept of it.
    conversations: Box<[AtomicU64; CONVERSATIONS]>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            answer: AtomicU64::default(),
            conversations: Box::new([const { AtomicU64::new(0) }; CONVERSATIONS]),
        }
    }
}

impl Habits {
    /// An answer came to a request of a conversation. What providers cache without being told to they do not say when they
    /// do; it costs nothing there, and so has no price.
    pub fn note(&self, tokens: &Tokens, rates: Option<&Rates>, conversation: Option<u64>, now: DateTime<Utc>) {
        self.answered(tokens.total_output());
        let Some((conversation, rates)) = conversation.zip(rates) else {
            return;
        };
        let told = [
            UsageUnit::InputCacheRead,
            UsageUnit::InputCacheWrite5m,
            UsageUnit::InputCacheWrite1h,
        ];
        let told: u64 = told.into_iter().map(|unit| tokens.get(unit)).sum();
        let unasked = rates.cache_read.is_some() && rates.cache_write_5m.is_none();
        let kept = if unasked { tokens.total_input() } else { told };
        self.keeps(conversation, kept, now);
    }

    fn answered(&self, tokens: u64) {
        let scaled = tokens.min(u64::from(u32::MAX)) << 8;
        let noted = |before: u64| {
            let mean = match before.checked_sub(1) {
                Some(mean) => mean - mean / MEMORY + scaled / MEMORY,
                None => scaled,
            };
            Some(mean + 1)
        };
        // It always gives something to store.
        let _stored = self.answer.fetch_update(Ordering::Relaxed, Ordering::Relaxed, noted);
    }

    /// The provider has so many tokens of a conversation in its cache.
    fn keeps(&self, beginning: u64, tokens: u64, now: DateTime<Utc>) {
        if tokens < SHORTEST_TOKENS {
            return;
        }
        if let Some(slot) = self.slot(beginning) {
            let tokens = tokens.min((1 << TOKEN_BITS) - 1);
            let packed = (tag(beginning) << (STEP_BITS + TOKEN_BITS)) | (step(now) << TOKEN_BITS) | tokens;
            slot.store(packed, Ordering::Relaxed);
        }
    }

    pub(crate) fn usual_answer(&self) -> Option<u64> {
        self.answer.load(Ordering::Relaxed).checked_sub(1).map(|mean| mean >> 8)
    }

    /// How many tokens of a conversation the provider probably has in its cache.
    pub(crate) fn kept(&self, beginning: u64, now: DateTime<Utc>) -> u64 {
        let Some(slot) = self.slot(beginning) else { return 0 };
        let packed = slot.load(Ordering::Relaxed);
        let seen = (packed >> TOKEN_BITS) % (1 << STEP_BITS);
        let age = step(now).wrapping_sub(seen) % (1 << STEP_BITS);
        let is_warm = age <= (WARM_SECONDS / STEP_SECONDS).cast_unsigned();
        match is_warm && packed >> (STEP_BITS + TOKEN_BITS) == tag(beginning) {
            true => packed % (1 << TOKEN_BITS),
            false => 0,
        }
    }

    fn slot(&self, beginning: u64) -> Option<&AtomicU64> {
        self.conversations.get(usize::from(beginning.to_le_bytes()[0]))
    }
}

/// The part of the number that did not choose the slot.
const fn tag(beginning: u64) -> u64 {
    beginning >> (STEP_BITS + TOKEN_BITS)
}

/// Comes round again after nearly four days.
fn step(now: DateTime<Utc>) -> u64 {
    now.timestamp().div_euclid(STEP_SECONDS).cast_unsigned() % (1 << STEP_BITS)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const CONVERSATION: u64 = 0x1234_5678_9abc_def0;

    #[test]
    fn a_conversation_is_warm_for_five_minutes_and_another_never() {
        let habits = Habits::default();
        let begin: DateTime<Utc> = "2026-11-30T06:00:00Z".parse().expect("a time");
        let at = |seconds| begin + TimeDelta::seconds(seconds);

        habits.keeps(CONVERSATION, 5_000, at(0));

        assert_eq!(habits.kept(CONVERSATION, at(300)), 5_000);
        assert_eq!(habits.kept(CONVERSATION, at(310)), 0);
        let other_in_the_same_slot = CONVERSATION ^ (1 << 60);
        assert_eq!(habits.kept(other_in_the_same_slot, at(0)), 0);
        habits.keeps(CONVERSATION, 1_023, at(301));
        assert_eq!(habits.kept(CONVERSATION, at(310)), 0);
    }

    #[test]
    fn the_usual_answer_follows_what_answers_are() {
        let habits = Habits::default();
        assert_eq!(habits.usual_answer(), None);

        habits.answered(800);
        assert_eq!(habits.usual_answer(), Some(800));
        for _ in 0..60 {
            habits.answered(0);
        }
        assert_eq!(habits.usual_answer(), Some(0));
    }
}
