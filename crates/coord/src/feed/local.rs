//! The feed within one process. It hands units over to its one follower and drops them when the follower has read on,
//! so that a large configuration is not held twice. A writer waits for a follower that is behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gatewright_contract::{Digest, Revision, Unit, UnitId};
use gatewright_types::OrganizationId;
use tokio::sync::watch;

use super::{FeedState, Read, UnitPage, Wake};
use crate::CoordError;

/// How many units may wait for the follower.
const ROOM: usize = 20_000;
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct LocalFeed {
    shared: Arc<Shared>,
}

/// Hears of writes to a local feed.
#[derive(Debug)]
pub struct LocalNotices {
    written: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Shared {
    filling: Mutex<Option<Filling>>,
    /// Counts epochs, for their names.
    epochs: AtomicU64,
    /// Counts writes.
    written: watch::Sender<u64>,
    /// Counts reads that made room.
    drained: watch::Sender<u64>,
}

#[derive(Debug)]
struct Filling {
    state: FeedState,
    waiting: BTreeMap<(Revision, OrganizationId, UnitId), Unit>,
    /// Everything up to here was handed over and dropped.
    dropped: Revision,
}

impl LocalFeed {
    pub fn new() -> Self {
        let shared = Shared {
            filling: Mutex::default(),
            epochs: AtomicU64::default(),
            written: watch::Sender::new(0),
            drained: watch::Sender::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(super) fn state(&self) -> Option<FeedState> {
        self.filling().as_ref().map(|filling| filling.state.clone())
    }

    pub(super) fn reset(&self, source: &str, complete_at: Revision) -> FeedState {
        let epoch = format!("{source}.{}", self.shared.epochs.fetch_add(1, Ordering::Relaxed));
        let state = FeedState {
            source: source.to_owned(),
            epoch,
            revision: Revision::default(),
            complete_at,
        };
        let filling = Filling {
            state: state.clone(),
            waiting: BTreeMap::new(),
            dropped: Revision::default(),
        };
        *self.filling() = Some(filling);
        self.shared.written.send_modify(|count| *count += 1);
        state
    }

    pub(super) async fn write(&self, epoch: &str, units: &[Unit], up_to: Revision) -> Result<(), CoordError> {
        let mut drained = self.shared.drained.subscribe();
        let room = drained.wait_for(|_| self.has_room());
        match tokio::time::timeout(PATIENCE, room).await {
            Ok(found) => {
                found.expect("the feed holds the sender");
            }
            Err(_) => return Err(CoordError::Full),
        }

        if let Some(filling) = self.filling().as_mut().filter(|filling| filling.state.epoch == epoch) {
            for unit in units.iter().filter(|unit| unit.revision > filling.dropped) {
                filling
                    .waiting
                    .insert((unit.revision, unit.organization, unit.id), unit.clone());
            }
            filling.state.revision = filling.state.revision.max(up_to);
        } else {
            return Err(CoordError::OtherEpoch);
        }
        self.shared.written.send_modify(|count| *count += 1);
        Ok(())
    }

    pub(super) fn read_since(&self, epoch: &str, after: Revision, limit: usize) -> Read {
        let mut filling = self.filling();
        let Some(current) = filling.as_mut().filter(|current| current.state.epoch == epoch) else {
            return Read::OtherEpoch;
        };
        if after < current.dropped {
            // A follower that forgot what it was given: the publisher has to fill the feed again.
            *filling = None;
            return Read::OtherEpoch;
        }
        let page = current.page(after, limit);
        drop(filling);
        self.shared.drained.send_modify(|count| *count += 1);
        Read::Page(page)
    }

    pub(super) fn key(&self, digest: &Digest) -> Result<Option<Unit>, CoordError> {
        let filling = self.filling();
        let Some(current) = filling.as_ref().filter(|current| current.state.is_complete()) else {
            return Err(CoordError::NotFilled);
        };
        let found = current
            .waiting
            .values()
            .rev()
            .find(|unit| unit.id == UnitId::Key(*digest));
        Ok(found.filter(|unit| unit.body.is_some()).cloned())
    }

    pub(super) fn notices(&self) -> LocalNotices {
        let mut written = self.shared.written.subscribe();
        written.mark_changed();
        LocalNotices { written }
    }

    fn has_room(&self) -> bool {
        self.filling()
            .as_ref()
            .is_none_or(|filling| filling.waiting.len() < ROOM)
    }

    fn filling(&self) -> MutexGuard<'_, Option<Filling>> {
        self.shared
            .filling
            .lock()
            .expect("nothing panics while it holds the feed")
    }
}

impl Default for LocalFeed {
    fn default() -> Self {
        Self::new()
    }
}

impl Filling {
    fn page(&mut self, after: Revision, limit: usize) -> UnitPage {
        while self
            .waiting
            .first_key_value()
            .is_some_and(|((revision, ..), _)| *revision <= after)
        {
            self.waiting.pop_first();
        }
        self.dropped = after;
        let head = self.state.revision;
        let mut units: Vec<Unit> = Vec::new();
        for (place, unit) in &self.waiting {
            let complete = units.len() >= limit && units.last().is_some_and(|last| last.revision < place.0);
            if place.0 > head || complete {
                break;
            }
            units.push(unit.clone());
        }
        let last = units.last().map_or(after, |unit| unit.revision);
        let more = self
            .waiting
            .keys()
            .any(|(revision, ..)| *revision > last && *revision <= head);
        let up_to = if more { last } else { head.max(after) };
        UnitPage { units, up_to, more }
    }
}

impl LocalNotices {
    pub(super) async fn next(&mut self, timeout: Duration) -> Wake {
        match tokio::time::timeout(timeout, self.written.changed()).await {
            Ok(Ok(())) => Wake::Notice,
            // The feed itself is gone: nothing will be written any more, and the caller keeps its own pace.
            Ok(Err(_)) => {
                tokio::time::sleep(timeout).await;
                Wake::Timer
            }
            Err(_) => Wake::Timer,
        }
    }
}
