//! The counters' clock, by which windows begin and end on all nodes alike: this node's, and how far theirs is ahead.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// Clocks do not drift apart by much within.
const KNOWN_FOR: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead_ms: AtomicI64,
    learned_at: Mutex<Option<Instant>>,
}

impl Clock {
    pub(super) fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// From an answer that said what time it was, asked for at `asked_at`.
    pub(super) fn learn(&self, told: DateTime<Utc>, asked_at: Instant) {
        let half = i64::try_from(asked_at.elapsed().as_millis() / 2).unwrap_or(0);
        let ahead = (told - Utc::now()).num_milliseconds() + half;
        self.ahead_ms.store(ahead, Ordering::Relaxed);
        *self.learned_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) fn is_known(&self, now: Instant) -> bool {
        let learned_at = *self.learned_at.lock().unwrap_or_else(PoisonError::into_inner);
        learned_at.is_some_and(|at| now.duration_since(at) < KNOWN_FOR)
    }
}
