//! Forwards the journal to the usage stream, and deletes a segment once the database has all of it. What is not
//! acknowledged in time is sent again: the database knows each record by its identifier.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatewright_contract::{Batch, UsageRecord};
use gatewright_coord::UsageStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::frame::{self, Frame};
use super::segment::{self, Segment};
use super::{Journal, Shared};

/// Records gather this long before they are sent, or until they fill a batch: a busy node sends hundreds at once, and
/// takes them from memory before they are too many to be kept there.
const GATHER: Duration = Duration::from_millis(100);
/// Between two batches that are not full. What follows a pause does not wait for it.
const APART: Duration = Duration::from_millis(500);
pub(super) const BATCH_RECORDS: usize = 512;
/// Of traces in one batch. Records that have one are few; where they are not, batches have fewer records.
const BATCH_TRACE_BYTES: usize = 1 << 20;
const READ_BYTES: usize = 1 << 20;
/// Sent records that nobody acknowledges for this long are sent again.
const RESEND_AFTER: Duration = Duration::from_secs(10);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Reads the journal in order and hands it over.
#[derive(Debug)]
pub struct Shipper {
    journal: Journal,
    stream: UsageStream,
    position: Position,
    acked: u64,
    /// The last batch was sent then, whether it arrived or not.
    sent_at: Option<Instant>,
    progress: Instant,
    /// Shipping fails at the moment; said once.
    in_trouble: bool,
}

/// Where the next record to send is.
#[derive(Debug, Clone, Default)]
struct Position {
    segment: Option<Segment>,
    offset_bytes: u64,
    number: u64,
    /// Number of the record read before; 0 when there is none.
    previous: u64,
}

/// Records read from one segment.
struct Run {
    follows: u64,
    first: u64,
    records: Vec<UsageRecord>,
    trace_bytes: usize,
    after: Position,
}

impl Run {
    fn push(&mut self, record: UsageRecord) {
        self.trace_bytes += record.trace.as_ref().map_or(0, String::len);
        self.records.push(record);
    }

    fn is_full(&self) -> bool {
        self.records.len() >= BATCH_RECORDS || self.trace_bytes >= BATCH_TRACE_BYTES
    }
}

impl Shipper {
    pub fn new(journal: Journal, stream: UsageStream) -> Self {
        Self {
            journal,
            stream,
            position: Position::default(),
            acked: 0,
            sent_at: None,
            progress: Instant::now(),
            in_trouble: false,
        }
    }

