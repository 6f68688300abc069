//! Brings the configuration feed to where the database is. It compares the two and repairs the difference, so it needs
//! no input: being woken by a commit only makes it quicker, and a feed that was lost is filled again.

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::Revision;
use gatewright_coord::{CoordError, Feed, FeedState};
use gatewright_store::{DatabaseError, Db, Place};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::Trouble;

const LOOK_EVERY: Duration = Duration::from_secs(2);
const PAGE: u32 = 1_000;
/// How long a change waits to be published before it is answered all the same.
const PATIENCE: Duration = Duration::from_millis(250);

/// Where those who change the configuration and the publisher of their process meet.
#[derive(Debug, Clone, Default)]
pub struct Publishing {
    wake: Arc<Notify>,
    /// How far the feed is; nothing while no publisher has come that far.
    reached: Arc<watch::Sender<Option<Revision>>>,
}

impl Publishing {
    /// Wakes the publisher and waits until the feed has the revision. A feed that is away is not waited for long, and a
    /// publisher that never got anywhere not at all.
    pub(crate) async fn publish(&self, revision: Revision) {
        self.wake.notify_one();
        let mut reached = self.reached.subscribe();
        if reached.borrow().is_some() {
            let there = reached.wait_for(|reached| reached.is_some_and(|reached| reached >= revision));
            // Late is no failure: the timer publishes it.
            drop(tokio::time::timeout(PATIENCE, there).await);
        }
    }
}

/// Why the feed is not where the database is.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("the configuration cannot be read")]
    Database(#[from] DatabaseError),
    #[error("the configuration feed cannot be written")]
    Feed(#[from] CoordError),
}

/// Publishes after each commit, and looks every two seconds whether there is something to repair.
pub async fn run(db: Db, feed: Feed, publishing: Publishing, stop: CancellationToken) {
    let mut trouble = Trouble::new("publishing the configuration");
    while !stop.is_cancelled() {
        match publish_once(&db, &feed).await {
            Ok(revision) => {
                publishing.reached.send_replace(Some(revision));
                trouble.over();
            }
            // Another publisher began anew: the next look sees what it did.
            Err(PublishError::Feed(CoordError::OtherEpoch)) => {}
            Err(error) => {
                if !trouble.wait(&error, &stop).await {
                    return;
                }
                continue;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = publishing.wake.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Copies what the feed lacks, from the beginning when it is empty, of another database, or ahead of this one (which
/// was restored from a backup). Tells how far the feed is now.
pub async fn publish_once(db: &Db, feed: &Feed) -> Result<Revision, PublishError> {
    let system = db.system();
    let source = system.installation_id().await?.simple().to_string();
    let target = system.revision().await?;
    let usable = |state: &FeedState| state.source == source && state.revision <= target;
    let state = match feed.state().await?.filter(usable) {
        Some(state) => state,
        None => feed.reset(&source, target).await?,
    };
    if state.revision == target {
        return Ok(target);
    }

    let mut place = Place::after_revision(state.revision);
    loop {
        let units = system.units_since(place, PAGE).await?;
        let Some(last) = units.last() else {
            feed.write(&state.epoch, &[], target).await?;
            return Ok(target);
        };
        if units.len() < PAGE as usize {
            let reached = target.max(last.revision);
            feed.write(&state.epoch, &units, reached).await?;
            return Ok(reached);
        }
        // More units may share the last one's revision, so that one is not complete yet.
        let complete = Revision(last.revision.0.saturating_sub(1));
        place = Place::after_unit(last);
        feed.write(&state.epoch, &units, complete).await?;
    }
}
