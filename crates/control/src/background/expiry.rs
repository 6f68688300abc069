//! Removes what is over: ended sessions, sums of usage too fine for their age, old traces of requests, sums of canaries'
//! rounds that are over, and what was added to budgets for a while. Nothing depends on it being done in time: whoever reads checks the times.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use gatewright_store::{DatabaseError, Db};
use tokio_util::sync::CancellationToken;

use super::repeat;

const EVERY: Duration = Duration::from_secs(10 * 60);

/// How long what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub session_idle: Duration,
    /// Requests; for ever when absent.
    pub usage: Option<Duration>,
}

/// Cleans up until it is told to stop.
pub async fn run(db: Db, kept: Kept, stop: CancellationToken) {
    repeat("removing what has expired", EVERY, &stop, || remove(&db, kept)).await;
}

async fn remove(db: &Db, kept: Kept) -> Result<(), DatabaseError> {
    let now = Utc::now();
    // Before anything else: what comes in belongs there.
    db.system().make_usage_parts(now).await?;
    let before = |time: Duration| {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        now.checked_sub_signed(time).unwrap_or(chrono::DateTime::<Utc>::MIN_UTC)
    };
    let idle_since = before(kept.session_idle);
    let sessions = db.system().remove_ended_sessions(now, idle_since).await?;
    let sums = db.system().prune_rollups(now).await?;
    let traces = db.system().remove_old_traces(now).await?;
    let canary_sums = db.system().prune_canary_usage().await?;
    let increases = db.system().remove_ended_increases(now).await?;
    let usage = match kept.usage {
        Some(usage) => db.system().remove_usage_before(before(usage), now).await?,
        None => 0,
    };
    tracing::debug!(
        sessions,
        usage,
        sums,
        traces,
        canary_sums,
        increases,
        "what had expired was removed"
    );
    Ok(())
}
