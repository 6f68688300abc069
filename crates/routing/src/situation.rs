//! Everything a decision depends on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{Caller, Catalog, Model};
use gatewright_llm::Needs;
use gatewright_types::Nanos;

use crate::{Asked, Health, Turns};

#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    pub caller: &'a Caller,
    pub model: &'a Arc<Model>,
    pub asked: Asked<'a>,
    /// What the request needs, where that is known and the request itself is not.
    pub needs: Option<Needs>,
    pub health: &'a Health,
    pub turns: &'a Turns,
    pub catalog: &'a Catalog,
    /// Of the budgets that its cost counts in, the one of which the least is left, as far as the node knows.
    pub budget: Option<BudgetView>,
    pub now: DateTime<Utc>,
    /// Decides whatever is left to chance.
    pub dice: u64,
}

/// How a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetView {
    pub cap: Nanos,
    pub spent: Nanos,
}

impl BudgetView {
    /// Of a budget of nothing, nothing is left.
    pub fn remaining_percent(self) -> f64 {
        let (cap, spent) = (self.cap.get(), self.spent.get());
        if cap <= 0 || spent >= cap {
            return 0.0;
        }
        100.0 - dollars(self.spent) * 100.0 / dollars(self.cap)
    }

    pub fn remaining(self) -> Nanos {
        self.cap.saturating_sub(self.spent).max(Nanos::ZERO)
    }
}

/// As conditions read it, who compare it with a number.
#[expect(
    clippy::cast_precision_loss,
    reason = "a condition needs no nano-dollars of a million"
)]
pub(crate) fn dollars(amount: Nanos) -> f64 {
    amount.get() as f64 / 1e9
}
