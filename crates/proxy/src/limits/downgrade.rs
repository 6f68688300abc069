//! Budgets that, once so much of them is spent, send requests to another model.

use std::sync::Arc;

use gatewright_contract::{Budget, Caller, Model};
use gatewright_types::Nanos;
use gatewright_types::api::BudgetAction;

use super::over::Over;
use super::path::Met;
use crate::accounts::{Accounts, Demand, Denied, Standing};
use crate::refusal::Refusal;

/// Enough to have a node ask how a counter stands of which it knows nothing.
const LEAST: i64 = 1;

/// The model that the narrowest of them chose. `asked` is the one that was asked for.
pub(super) async fn downgraded(
    accounts: &Accounts,
    caller: &Caller,
    asked: Option<&Arc<Model>>,
    budgets: &[Met<Budget>],
) -> Result<Option<Arc<Model>>, Refusal> {
    for met in budgets {
        let BudgetAction::Downgrade(name) = &met.it.spec.action else {
            continue;
        };
        if asked.is_none_or(|asked| asked.name == *name) {
            continue;
        }
        let standing = standing(accounts, caller, met).await;
        let from = met.it.spec.soft.map_or(standing.cap, Nanos::get);
        if standing.spent_or_reserved < from {
            continue;
        }
        return match caller.tenant.models.get(name) {
            Some(model) => Ok(Some(model.clone())),
            // What it is to be spared would be spent.
            None => Err(Over::budget(met, Some((standing, Nanos::ZERO)), caller).into()),
        };
    }
    Ok(None)
}

async fn standing(accounts: &Accounts, caller: &Caller, met: &Met<Budget>) -> Standing {
    let counter = met.counter(accounts.now());
    let demand = Demand {
        counter: counter.clone(),
        amount: LEAST,
    };
    match accounts.reserve(caller.tenant.id, &[demand], None).await {
        Err(Denied::Spent { standing, .. }) => standing,
        Ok(_) | Err(Denied::Unavailable { .. }) => accounts.peek(caller.tenant.id, &counter),
    }
}
