//! The newest records as they were written, kept until the shipper takes them: it need not read from the file what was
//! in memory a moment ago. Bounded; what does not fit any more is read from the file.

use std::collections::VecDeque;

use gatewright_contract::UsageRecord;

use super::shipper::BATCH_RECORDS;

/// A megabyte of records or so: what a saturated node serves while the shipper waits for its turn on the processor.
const MOST: usize = 1_200;
/// So much of traces besides, of the few records that have one.
const MOST_TRACE_BYTES: usize = 4 << 20;

/// Records with consecutive numbers.
#[derive(Debug, Default)]
pub(super) struct Recent {
    records: VecDeque<Written>,
    trace_bytes: usize,
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
            self.trace_bytes = 0;
        }
        self.trace_bytes += written.trace_bytes();
        self.records.push_back(written);
        while self.records.len() > MOST || self.trace_bytes > MOST_TRACE_BYTES {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) -> Option<Written> {
        let first = self.records.pop_front()?;
        self.trace_bytes -= first.trace_bytes();
        Some(first)
    }

    /// As many records are here as a batch takes, or a multiple of that: told once for each batch.
    pub(super) fn fills_a_batch(&self) -> bool {
        self.records.len().is_multiple_of(BATCH_RECORDS)
    }

    /// Takes the record of this number; none when it is not here any more.
    pub(super) fn take(&mut self, number: u64) -> Option<Written> {
        while self.records.front()?.number < number {
            self.forget_first();
        }
        match self.records.front()?.number == number {
            true => self.forget_first(),
            false => None,
        }
    }
}

impl Written {
    fn trace_bytes(&self) -> usize {
        self.record.trace.as_ref().map_or(0, String::len)
    }
}
