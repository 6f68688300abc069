//! Keeps the counters of budgets at what the ledger says. Until an organization's are filled, each budget's
//! `when_unavailable` decides, so those that nodes ask for are filled at once; the rest is looked after by one node at a
//! time.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use gatewright_coord::{Claim, Counters, HealthBoard};
use gatewright_store::Db;
use gatewright_types::OrganizationId;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::repeat;
use crate::error::chain;
use crate::ledger::reconciler::{ReconcileError, Reconciler, seed};

/// Who waits is told of at once; what is told may be lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const COMPARE_LOOK_EVERY: Duration = Duration::from_millis(100);
/// Many may wait, and each of them mostly for the database.
const FILLED_AT_ONCE: usize = 4;
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// Of a node's time, comparing takes no more than one part of so many.
const SHARE: u32 = 10;

#[derive(Debug, Default)]
struct Filling {
    /// Organizations that this process has not looked at since it began; nothing before they are known.
    unseen: Option<BTreeSet<OrganizationId>>,
    /// When those of which the counters could not be filled have their next turn.
    failed: HashMap<OrganizationId, Instant>,
}

#[derive(Debug)]
struct Comparing {
    reconciler: Reconciler,
    next: Instant,
}

/// Fills and compares until it is told to stop. Whoever waits for counters to be filled does not wait for others to be
/// compared.
pub async fn run(db: Db, counters: Counters, board: HealthBoard, stop: CancellationToken) {
    let filling = Mutex::new(Filling::default());
    let comparing = Mutex::new(Comparing {
        reconciler: Reconciler::default(),
        next: Instant::now(),
    });
    let asked_for = Mutex::new(counters.seeds_asked_for());
    tokio::join!(
        repeat("filling the counters of budgets", Duration::ZERO, &stop, || async {
            let mut filling = filling.lock().await;
            fill(&db, &counters, &mut filling).await?;
            let mut asked_for = asked_for.lock().await;
            tokio::select! {
                () = stop.cancelled() => {}
                _ = asked_for.next(filling.patience()) => {}
            }
            Ok::<_, ReconcileError>(())
        }),
        repeat(
            "comparing the counters of budgets",
            COMPARE_LOOK_EVERY,
            &stop,
            || async { compare(&db, &counters, &board, &mut *comparing.lock().await).await }
        ),
    );
}

impl Filling {
    /// How long it waits for somebody to ask.
    fn patience(&self) -> Duration {
        let is_done = self.failed.is_empty() && self.unseen.as_ref().is_some_and(BTreeSet::is_empty);
        if is_done { LOOK_EVERY } else { AGAIN_AFTER }
    }
}

/// What fails for some organizations keeps none of the others waiting, and is tried again by and by.
async fn fill(db: &Db, counters: &Counters, filling: &mut Filling) -> Result<(), ReconcileError> {
    let mut waiting: BTreeSet<OrganizationId> = counters.awaiting_seed().await?.into_iter().collect();
    let unseen = match &mut filling.unseen {
        Some(unseen) => unseen,
        unknown => {
            let all = db.system().organizations_that_count().await?;
            unknown.insert(all.into_iter().collect())
        }
    };
    waiting.extend(&*unseen);
    let now = Instant::now();
    filling.failed.retain(|_, again_at| *again_at > now);
    waiting.retain(|organization| !filling.failed.contains_key(organization));

    let filled = stream::iter(waiting).map(async |organization| (organization, seed(db, counters, organization).await));
    let filled: Vec<_> = filled.buffer_unordered(FILLED_AT_ONCE).collect().await;
    let all_failed = filled.iter().all(|(_, filled)| filled.is_err());
    for (organization, filled) in filled {
        match filled {
            Ok(true) => tracing::info!(organization.id = %organization, "counters were filled from the ledger"),
            Ok(false) => {}
            // It is not about this one.
            Err(error) if all_failed => return Err(error),
            Err(error) => {
                tracing::error!(
                    organization.id = %organization, error = %chain(&error),
                    "counters could not be filled, and this is tried again"
                );
                filling.failed.insert(organization, now + AGAIN_AFTER);
                continue;
            }
        }
        unseen.remove(&organization);
    }
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
