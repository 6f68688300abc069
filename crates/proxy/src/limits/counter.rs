//! Budgets and limits as accounts count them.

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, Counting, Measure, RateLimit, budget_counter, limit_counter};
use gatewright_coord::Carry;
use gatewright_types::api::BudgetMode;

use super::path::Met;
use crate::accounts::Counter;

/// More cannot be counted. It is the cap of what only looks on.
const NO_CAP: i64 = (1 << 53) - 1;

impl Met<Budget> {
    pub(super) fn counter(&self, now: DateTime<Utc>) -> Counter {
        let budget = &self.it;
        let counting = budget.counting(now);
        Counter {
            key: budget_counter(budget.id, counting, self.name()),
            cap: budget.cap(now).get().min(NO_CAP),
            counting,
            exact: budget.spec.mode == BudgetMode::Strict,
            when_unavailable: budget.spec.when_unavailable(),
            carry: self.carry(counting),
        }
    }

    fn carry(&self, counting: Counting) -> Option<Carry> {
        let budget = &self.it;
        let before = budget.carried_from(counting)?;
        Some(Carry {
            previous: budget_counter(budget.id, Counting::Period(before), self.name()),
            amount: budget.spec.amount.get(),
        })
    }
}

impl Met<RateLimit> {
    pub(super) fn counter(&self, measure: Measure, most: u64) -> Counter {
        let limit = &self.it;
        Counter {
            key: limit_counter(limit.id, measure, self.name()),
            cap: if limit.spec.shadow { NO_CAP } else { most_counted(most) },
            counting: measure.counting(),
            exact: false,
            when_unavailable: limit.spec.when_unavailable(),
            carry: None,
        }
    }
}

pub(super) fn most_counted(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(NO_CAP).min(NO_CAP)
}
