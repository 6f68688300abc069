//! Follows the configuration feed and keeps this node's published snapshot in step with it: woken by notices, correct
//! without them. It never publishes a fragment: a feed that starts over is read to its end beside the snapshot in use.

mod key_lookup;
mod restore;
mod snapshot_file;
mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::{Published, Revision, Snapshot, Unit};
use gatewright_coord::{CoordError, Feed, FeedState, Read};
use tokio::sync::{Mutex, Notify, watch};

use crate::tasks::Stop;
use snapshot_file::SnapshotFile;

pub(crate) use key_lookup::{KeySource, lookup};
pub(crate) use status::FollowStatus;

/// Units read at a time.
const PAGE: usize = 2_000;
/// Without a notice the feed is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const SNAPSHOT_FILE: &str = "snapshot.jsonl";

/// The one writer of the published snapshot. Clones are the same follower.
#[derive(Debug, Clone)]
pub(crate) struct Follower {
    feed: Feed,
    published: Published,
    status: FollowStatus,
    progress: Arc<Mutex<Progress>>,
    /// Counts publications.
    changes: watch::Sender<u64>,
    /// Asks for a look before its time.
    nudge: Arc<Notify>,
    on_disk: OnDisk,
}

/// Whether the node keeps its last good snapshot on disk.
#[derive(Debug, Clone)]
pub(crate) enum OnDisk {
    Kept(PathBuf),
    /// The database is at hand.
    NotNeeded,
}

/// Where the follower is. Held while the published snapshot is replaced.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// What the published snapshot was read from.
    serving: Option<Cursor>,
    file: Option<SnapshotFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    epoch: String,
    up_to: Revision,
}

/// A snapshot on its way to completeness.
#[derive(Debug)]
struct Building {
    cursor: Cursor,
    snapshot: Snapshot,
    file: Option<SnapshotFile>,
}

/// How a look at the feed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Nothing more to read for now.
    Done,
    /// The feed started over while it was read.
    Again,
}

impl OnDisk {
    pub(crate) fn kept_in(data_directory: &std::path::Path) -> Self {
        Self::Kept(data_directory.join(SNAPSHOT_FILE))
    }
}

impl Follower {
    pub(crate) fn new(feed: Feed, published: Published, on_disk: OnDisk) -> Self {
        Self {
            feed,
            published,
            status: FollowStatus::default(),
            progress: Arc::default(),
            changes: watch::Sender::new(0),
            nudge: Arc::default(),
            on_disk,
        }
    }

    pub(crate) fn status(&self) -> FollowStatus {
        self.status.clone()
    }

