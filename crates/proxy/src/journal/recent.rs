//! The newest records as they were written, kept until the shipper takes them: it need not read from the file what was
//! in memory a moment ago. Bounded; what does not fit any more is read from the file.

use std::collections::VecDeque;

use gatewright_contract::UsageRecord;

use super::shipper::BATCH_RECORDS;

/// A megabyte of records or so: what a saturated node serves while the shipper waits for its turn on the processor.
const MOST: usize = 1_500;

/// Records with consecutive numbers.
#[derive(Debug, Default)]
pub(super) struct Recent {
    records: VecDeque<Written>,
}

/// A record and the place behind it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) number: u64,
    /// First number of the segment it is in.
    pub(super) segment: u64,
    /// Where its frame ends there.
    pub(super) end_bytes: u64,
    pub(super) record: UsageRecord,
}

impl Recent {
    pub(super) fn add(&mut self, written: Written) {
        let follows = self.records.back().is_none_or(|last| last.number + 1 == written.number);
        if !follows {
            self.records.clear();
        }
        if self.records.len() >= MOST {
            self.records.pop_front();
        }
        self.records.push_back(written);
    }

    /// As many records are here as a batch takes, or a multiple of that: told once for each batch.
    pub(super) fn fills_a_batch(&self) -> bool {
        self.records.len().is_multiple_of(BATCH_RECORDS)
    }

    /// Takes at most this many records from this number on; none when the first of them is not here any more.
    pub(super) fn take(&mut self, number: u64, most: usize) -> impl Iterator<Item = Written> {
        while self.records.front().is_some_and(|first| first.number < number) {
            self.records.pop_front();
        }
        let count = match self.records.front() {
            Some(first) if first.number == number => most.min(self.records.len()),
            Some(_) | None => 0,
        };
        self.records.drain(..count)
    }
}
