//! Keeps the counters of budgets at what the ledger says. Until an organization's are filled, each budget's
//! `when_unavailable` decides, so those that nodes ask for are filled at once; the rest is looked after by one node at a
//! time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
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
struct Comparing {
    reconciler: Reconciler,
    next: Instant,
}

/// Fills and compares until it is told to stop. Whoever waits for counters to be filled does not wait for others to be
/// compared.
pub async fn run(db: Db, counters: Counters, board: HealthBoard, stop: CancellationToken) {
    let began = AtomicBool::new(false);
    let comparing = Mutex::new(Comparing {
        reconciler: Reconciler::default(),
        next: Instant::now(),
    });
    tokio::join!(
        repeat("filling the counters of budgets", LOOK_EVERY, &stop, || fill(
            &db, &counters, &began
        )),
        repeat("comparing the counters of budgets", LOOK_EVERY, &stop, || async {
            compare(&db, &counters, &board, &mut *comparing.lock().await).await
        }),
    );
}

/// `began` says whether all organizations were looked at since this process began.
async fn fill(db: &Db, counters: &Counters, began: &AtomicBool) -> Result<(), ReconcileError> {
    let mut waiting: BTreeSet<OrganizationId> = counters.awaiting_seed().await?.into_iter().collect();
    if !began.load(Ordering::Relaxed) {
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
    began.store(true, Ordering::Relaxed);
    Ok(())
}

async fn compare(
    db: &Db,
    counters: &Counters,
    board: &HealthBoard,
    state: &mut Comparing,
) -> Result<(), ReconcileError> {
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
