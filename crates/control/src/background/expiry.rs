//! Removes what is over: ended sessions, sums of usage too fine for their age, old traces of requests, sums of canaries'
//! rounds that are over, and what was added to budgets for a while. Nothing depends on it being done in time: whoever reads checks the times.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use gatewright_store::{DatabaseError, Db};
use tokio_util::sync::CancellationToken;

use super::repeat;

const EVERY: Duration = Duration::from_secs(10 * 60);

/// Cleans up until it is told to stop.
pub async fn run(db: Db, session_idle: Duration, stop: CancellationToken) {
    repeat("removing what has expired", EVERY, &stop, || remove(&db, session_idle)).await;
}

async fn remove(db: &Db, session_idle: Duration) -> Result<(), DatabaseError> {
    let now = Utc::now();
    let idle = TimeDelta::from_std(session_idle).unwrap_or(TimeDelta::MAX);
    let idle_since = now.checked_sub_signed(idle).unwrap_or(chrono::DateTime::<Utc>::MIN_UTC);
    let sessions = db.system().remove_ended_sessions(now, idle_since).await?;
    let sums = db.system().prune_rollups(now).await?;
    let traces = db.system().remove_old_traces(now).await?;
    let canary_sums = db.system().prune_canary_usage().await?;
    let increases = db.system().remove_ended_increases(now).await?;
    tracing::debug!(
        sessions,
        sums,
        traces,
        canary_sums,
        increases,
        "what had expired was removed"
    );
    Ok(())
}
