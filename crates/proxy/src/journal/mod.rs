//! The node's own record of what it served: an append-only file a finished request is in before its last byte leaves,
//! so that killing the process loses nothing. A thread syncs it to the disk in groups; the shipper forwards it.

mod frame;
mod recent;
mod segment;
mod shipper;
mod writer;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use gatewright_contract::UsageRecord;
use gatewright_types::NodeId;
use tokio::sync::{Notify, watch};

pub use segment::Damage;
pub use shipper::Shipper;
use writer::Writer;

/// How long a finished record may wait for the disk. Only a power cut can lose it meanwhile.
const SYNC_EVERY: Duration = Duration::from_millis(200);
const SEGMENT_BYTES: u64 = 16 << 20;

/// A handle to the journal; clones share it.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    node: NodeId,
    backlog_limit_bytes: u64,
    writer: Mutex<Writer>,
    /// Number of the record that will come next.
    next: AtomicU64,
    /// Number of the newest record there is; 0 when there is none.
    last: AtomicU64,
    /// Number of the newest record of an earlier start; 0 when there is none.
    found: u64,
    /// The database has everything up to this number.
    acked: watch::Sender<u64>,
    backlog_bytes: AtomicU64,
    failing: AtomicBool,
    dirty: AtomicBool,
    stopped: AtomicBool,
    appended: Notify,
    /// Enough records wait in memory to be worth a batch.
    batch_ready: Notify,
}

/// Where a journal lives and whose it is.
#[derive(Debug, Clone)]
pub struct JournalPlace {
    pub directory: PathBuf,
    pub node: NodeId,
    /// Unshipped bytes at which no new request is taken.
    pub backlog_limit_bytes: u64,
}

impl Journal {
    /// Opens the journal, reading up to any damage a power cut left and reporting it.
    pub fn open(place: JournalPlace) -> io::Result<(Self, Vec<Damage>)> {
        std::fs::create_dir_all(&place.directory)?;
        let recovered = segment::recover(&place.directory)?;
        // A power cut may have taken records whose numbers the database has already seen. Numbers that begin with the
        // clock's microseconds are never used twice: no node writes a million records a second.
        let clock = u64::try_from(Utc::now().timestamp_micros()).unwrap_or(0);
        let next = clock.max(recovered.last + 1);
        let file = segment::create(&place.directory, next)?;
        let size = file.metadata()?.len();
        let shared = Shared {
            directory: place.directory,
            node: place.node,
            backlog_limit_bytes: place.backlog_limit_bytes,
            writer: Mutex::new(Writer::new(file, size, next)),
            next: AtomicU64::new(next),
            last: AtomicU64::new(recovered.last),
            found: recovered.last,
            acked: watch::Sender::new(0),
            backlog_bytes: AtomicU64::new(recovered.bytes),
            failing: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            appended: Notify::new(),
            batch_ready: Notify::new(),
        };
        let journal = Self {
            shared: Arc::new(shared),
        };
        let syncing = journal.clone();
        std::thread::Builder::new()
            .name("journal-sync".to_owned())
            .spawn(move || syncing.sync_in_groups())?;
        Ok((journal, recovered.damages))
    }

    /// Whether a request that begins now has its place. Metering it later cannot fail then.
    pub fn has_room(&self) -> bool {
        !self.shared.failing.load(Ordering::Relaxed)
            && self.shared.backlog_bytes.load(Ordering::Relaxed) < self.shared.backlog_limit_bytes
    }

    /// Whether there is so much room that it may be filled with what is no metering, such as traces: while records wait
    /// for long, it is kept for those.
    pub(crate) fn has_room_to_spare(&self) -> bool {
        self.shared.backlog_bytes.load(Ordering::Relaxed) < self.shared.backlog_limit_bytes / 4
    }

    /// Writes a record. When the disk refuses it is kept in memory, in order, until the disk takes it; no new request
    /// is let in meanwhile.
    pub fn append(&self, record: UsageRecord) {
        let mut writer = self.shared.writer();
        self.shared.add(&mut writer, record);
        self.shared.write(&mut writer);
    }

    /// Leaves a record to be written with others. Whoever does so waits for `written` before the answer leaves.
    pub fn add(&self, record: UsageRecord) {
        self.shared.add(&mut self.shared.writer(), record);
    }