    /// Ships until told to stop; then until everything is acknowledged or the deadline has passed.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>, drain: Duration) {
        // Until the database has what was left, counters of budgets are not filled: it is not waited for more of it.
        while self.acked < self.journal.shared.found && !self.in_trouble && !*stop.borrow_and_update() {
            self.turn().await;
            tokio::time::sleep(GATHER / 4).await;
        }
        while !*stop.borrow_and_update() {
            tokio::select! {
                () = self.journal.shared.appended.notified() => {}
                () = tokio::time::sleep(RETRY_AFTER) => {}
                _ = stop.changed() => {}
            }
            let gathered = Instant::now() + GATHER;
            let due = self.sent_at.map_or(gathered, |sent_at| gathered.max(sent_at + APART));
            tokio::select! {
                () = self.journal.shared.batch_ready.notified() => {}
                () = tokio::time::sleep_until(due) => {}
                _ = stop.changed() => break,
            }
            self.turn().await;
        }
        let deadline = Instant::now() + drain;
        while self.acked < self.journal.shared.last.load(Ordering::Acquire) && Instant::now() < deadline {
            self.turn().await;
            tokio::time::sleep(GATHER / 4).await;
        }
    }

    pub(super) async fn turn(&mut self) {
        let sent = self.send_all().await;
        let shipped = match sent {
            // Each answer told it.
            Ok(true) => Ok(()),
            Ok(false) => self.ask_for_acknowledged().await,
            Err(error) => Err(error),
        };
        match (shipped, self.in_trouble) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => {
                self.in_trouble = false;
                tracing::info!("usage records are shipped again");
            }
            (Err(error), false) => {
                self.in_trouble = true;
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "usage records cannot be shipped; they wait in the journal until they can");
            }
        }
    }

    /// Whether there was anything to send.
    async fn send_all(&mut self) -> Result<bool, ShipError> {
        let waiting = self.position.previous > self.acked;
        if waiting && self.progress.elapsed() > RESEND_AFTER {
            tracing::warn!(
                acked = self.acked,
                "sent usage records were not acknowledged in time; sending them again"
            );
            self.position = Position::default();
            self.progress = Instant::now();
        }
        let mut sent = false;
        while let Some(run) = self.read()? {
            sent = true;
            let is_full = run.is_full();
            let batch = Batch {
                node: self.journal.shared.node,
                follows: run.follows,
                first: run.first,
                records: run.records,
            };
            self.sent_at = Some(Instant::now());
            let acked = self.stream.send(batch).await?;
            let first_in_flight = self.position.previous <= self.acked;
            if first_in_flight {
                self.progress = Instant::now();
            }
            self.position = run.after;
            self.note_acknowledged(acked)?;
            // Of large records one reading of the file has fewer than a batch, and there are more behind it.
            let behind = self
                .journal
                .shared
                .last
                .load(Ordering::Acquire)
                .saturating_sub(self.position.previous);
            if !is_full && behind < BATCH_RECORDS as u64 {
                break;
            }
        }
        Ok(sent)
    }

    async fn ask_for_acknowledged(&mut self) -> Result<(), ShipError> {
        if self.position.previous <= self.acked {
            return Ok(());
        }
        let acked = self.stream.acked(self.journal.shared.node).await?;
        self.note_acknowledged(acked)
    }

    fn note_acknowledged(&mut self, acked: Option<u64>) -> Result<(), ShipError> {
        let shared = &*self.journal.shared;
        let Some(acked) = acked.filter(|acked| *acked > self.acked) else {
            return Ok(());
        };
        self.acked = acked;
        shared.acked.send_replace(acked);
        self.progress = Instant::now();
        shared.delete_up_to(acked)?;
        Ok(())
    }

    /// The next records that are not acknowledged yet: from memory where they still are, else from one segment.
    fn read(&mut self) -> Result<Option<Run>, ShipError> {
        if let Some(run) = self.take_recent() {
            return Ok(Some(run));
        }
        while self.find_segment()? {
            let Some(segment) = self.position.segment.clone() else {
                return Ok(None);
            };
            let run = self.read_run(&segment)?;
            if !run.records.is_empty() {
                return Ok(Some(run));
            }
            let only_acknowledged = run.after.offset_bytes > self.position.offset_bytes;
            if only_acknowledged {
                self.position = run.after;
                continue;
            }
            let Some(next) = self.segment_after(segment.first)? else {
                return Ok(None);
            };
            let previous = self.position.previous;
            self.position = Position {
                number: next.first,
                segment: Some(next),
                offset_bytes: 0,
                previous,
            };
        }
        Ok(None)
    }

    fn take_recent(&self) -> Option<Run> {
        let shared = &*self.journal.shared;
        let mut writer = shared.writer();
        let mut run = Run {
            follows: self.position.previous,
            first: self.position.number,
            records: Vec::new(),
            trace_bytes: 0,
            after: self.position.clone(),
        };
        while !run.is_full()
            && let Some(written) = writer.recent.take(run.after.number)
        {
            if run.after.segment.as_ref().map(|segment| segment.first) != Some(written.segment) {
                run.after.segment = Some(Segment::at(&shared.directory, written.segment));
            }
            run.after.offset_bytes = written.end_bytes;
            run.after.number = written.number + 1;
            run.after.previous = written.number;
            run.push(written.record);
        }
        (!run.records.is_empty()).then_some(run)
    }

    fn read_run(&self, segment: &Segment) -> Result<Run, ShipError> {
        let bytes = read_from(segment, self.position.offset_bytes)?;
        let mut run = Run {
            follows: 0,
            first: 0,
            records: Vec::new(),
            trace_bytes: 0,
            after: self.position.clone(),
        };
        let mut rest = bytes.as_slice();
        while !run.is_full() {
            let Frame::Whole { payload, rest: after } = frame::decode(rest) else {
                break;
            };
            rest = after;
            let number = run.after.number;
            if number > self.acked {
                if run.records.is_empty() {
                    (run.follows, run.first) = (run.after.previous, number);
                }
                run.push(frame::record(payload)?);
            }
            run.after.offset_bytes += frame_bytes(payload);
            run.after.number += 1;
            run.after.previous = number;
        }
        Ok(run)
    }

    /// Makes sure the position is in a segment that exists. False when there is none.
    fn find_segment(&mut self) -> io::Result<bool> {
        if self
            .position
            .segment
            .as_ref()
            .is_some_and(|segment| segment.path.exists())
        {
            return Ok(true);
        }
        let segments = segment::list(&self.journal.shared.directory)?;
        let wanted = self.acked + 1;
        let start = segments
            .iter()
            .rfind(|segment| segment.first <= wanted)
            .or(segments.first())
            .cloned();
        let Some(segment) = start else { return Ok(false) };
        // Everything in the segments before this one is acknowledged.
        let position = Position {
            number: segment.first,
            segment: Some(segment),
            offset_bytes: 0,
            previous: self.acked,
        };
        self.position = position;
        Ok(true)
    }

    fn segment_after(&self, first: u64) -> io::Result<Option<Segment>> {
        let segments = segment::list(&self.journal.shared.directory)?;
        Ok(segments.into_iter().find(|segment| segment.first > first))
    }
}

/// Why records stay in the journal for now.
#[derive(Debug, thiserror::Error)]
enum ShipError {
    #[error("the journal cannot be read")]
    Read(#[from] io::Error),
    #[error("a journal record cannot be understood")]
    Record(#[from] rmp_serde::decode::Error),
    #[error("the usage stream is away")]
    Stream(#[from] gatewright_coord::CoordError),
}

impl Shared {
    /// Deletes the segments all of whose records are below the next one's first and acknowledged.
    fn delete_up_to(&self, acked: u64) -> io::Result<()> {
        let segments = segment::list(&self.directory)?;
        let ends = segments.iter().skip(1).map(|segment| segment.first);
        for (segment, end) in segments.iter().zip(ends) {
            if end > acked + 1 {
                break;
            }
            let size = std::fs::metadata(&segment.path)?.len();
            std::fs::remove_file(&segment.path)?;
            self.backlog_bytes.fetch_sub(size, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn frame_bytes(payload: &[u8]) -> u64 {
    payload.len() as u64 + 8
}

fn read_from(segment: &Segment, offset_bytes: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(&segment.path)?;
    file.seek(SeekFrom::Start(offset_bytes))?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
