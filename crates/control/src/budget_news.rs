//! What follows from usage that came in: steps of budgets that were reached are noted, and a budget that asks when it
//! refuses does so, once in a window.

use chrono::Utc;
use gatewright_contract::UsageRecord;
use gatewright_store::{Actor, AskingBudget, Change, Db, WriteError};
use gatewright_types::{BudgetRequestId, RequestId};
use serde_json::json;

/// Any number of times, by any number of nodes.
pub(crate) async fn follow(db: &Db, records: &[UsageRecord]) -> Result<(), WriteError> {
    for reached in db.system().note_reached(records, Utc::now()).await? {
        tracing::info!(
            organization.id = %reached.organization,
            budget.id = %reached.budget,
            step = reached.step,
            spent = %reached.spent,
            cap = %reached.cap,
            "{} percent of a budget is spent",
            reached.step,
        );
    }
    for asking in db.system().asking_budgets(records).await? {
        ask(db, &asking).await?;
    }
    Ok(())
}

async fn ask(db: &Db, asking: &AskingBudget) -> Result<(), WriteError> {
    let actor = Actor::system(RequestId::mint().to_string());
    let change = Change::new(
        asking.organization,
        "budget.request",
        asking.budget,
        json!({"by": "a refused request"}),
    );
    let written = db
        .write(&actor, change, async |tx| {
            tx.ask_for_refused(asking, BudgetRequestId::mint()).await
        })
        .await;
    match written {
        // Another node was first, or the budget went meanwhile.
        Ok(_) | Err(WriteError::NotFound | WriteError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
