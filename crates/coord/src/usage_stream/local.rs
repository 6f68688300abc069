//! The usage stream within one process: a bounded queue. A batch that was taken and not finished comes back after a
//! while, as it would from Redis.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gatewright_contract::Batch;
use gatewright_types::NodeId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Received, Token};
use crate::CoordError;

/// How many batches may wait or be in the works. They are only in memory, and the rest is safe in the journal.
const ROOM: usize = 4;
/// How long a sender waits for one of them to be done.
const ROOM_WITHIN: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct LocalUsageStream {
    claim_after: Duration,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Notify,
    left: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Batch>>,
    /// By the number of their delivery.
    taken: BTreeMap<u64, (Instant, Arc<Batch>)>,
    deliveries: u64,
    acked: HashMap<NodeId, u64>,
}

impl LocalUsageStream {
    /// A batch that was taken and is not done within `claim_after` is delivered again.
    pub fn new(claim_after: Duration) -> Self {
        Self {
            claim_after,
            shared: Arc::default(),
        }
    }

    pub(super) async fn send(&self, batch: Batch) -> Result<Option<u64>, CoordError> {
        let node = batch.node;
        let batch = Arc::new(batch);
        let deadline = Instant::now() + ROOM_WITHIN;
        while !self.queue().put(&batch) {
            let left = tokio::time::timeout_at(deadline, self.shared.left.notified());
            left.await.map_err(|_| CoordError::Full)?;
        }
        self.shared.arrived.notify_one();
        Ok(self.acked(node))
    }

    pub(super) fn acked(&self, node: NodeId) -> Option<u64> {
        self.queue().acked.get(&node).copied()
    }

    pub(super) async fn next(&self, timeout: Duration) -> Option<Received> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(received) = self.queue().take(self.claim_after) {
                return Some(received);
            }
            let wake = self
                .queue()
                .oldest()
                .map_or(deadline, |taken| deadline.min(taken + self.claim_after));
            let waited = tokio::time::timeout_at(wake, self.shared.arrived.notified()).await;
            if waited.is_err() && Instant::now() >= deadline {
                return self.queue().take(self.claim_after);
            }
        }
    }

    pub(super) fn done(&self, token: &Token, node: NodeId, acked: Option<u64>) {
        let mut queue = self.queue();
        if let Ok(delivery) = token.0.parse() {
            queue.taken.remove(&delivery);
            self.shared.left.notify_one();
        }
        if let Some(acked) = acked {
            let known = queue.acked.entry(node).or_insert(acked);
            *known = acked.max(*known);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.shared
            .queue
            .lock()
            .expect("nothing panics while it holds the queue")
    }
}

impl Queue {
    /// False when there is no room.
    fn put(&mut self, batch: &Arc<Batch>) -> bool {
        let room = self.waiting.len() + self.taken.len() < ROOM;
        if room {
            self.waiting.push_back(batch.clone());
        }
        room
    }

    fn take(&mut self, claim_after: Duration) -> Option<Received> {
        let abandoned = self
            .taken
            .first_key_value()
            .filter(|(_, (taken, _))| taken.elapsed() >= claim_after);
        let batch = match abandoned.map(|(delivery, _)| *delivery) {
            Some(delivery) => self.taken.remove(&delivery).map(|(_, batch)| batch),
            None => self.waiting.pop_front(),
        }?;
        self.deliveries += 1;
        self.taken.insert(self.deliveries, (Instant::now(), batch.clone()));
        Some(Received {
            batch,
            token: Token(self.deliveries.to_string()),
        })
    }

    /// When the batch was taken that has been in the works for the longest time.
    fn oldest(&self) -> Option<Instant> {
        self.taken.first_key_value().map(|(_, (taken, _))| *taken)
    }
}
