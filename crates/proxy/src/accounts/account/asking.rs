//! Asking for more of a counter, telling what was spent of it, and what comes of either.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_coord::{CounterAnswer, CounterDemand};
use tokio::time::Instant;

use super::{Account, RECALLED_FOR, Turn, Unseeded};
use crate::accounts::Counter;
use crate::accounts::knowledge::Knowledge;

/// Who found a cap spent is not asked again for so long.
const SPENT_FOR: Duration = Duration::from_millis(250);
const UNSEEDED_FOR: Duration = Duration::from_millis(200);
const FILLED_WITHIN: Duration = Duration::from_secs(10);
/// What was not used for so long gives back all of its lease.
const IDLE_AFTER: Duration = Duration::from_secs(15);

/// What comes of asking.
#[derive(Debug)]
pub(in crate::accounts) enum Asking {
    /// Reserved, so that nobody takes it meanwhile: ask for this.
    Begun(CounterDemand),
    Not(NotNow),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::accounts) enum NotNow {
    /// Somebody else asks.
    Busy,
    /// Others wait for their turn.
    Queued,
    Spent,
    Unseeded {
        filled_soon: bool,
    },
}

/// Why a counter is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::accounts) enum Telling {
    InStep,
    Leaving,
}

impl Account {
    /// Reserves it ahead of the answer.
    pub(in crate::accounts) fn ask(
        &self,
        counter: &Counter,
        amount: i64,
        turn: Option<&Turn>,
        next_number: impl FnOnce() -> u64,
    ) -> Asking {
        let now = Instant::now();
        let mut state = self.state();
        if state.asking {
            return Asking::Not(NotNow::Busy);
        }
        if !self.is_next(&state, turn) {
            return Asking::Not(NotNow::Queued);
        }
        if let Some(unseeded) = state.unseeded.filter(|unseeded| now < unseeded.again_at) {
            let filled_soon = unseeded.is_filled_soon(now);
            return Asking::Not(NotNow::Unseeded { filled_soon });
        }
        let known_spent = now < state.spent_until
            && state
                .knowledge
                .is_some_and(|known| known.is_beyond(counter, state.spent_unreported() + amount));
        if known_spent {
            return Asking::Not(NotNow::Spent);
        }
        state.begin_report(next_number);
        let outstanding = state.outstanding();
        let required = outstanding + amount;
        let ahead = state.pace.ahead(state.reserved, now).max(state.reserved + 2 * amount);
        // What is free of the lease is too little for it, and may do for others should there be no more.
        state.lease = state.lease.min(outstanding + state.reported_sum());
        let wished = required.saturating_add(state.waiting).saturating_add(ahead);
        let demand = state.demand(&self.key, outstanding, required, wished);
        state.asking = true;
        state.add(amount);
        Asking::Begun(demand)
    }

    /// What is to be told of it by the way, if anything.
    pub(in crate::accounts) fn tell(
        &self,
        telling: Telling,
        next_number: impl FnOnce() -> u64,
    ) -> Option<CounterDemand> {
        let now = Instant::now();
        let mut state = self.state();
        state.hurried = false;
        if state.asking {
            return None;
        }
        state.begin_report(next_number);
        let outstanding = state.outstanding();
        let gives_all = telling == Telling::Leaving
            || now.duration_since(state.last_used) > IDLE_AFTER
            || (state.is_recalled() && state.queue.is_empty());
        let ahead = match gives_all {
            true => 0,
            false => state.pace.ahead(state.reserved, now),
        };
        let wished = outstanding.saturating_add(ahead);
        let lease = state.lease_to_come(now);
        let is_ample = gives_all || lease / 2 > wished;
        let held = match is_ample {
            true => lease.min(wished),
            false => lease,
        };
        let lasts = state.lasts();
        let renews = lease > 0 && now.duration_since(state.last_told) > lasts / 3;
        let grows = !gives_all && lease < wished;
        if state.reported.is_none() && held == lease && !renews && !grows {
            return None;
        }
        if now.duration_since(state.last_told) >= Duration::from_secs(1) {
            state.pace.turn(now);
        }
        state.asking = true;
        // At once: others may have it before this node hears of that.
        state.lease = state.lease.min(held.max(outstanding) + state.reported_sum());
        Some(state.demand(&self.key, held, 0, wished.max(held)))
    }

    /// Of a call that was made at `asked_at`. `amount` was reserved ahead of it and stays reserved where it was granted.
    /// Whether it should be told of soon.
    pub(in crate::accounts) fn answered(
        &self,
        answer: &CounterAnswer,
        granted: bool,
        amount: i64,
        asked_at: Instant,
        now: DateTime<Utc>,
    ) -> bool {
        let mut state = self.state();
        state.asking = false;
        state.unseeded = None;
        state.reported = None;
        state.lease = answer.lease;
        state.lease_until = asked_at + state.lasts();
        state.last_told = asked_at;
        state.knowledge = Some(Knowledge::of(answer, &state.counter, now));
        if answer.recalled {
            state.recalled_until = Some(Instant::now() + RECALLED_FOR);
        }
        if !granted {
            state.reserved -= amount;
            if answer.lacks {
                state.spent_until = Instant::now() + SPENT_FOR;
            }
        }
        if state.lease > state.used() {
            state.call_next();
        }
        let hurries = state.is_to_hurry();
        drop(state);
        self.answered.notify_waiters();
        hurries
    }

    /// A call has no answer, and it is not known whether it was heard.
    pub(in crate::accounts) fn unanswered(&self, amount: i64) {
        let mut state = self.state();
        state.asking = false;
        state.reserved -= amount;
        drop(state);
        self.answered.notify_waiters();
    }

    /// Whether the counters are about to be filled.
    pub(in crate::accounts) fn unseeded(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        let unseeded = Unseeded {
            since: state.unseeded.map_or(now, |before| before.since),
            again_at: now + UNSEEDED_FOR,
        };
        state.unseeded = Some(unseeded);
        unseeded.is_filled_soon(now)
    }
}

impl Unseeded {
    /// As they are when an organization's first budget is met. Where that takes long nobody fills them, and each budget
    /// goes by what it says of that.
    fn is_filled_soon(self, now: Instant) -> bool {
        now.duration_since(self.since) < FILLED_WITHIN
    }
}
