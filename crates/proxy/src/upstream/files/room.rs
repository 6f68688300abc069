//! How much memory files may take: within their request, and on the node while they are being read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatewright_llm::written_bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::FileProblem;

/// Files that are being read, those of all requests together: 256 MiB.
const NODE_UNITS: usize = 256 << 10;
/// Memory is counted in units of this size.
const UNIT_BYTES: usize = 1 << 10;

/// What the files of one request may add to it.
#[derive(Debug)]
pub(super) struct Allowance {
    limit_bytes: usize,
    left_bytes: AtomicUsize,
}

/// One file's part of it.
#[derive(Debug)]
pub(super) struct Share<'a> {
    allowance: &'a Allowance,
    places: usize,
    taken_bytes: usize,
}

/// The node's memory for files under way.
#[derive(Debug)]
pub(super) struct Room {
    units: Arc<Semaphore>,
}

/// What one file takes of it.
#[derive(Debug)]
pub(super) struct Held {
    room: Arc<Semaphore>,
    units: Option<OwnedSemaphorePermit>,
}

impl Allowance {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            left_bytes: AtomicUsize::new(limit_bytes),
        }
    }

    /// For a file that is to be in so many places.
    pub(super) fn of(&self, places: usize) -> Share<'_> {
        Share {
            allowance: self,
            places,
            taken_bytes: 0,
        }
    }
}

impl Share<'_> {
    /// To be called with the file's size whenever it has grown. Base64 is a third larger than what it stands for.
    pub(super) fn grow(&mut self, file_bytes: usize) -> Result<(), FileProblem> {
        let all = written_bytes(file_bytes).saturating_mul(self.places);
        let more = all.saturating_sub(self.taken_bytes);
        let take = |left: usize| left.checked_sub(more);
        let left = &self.allowance.left_bytes;
        match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => {
                self.taken_bytes = all;
                Ok(())
            }
            Err(_) => Err(FileProblem::AllTooLarge {
                limit_bytes: self.allowance.limit_bytes,
            }),
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self {
            units: Arc::new(Semaphore::new(NODE_UNITS)),
        }
    }
}

impl Room {
    pub(super) fn hold(&self) -> Held {
        Held {
            room: self.units.clone(),
            units: None,
        }
    }
}

impl Held {
    /// To be called with the file's size whenever it has grown. Nobody waits for room: who waits holds some already.
    pub(super) fn grow(&mut self, file_bytes: usize) -> Result<(), FileProblem> {
        let have = self.units.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = file_bytes.div_ceil(UNIT_BYTES).saturating_sub(have);
        let more = u32::try_from(more).map_err(|_| FileProblem::GatewayFull)?;
        let permit = self.room.clone().try_acquire_many_owned(more);
        let permit = permit.map_err(|_| FileProblem::GatewayFull)?;
        match &mut self.units {
            Some(units) => units.merge(permit),
            None => self.units = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_costs_its_size_in_base64_in_each_of_its_places() {
        let allowance = Allowance::new(100);
        let (mut first, mut second) = (allowance.of(2), allowance.of(1));

        assert!(first.grow(3).is_ok());
        assert!(first.grow(30).is_ok(), "80 of 100");
        assert!(second.grow(15).is_ok(), "20 of 20");
        let refused = second.grow(16).expect_err("one byte is four more");
        assert!(matches!(refused, FileProblem::AllTooLarge { limit_bytes: 100 }));
    }

    #[test]
    fn a_full_node_reads_on_when_others_are_through() {
        let room = Room::default();
        let (mut first, mut second) = (room.hold(), room.hold());
        let most = NODE_UNITS * UNIT_BYTES;

        assert!(first.grow(most - 1).is_ok());
        assert!(first.grow(most).is_ok());
        assert!(matches!(second.grow(1), Err(FileProblem::GatewayFull)));
        drop(first);
        assert!(second.grow(1).is_ok());
    }
}
