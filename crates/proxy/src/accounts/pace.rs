//! How much of a counter a node uses: it leases as much ahead.

use std::time::Duration;

use tokio::time::Instant;

/// A lease should last so long. Reports, which renew it, come twice as often.
const AHEAD_SECONDS: i64 = 10;
const SHORTEST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    spent: i64,
    /// Of the time before `since`.
    spent_a_second: i64,
    most_reserved: i64,
    most_reserved_before: i64,
}

impl Pace {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            since: now,
            spent: 0,
            spent_a_second: 0,
            most_reserved: 0,
            most_reserved_before: 0,
        }
    }

    pub(super) fn spends(&mut self, amount: i64) {
        self.spent = self.spent.saturating_add(amount.max(0));
    }

    pub(super) fn reserves(&mut self, in_all: i64) {
        self.most_reserved = self.most_reserved.max(in_all);
    }

    /// What will probably be used beside what is reserved.
    pub(super) fn ahead(&self, reserved: i64, now: Instant) -> i64 {
        let spending = self.spent_a_second.max(self.of_now(now)).saturating_mul(AHEAD_SECONDS);
        let reserving = self.most_reserved.max(self.most_reserved_before) - reserved;
        spending.max(reserving).max(0)
    }

    /// Begins the next stretch of time.
    pub(super) fn turn(&mut self, now: Instant) {
        self.spent_a_second = (self.spent_a_second / 2).max(self.of_now(now));
        self.most_reserved_before = self.most_reserved;
        self.most_reserved = 0;
        self.spent = 0;
        self.since = now;
    }

    fn of_now(&self, now: Instant) -> i64 {
        let millis = now.duration_since(self.since).max(SHORTEST).as_millis();
        let per_second = i128::from(self.spent) * 1000 / i128::try_from(millis).unwrap_or(i128::MAX);
        i64::try_from(per_second).unwrap_or(i64::MAX)
    }
}
