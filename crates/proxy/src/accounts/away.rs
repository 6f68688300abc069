//! Whether the counters answer. While they do not, one request or round of reports a second tries again, and everybody
//! else goes by what is known.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

const TRY_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Away {
    since: Instant,
    /// In milliseconds from `since`; 0 while they answer.
    next_try_ms: AtomicU64,
}

impl Away {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            next_try_ms: AtomicU64::new(0),
        }
    }

    /// Whether whoever asks this may ask them. While they are away, the turn is taken by that.
    pub(super) fn may_ask(&self) -> bool {
        let next_try = self.next_try_ms.load(Ordering::Acquire);
        if next_try == 0 {
            return true;
        }
        let now = self.now_ms();
        let turn = now >= next_try;
        turn && self
            .next_try_ms
            .compare_exchange(next_try, later(now), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    pub(super) fn answered(&self) {
        if self.next_try_ms.load(Ordering::Relaxed) != 0 && self.next_try_ms.swap(0, Ordering::AcqRel) != 0 {
            tracing::info!("what was spent of budgets and limits can be asked for again");
        }
    }

    /// Whether they answered before.
    pub(super) fn failed(&self) -> bool {
        self.next_try_ms.swap(later(self.now_ms()), Ordering::AcqRel) == 0
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn later(now_ms: u64) -> u64 {
    now_ms + u64::try_from(TRY_EVERY.as_millis()).unwrap_or(0).max(1)
}
