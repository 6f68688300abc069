//! The end of the journal that is written to: records wait here until they are written, usually with all others that
//! were finished in the same turn of the event loop.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use gatewright_contract::UsageRecord;

use super::frame;
use super::recent::{Recent, Written};

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) file: File,
    /// Where the segment's last whole frame ends.
    pub(super) size: u64,
    /// First number of the segment.
    pub(super) segment: u64,
    pub(super) recent: Recent,
    /// Frames to be written, in order.
    waiting: Vec<u8>,
    /// How many frames wait whose records are not kept: the disk did not take them at first.
    bare: u64,
    fresh: Vec<Fresh>,
}

/// A record whose frame waits.
#[derive(Debug)]
struct Fresh {
    record: UsageRecord,
    /// Where its frame ends in what waits.
    end: usize,
}

impl Writer {
    pub(super) fn new(file: File, size: u64, segment: u64) -> Self {
        Self {
            file,
            size,
            segment,
            recent: Recent::default(),
            waiting: Vec::new(),
            bare: 0,
            fresh: Vec::new(),
        }
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts a record behind those that wait, and says how many bytes it takes.
    pub(super) fn add(&mut self, record: UsageRecord) -> u64 {
        let before = self.waiting.len();
        frame::encode(&record, &mut self.waiting);
        let end = self.waiting.len();
        self.fresh.push(Fresh { record, end });
        (end - before) as u64
    }

    /// How many records wait.
    pub(super) fn waiting(&self) -> u64 {
        self.bare + self.fresh.len() as u64
    }

    /// Writes what waits: all of it, or nothing.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let written = write_frames(&mut self.file, &mut self.size, &self.waiting);
        if written.is_err() {
            // Nobody knows for how long: their frames are enough to keep.
            self.bare += self.fresh.len() as u64;
            self.fresh.clear();
        }
        written
    }

    /// Gives what was written its numbers, from this one on. True when the recent records have come to fill a batch.
    pub(super) fn number(&mut self, first: u64) -> bool {
        let before = self.size - self.waiting.len() as u64;
        let mut fills_a_batch = false;
        for (number, Fresh { record, end }) in (first + self.bare..).zip(self.fresh.drain(..)) {
            self.recent.add(Written {
                number,
                segment: self.segment,
                end_bytes: before + end as u64,
                record,
            });
            fills_a_batch |= self.recent.fills_a_batch();
        }
        self.bare = 0;
        self.waiting.clear();
        fills_a_batch
    }
}

/// Appends whole frames or nothing: what a failed write left is cut off before the next one.
fn write_frames(file: &mut File, size: &mut u64, frames: &[u8]) -> io::Result<()> {
    match file.write_all(frames) {
        Ok(()) => {
            *size += frames.len() as u64;
            Ok(())
        }
        Err(error) => {
            file.set_len(*size)?;
            file.seek(SeekFrom::Start(*size))?;
            Err(error)
        }
    }
}
