//! Compares the counters that nodes go by with the ledger, without changing either.

use gatewright_coord::Counters;
use gatewright_store::Scope;
use gatewright_types::api::{LedgerCheck, LedgerDifference, LedgerSums, LedgerVerification};
use gatewright_types::{Nanos, OrganizationId};

use super::reconciler::{ReconcileError, beside, parts};

/// What nodes have spent and not handed over yet is a difference for as long as that takes.
pub(crate) async fn compare_counters(
    scope: &Scope<'_>,
    counters: &Counters,
    organization: OrganizationId,
    verification: &mut LedgerVerification,
) -> Result<(), ReconcileError> {
    let now = counters.now().await?;
    let budgets = scope.counted_budgets().await?;
    let beside = beside(scope, counters, organization, &budgets, now).await?;
    let differences = beside.iter().filter_map(|(booked, standing)| {
        let parts = parts(booked, standing, now);
        let sum = |of: fn(&(i64, i64)) -> i64| parts.values().map(of).sum();
        let (ledger, counter) = (sum(|part| part.0), sum(|part| part.1));
        (ledger != counter).then(|| LedgerDifference {
            budget: Some(booked.budget),
            name: booked.name.clone(),
            start: booked.from,
            ..LedgerDifference::between(LedgerCheck::Counters, spent(ledger), spent(counter))
        })
    });
    let compared = u64::try_from(beside.len()).unwrap_or(u64::MAX);
    verification.note(LedgerCheck::Counters, compared, differences);
    Ok(())
}

fn spent(nanos: i64) -> LedgerSums {
    LedgerSums {
        cost: Nanos::new(nanos),
        ..LedgerSums::default()
    }
}
