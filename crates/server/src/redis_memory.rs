//! Looks now and then whether Redis keeps what it is given: budgets and limits rely on it. For the log, and for `/readyz`.

use std::time::Duration;

use gatewright_coord::{Eviction, Redis};
use tokio::sync::watch;

use crate::tasks::Stop;

const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What was found last; nothing before that.
pub(crate) type Found = watch::Receiver<Option<Eviction>>;

/// Looks until told to stop. What cannot be asked stays as it was: that Redis is away is told elsewhere.
pub(crate) async fn run(redis: Redis, found: watch::Sender<Option<Eviction>>, mut stop: Stop) {
    while !*stop.borrow() {
        match redis.eviction().await {
            Ok(eviction) => {
                let is_new = found.send_if_modified(|known| {
                    let is_new = known.as_ref() != Some(&eviction);
                    *known = Some(eviction.clone());
                    is_new
                });
                if is_new {
                    tell(&eviction);
                }
            }
            Err(error) => tracing::debug!(%error, "redis could not be asked whether it evicts"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

fn tell(eviction: &Eviction) {
    match eviction {
        Eviction::Never => tracing::debug!("redis keeps what it is given"),
        Eviction::By(policy) => tracing::warn!(
            redis.maxmemory_policy = policy,
            "redis evicts by {policy}, so counters of budgets and limits may vanish and more be spent than is allowed: set \
             maxmemory-policy to noeviction"
        ),
        Eviction::Untold => tracing::warn!(
            "redis does not tell its maxmemory-policy: it has to be noeviction, or counters of budgets and limits may vanish"
        ),
    }
}

/// In a word for `/readyz`, where there is something to tell.
pub(crate) fn in_words(eviction: &Eviction) -> Option<String> {
    match eviction {
        Eviction::Never | Eviction::Untold => None,
        Eviction::By(policy) => Some(format!(
            "up, but evicts by {policy}: maxmemory-policy has to be noeviction"
        )),
    }
}
