//! Budgets and limits as accounts count them.

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, CounterKey, Counting, Measure, RateLimit};
use gatewright_types::DisplayName;
use gatewright_types::api::BudgetMode;

use super::path::Met;
use crate::accounts::{CarriedOver, Counter};

/// More cannot be counted. It is the cap of what only looks on.
const NO_CAP: i64 = (1 << 53) - 1;

impl Counter {
    /// `name` is for whom, of a budget for each.
    pub fn of_budget(budget: &Budget, name: Option<&DisplayName>, now: DateTime<Utc>) -> Self {
        let counting = budget.counting(now);
        let carry = budget.carried_from(counting).map(|before| CarriedOver {
            previous: CounterKey::of_budget(budget.id, Counting::Period(before), name),
            amount: budget.spec.amount.get(),
        });
        Self {
            key: CounterKey::of_budget(budget.id, counting, name),
            cap: budget.cap(now).get().min(NO_CAP),
            counting,
            exact: budget.spec.mode == BudgetMode::Strict,
            when_unavailable: budget.spec.when_unavailable(),
            carry,
        }
    }

    /// Of one of the numbers of a limit.
    pub fn of_limit(limit: &RateLimit, (measure, most): (Measure, u64), name: Option<&DisplayName>) -> Self {
        Self {
            key: CounterKey::of_limit(limit.id, measure, name),
            cap: if limit.spec.shadow { NO_CAP } else { most_counted(most) },
            counting: measure.counting(),
            exact: false,
            when_unavailable: limit.spec.when_unavailable(),
            carry: None,
        }
    }
}

impl Met<Budget> {
    pub(super) fn counter(&self, now: DateTime<Utc>) -> Counter {
        Counter::of_budget(&self.it, self.name.as_ref(), now)
    }
}

impl Met<RateLimit> {
    pub(super) fn counter(&self, measure: Measure, most: u64) -> Counter {
        Counter::of_limit(&self.it, (measure, most), self.name.as_ref())
    }
}

pub(super) fn most_counted(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(NO_CAP).min(NO_CAP)
}