    /// Returns once everything added so far is written: by whichever request is first to go on after this turn of the
    /// event loop, for all that ended in it.
    pub async fn written(&self) {
        tokio::task::yield_now().await;
        let mut writer = self.shared.writer();
        self.shared.write(&mut writer);
    }

    /// Bytes of records in the journal's files, most of them not in the database yet.
    pub fn backlog_bytes(&self) -> u64 {
        self.shared.backlog_bytes.load(Ordering::Relaxed)
    }

    /// Returns once the database has what an earlier start of this node left.
    pub async fn found_is_delivered(&self) {
        let mut acked = self.shared.acked.subscribe();
        // Whoever could say so is held by the journal itself.
        let _acked = acked.wait_for(|acked| *acked >= self.shared.found).await;
    }

    /// Syncs once more and ends the thread.
    pub fn close(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.shared.sync();
    }

    fn sync_in_groups(&self) {
        while !self.shared.stopped.load(Ordering::Acquire) {
            std::thread::sleep(SYNC_EVERY);
            self.shared.sync();
        }
    }
}

impl Shared {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic elsewhere cannot leave a frame half counted: the size is advanced after the write.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, writer: &mut Writer, record: UsageRecord) {
        let size_bytes = writer.add(record);
        self.backlog_bytes.fetch_add(size_bytes, Ordering::Relaxed);
    }

    /// Writes what waits, unless the disk is known to refuse: then it is asked again in its own time.
    fn write(&self, writer: &mut Writer) {
        if !writer.has_waiting() || self.failing.load(Ordering::Relaxed) {
            return;
        }
        match writer.write() {
            Ok(()) => self.wrote(writer),
            Err(_) => self.failing.store(true, Ordering::Relaxed),
        }
    }

    fn wrote(&self, writer: &mut Writer) {
        let first = self.count(writer.waiting());
        if writer.number(first) {
            self.batch_ready.notify_one();
        }
        self.dirty.store(true, Ordering::Relaxed);
        self.appended.notify_one();
        if writer.size >= SEGMENT_BYTES {
            self.rotate(writer);
        }
    }

    /// Gives the first of the records that were written its number.
    fn count(&self, written: u64) -> u64 {
        let first = self.next.fetch_add(written, Ordering::Release);
        self.last.store(first + written - 1, Ordering::Release);
        first
    }

    fn sync(&self) {
        match self.failing.load(Ordering::Relaxed) {
            true => self.write_again(),
            // A caller may have hung up before its record was written.
            false => self.write(&mut self.writer()),
        }
        if !self.dirty.swap(false, Ordering::Relaxed) {
            return;
        }
        // Synced through a second handle, so that requests append meanwhile.
        let handle = self.writer().file.try_clone();
        if let Err(error) = handle.and_then(|file| file.sync_data()) {
            self.dirty.store(true, Ordering::Relaxed);
            tracing::error!(%error, "the usage journal could not be synced to the disk; trying again");
        }
    }

    fn write_again(&self) {
        let mut writer = self.writer();
        match writer.write() {
            Ok(()) => {
                self.failing.store(false, Ordering::Relaxed);
                self.wrote(&mut writer);
                tracing::info!("the usage journal can be written again");
            }
            Err(error) => tracing::error!(
                %error,
                "the usage journal cannot be written; no new request is taken until it can, nothing is lost so far"
            ),
        }
    }

    fn rotate(&self, writer: &mut Writer) {
        let synced = writer.file.sync_data();
        let next = self.next.load(Ordering::Acquire);
        match synced.and_then(|()| segment::create(&self.directory, next)) {
            Ok(file) => {
                writer.file = file;
                writer.size = 0;
                writer.segment = next;
            }
            Err(error) => tracing::error!(%error, "no new journal segment could be begun; the old one grows on"),
        }
    }
}

/// The node's identity, made on the first start and kept beside its journal.
pub fn node_id(data_directory: &Path) -> io::Result<NodeId> {
    let path = data_directory.join("node-id");
    match std::fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let node = NodeId::mint();
            std::fs::create_dir_all(data_directory)?;
            let fresh = data_directory.join("node-id.new");
            std::fs::write(&fresh, node.to_string())?;
            File::open(&fresh)?.sync_all()?;
            std::fs::rename(&fresh, &path)?;
            Ok(node)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
