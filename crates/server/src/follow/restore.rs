//! Starting from the snapshot on disk, before anything is heard of Redis.

use gatewright_contract::{Snapshot, Unit};

use super::snapshot_file::{Mark, SnapshotFile};
use super::{Cursor, Follower, OnDisk};

/// Units applied at a time: each application copies a little of the snapshot.
const AT_A_TIME: usize = 5_000;

impl Follower {
    /// Publishes what is on disk, if anything is. Called once, before the follower runs.
    pub(crate) async fn restore(&self) {
        let OnDisk::Kept(path) = &self.on_disk else { return };
        let (path, status) = (path.clone(), self.status.clone());
        let read = move || {
            let (mut snapshot, mut waiting) = (Snapshot::default(), Vec::<Unit>::new());
            let found = SnapshotFile::restore(&path, |unit| {
                waiting.push(unit);
                if waiting.len() == AT_A_TIME {
                    snapshot = status.apply(&snapshot, std::mem::take(&mut waiting));
                }
            })?;
            snapshot = status.apply(&snapshot, waiting);
            Ok::<_, std::io::Error>(found.map(|(file, mark)| (snapshot, file, mark)))
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(Some((snapshot, file, mark)))) => self.start_from(snapshot, file, mark).await,
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the snapshot on disk cannot be read; waiting for the feed"),
            Err(error) => tracing::error!(%error, "the snapshot on disk could not be read; waiting for the feed"),
        }
    }

    async fn start_from(&self, snapshot: Snapshot, file: SnapshotFile, mark: Mark) {
        if mark.cut_off_bytes > 0 {
            tracing::warn!(
                bytes = mark.cut_off_bytes,
                "the end of the snapshot on disk was damaged and is cut off; the feed has it"
            );
        }
        tracing::info!(
            config.revision = mark.up_to.0,
            organizations = snapshot.organization_count(),
            keys = snapshot.key_count(),
            "starting with the snapshot on disk"
        );
        let mut progress = self.progress.lock().await;
        self.publish(snapshot, Vec::new(), mark.up_to);
        self.status.report_problems();
        // What another release wrote is good enough to serve, but has to be read again.
        if !mark.foreign {
            progress.serving = Some(Cursor {
                epoch: file.epoch().to_owned(),
                up_to: mark.up_to,
            });
            progress.file = Some(file);
        }
    }
}
