//! Keeps the counters of budgets at what the ledger says. Until an organization's are filled, each budget's
//! `when_unavailable` decides, so those that nodes ask for are filled at once; the rest is looked after by one node at a
//! time.

use std::collections::BTreeSet;
use std::time::Duration;

use gatewright_coord::{Claim, Counters, HealthBoard};
use gatewright_store::Db;
use gatewright_types::OrganizationId;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::repeat;
use crate::ledger::reconciler::{ReconcileError, Reconciler, seed};

/// Requests may be waiting.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// Of a node's time, comparing takes no more than one part of so many.
const SHARE: u32 = 10;

#[derive(Debug)]
struct State {
    reconciler: Reconciler,
    /// Whether all organizations were looked at since this process began.
    began: bool,
    next: Instant,
}

/// Fills and compares until it is told to stop.
pub async fn run(db: Db, counters: Counters, board: HealthBoard, stop: CancellationToken) {
    let state = Mutex::new(State {
        reconciler: Reconciler::default(),
        began: false,
        next: Instant::now(),
    });
    repeat("keeping the counters of budgets", LOOK_EVERY, &stop, || async {
        look(&db, &counters, &board, &mut *state.lock().await).await
    })
    .await;
}

async fn look(db: &Db, counters: &Counters, board: &HealthBoard, state: &mut State) -> Result<(), ReconcileError> {
    let mut waiting: BTreeSet<OrganizationId> = counters.awaiting_seed().await?.into_iter().collect();
    if !state.began {
        waiting.extend(db.system().organizations_that_count().await?);
    }
    // What fails for one organization keeps none of the others waiting.
    let mut done = Ok(());
    for organization in waiting {
        match seed(db, counters, organization).await {
            Ok(true) => tracing::info!(organization.id = %organization, "counters were filled from the ledger"),
            Ok(false) => {}
            Err(error) => done = Err(error),
        }
    }
    done?;
    state.began = true;
    if Instant::now() < state.next {
        return Ok(());
    }
    let mut done = Ok(());
    let took = Instant::now();
    if let Claim::Made = board.claim("reconciler", COMPARE_EVERY / 2).await? {
        for organization in db.system().organizations_that_count().await? {
            match state.reconciler.reconcile(db, counters, organization).await {
                Ok(repaired) => tracing::debug!(
                    organization.id = %organization,
                    raised = repaired.raised,
                    lowered = repaired.lowered,
                    "counters were compared with the ledger"
                ),
                Err(error) => done = Err(error),
            }
        }
    }
    state.next = Instant::now() + COMPARE_EVERY.max(took.elapsed() * SHARE);
    done
}
