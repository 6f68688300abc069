//! A call for counters, and what becomes of the accounts that it is made for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatewright_coord::{CounterDemand, Take, Taken};
use gatewright_types::OrganizationId;
use tokio::time::{Instant, timeout};

use super::Inner;
use super::account::Account;

/// A request waits for the counters no longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Demands of accounts that are marked as asking. Dropped without an answer, it was not heard as far as is known.
#[derive(Default)]
pub(super) struct Call {
    /// With what was reserved ahead of the answer.
    accounts: Vec<(Arc<Account>, i64)>,
    demands: Vec<CounterDemand>,
}

pub(super) enum Outcome {
    Granted,
    /// These demands, by their places, found too little.
    Refused {
        lacking: Vec<usize>,
    },
    /// What was spent is still to be told by the ledger.
    Unfilled {
        soon: bool,
    },
    Unknown,
}

impl Call {
    pub(super) fn add(&mut self, account: &Arc<Account>, amount: i64, demand: CounterDemand) {
        self.accounts.push((account.clone(), amount));
        self.demands.push(demand);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.demands.is_empty()
    }

    pub(super) async fn make(mut self, inner: &Inner, organization: OrganizationId) -> Outcome {
        let take = Take {
            organization,
            holder: inner.holder,
            number: inner.next_number(),
            demands: std::mem::take(&mut self.demands),
        };
        let asked_at = Instant::now();
        inner.metrics.counter_round_trip();
        let taken = match timeout(PATIENCE, inner.counters.take(&take)).await {
            Ok(Ok(taken)) => taken,
            Ok(Err(error)) => {
                inner.is_away(&error);
                return Outcome::Unknown;
            }
            Err(elapsed) => {
                inner.is_away(&elapsed);
                return Outcome::Unknown;
            }
        };
        inner.away.answered();
        let Taken::Answered { now, granted, answers } = taken else {
            let soon = self
                .accounts
                .iter()
                .fold(false, |soon, (account, _)| account.unseeded() || soon);
            return Outcome::Unfilled { soon };
        };
        inner.clock.learn(now, asked_at);
        let mut lacking = Vec::new();
        for (place, ((account, amount), answer)) in self.accounts.drain(..).zip(&answers).enumerate() {
            if account.answered(answer, granted, amount, asked_at, now) {
                inner.urgent.add(&account);
            }
            inner.nodes.store(answer.nodes, Ordering::Relaxed);
            if answer.lacks {
                lacking.push(place);
            }
        }
        match granted {
            true => Outcome::Granted,
            false => Outcome::Refused { lacking },
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        for (account, amount) in &self.accounts {
            account.unanswered(*amount);
        }
    }
}

impl Inner {
    fn is_away(&self, error: &(dyn std::error::Error + 'static)) {
        if self.away.failed() {
            tracing::warn!(
                error = error,
                "what was spent of budgets and limits cannot be asked for: each goes on as its when_unavailable says"
            );
        }
    }
}