    /// Follows until told to stop.
    pub(crate) async fn run(self, mut stop: Stop) {
        let mut notices = self.feed.notices();
        let mut building = None;
        while !*stop.borrow() {
            match self.look(&mut building).await {
                Ok(Look::Again) => continue,
                Ok(Look::Done) => self.status.reached(),
                Err(error) => self.status.failed(&error),
            }
            tokio::select! {
                _ = notices.next(pause()) => {}
                () = self.nudge.notified() => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn look(&self, building: &mut Option<Building>) -> Result<Look, CoordError> {
        let Some(state) = self.feed.state().await? else {
            // Emptied, or not filled yet: what is served goes on being served.
            *building = None;
            return Ok(Look::Done);
        };
        let serving = self.progress.lock().await.serving.clone();
        match serving.filter(|cursor| cursor.epoch == state.epoch) {
            Some(cursor) => {
                *building = None;
                self.go_on(cursor).await
            }
            None => self.build(state, building).await,
        }
    }

    /// Applies what came after the cursor to the snapshot in use.
    async fn go_on(&self, mut cursor: Cursor) -> Result<Look, CoordError> {
        loop {
            let page = match self.feed.read_since(&cursor.epoch, cursor.up_to, PAGE).await? {
                Read::Page(page) => page,
                Read::OtherEpoch => return Ok(Look::Again),
            };
            if page.units.is_empty() && page.up_to == cursor.up_to {
                return Ok(Look::Done);
            }
            cursor.up_to = page.up_to;
            let mut progress = self.progress.lock().await;
            write_page(&mut progress.file, &page.units, page.up_to);
            self.publish(self.current(), page.units, page.up_to);
            progress.serving = Some(cursor.clone());
            if progress.file.as_ref().is_some_and(SnapshotFile::is_mostly_old) {
                progress.file = compacted(progress.file.take()).await;
            }
            if !page.more {
                self.status.report_problems();
                return Ok(Look::Done);
            }
        }
    }

    /// Reads an epoch from its beginning, and publishes it once it is complete.
    async fn build(&self, state: FeedState, place: &mut Option<Building>) -> Result<Look, CoordError> {
        let mut building = match place.take().filter(|building| building.cursor.epoch == state.epoch) {
            Some(building) => building,
            None => self.begin(&state.epoch),
        };
        loop {
            let cursor = &building.cursor;
            let page = match self.feed.read_since(&cursor.epoch, cursor.up_to, PAGE).await? {
                Read::Page(page) => page,
                Read::OtherEpoch => return Ok(Look::Again),
            };
            building.cursor.up_to = page.up_to;
            write_page(&mut building.file, &page.units, page.up_to);
            building.snapshot = self.status.apply(&building.snapshot, page.units);
            if !page.more {
                break;
            }
        }
        if building.cursor.up_to < state.complete_at {
            *place = Some(building);
            return Ok(Look::Done);
        }
        self.take_over(building).await;
        // More may have been written meanwhile.
        Ok(Look::Again)
    }

    fn begin(&self, epoch: &str) -> Building {
        let file = match &self.on_disk {
            OnDisk::Kept(path) => opened(SnapshotFile::begin(path, epoch)),
            OnDisk::NotNeeded => None,
        };
        self.status.start_over();
        let cursor = Cursor {
            epoch: epoch.to_owned(),
            up_to: Revision::default(),
        };
        Building {
            cursor,
            snapshot: Snapshot::default(),
            file,
        }
    }

    async fn take_over(&self, building: Building) {
        let Building { cursor, snapshot, file } = building;
        let mut progress = self.progress.lock().await;
        progress.file = match (&self.on_disk, file) {
            (OnDisk::Kept(path), Some(file)) => opened(file.replace(path)),
            (OnDisk::Kept(_) | OnDisk::NotNeeded, _) => None,
        };
        tracing::info!(
            config.revision = cursor.up_to.0,
            config.epoch = cursor.epoch,
            organizations = snapshot.organization_count(),
            keys = snapshot.key_count(),
            "the configuration was read from its beginning"
        );
        self.publish(snapshot, Vec::new(), cursor.up_to);
        self.status.report_problems();
        progress.serving = Some(cursor);
    }

    fn current(&self) -> Snapshot {
        self.published
            .load()
            .map(|snapshot| (*snapshot).clone())
            .unwrap_or_default()
    }

    /// Only while the progress is held: two writers would undo each other's changes.
    fn publish(&self, from: Snapshot, units: Vec<Unit>, up_to: Revision) {
        let snapshot = if units.is_empty() {
            from
        } else {
            self.status.apply(&from, units)
        };
        self.status.serves(up_to, &snapshot);
        self.published.store(snapshot);
        self.changes.send_modify(|count| *count += 1);
    }
}

/// The nodes of a fleet look at different moments.
fn pause() -> Duration {
    let jitter = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ()) % 1_000;
    LOOK_EVERY - Duration::from_millis(500) + Duration::from_millis(jitter)
}

fn opened(file: std::io::Result<SnapshotFile>) -> Option<SnapshotFile> {
    file.inspect_err(|error| {
        tracing::error!(%error, "the snapshot on disk cannot be written; this node could not start while redis is away");
    })
    .ok()
}

/// A file that missed a page is of no use any more; it stays as it is and is caught up with at the next start.
fn write_page(file: &mut Option<SnapshotFile>, units: &[Unit], up_to: Revision) {
    if let Some(open) = file {
        let written = open.append(units, up_to);
        if let Err(error) = written {
            tracing::error!(%error, "the snapshot on disk cannot be written any more");
            *file = None;
        }
    }
}

async fn compacted(file: Option<SnapshotFile>) -> Option<SnapshotFile> {
    let file = file?;
    match tokio::task::spawn_blocking(move || file.compact()).await {
        Ok(result) => opened(result),
        Err(error) => {
            tracing::error!(%error, "the snapshot on disk could not be written anew");
            None
        }
    }
}

#[cfg(test)]
mod tests;
