//! One thread that counts tokens, apart from those that serve: unpacking a tokenizer takes a tenth of a second, and a long
//! conversation nearly as much. It begins when it is first needed; most nodes never have it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

/// Requests that may wait for their turn; their bodies are in memory meanwhile.
const MOST_WAITING: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// A handle to the thread; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Counting {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    thread: Mutex<Option<SyncSender<Job>>>,
    unfinished: AtomicUsize,
    finished: Notify,
}

/// A piece of work until it is done, or given up.
struct Unfinished(Arc<Shared>);

impl Counting {
    /// Does it there, in its turn. When too many wait, or there can be no thread, whoever asks does it: work must not
    /// pile up, nor be left undone.
    pub(crate) fn hand_over(&self, work: impl FnOnce() + Send + 'static) {
        let unfinished = Unfinished::begin(&self.shared);
        let job: Job = Box::new(move || {
            work();
            drop(unfinished);
        });
        let Some(thread) = self.thread() else { return job() };
        match thread.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => job(),
        }
    }

    /// What the work gives, once it is done.
    pub(crate) fn ask<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
        let (done, result) = oneshot::channel();
        // Whoever asked may be gone by then.
        self.hand_over(move || drop(done.send(work())));
        result
    }

    /// Waits until all that was handed over is done.
    pub async fn settle(&self, at_most: Duration) {
        let settled = async {
            loop {
                let finished = self.shared.finished.notified();
                if self.shared.unfinished.load(Ordering::Acquire) == 0 {
                    return;
                }
                finished.await;
            }
        };
        if tokio::time::timeout(at_most, settled).await.is_err() {
            tracing::warn!("tokens of some requests were not counted in time; those requests are lost");
        }
    }

    fn thread(&self) -> Option<SyncSender<Job>> {
        let mut thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let (jobs, waiting) = sync_channel(MOST_WAITING);
            let begun = std::thread::Builder::new()
                .name("counting".to_owned())
                .spawn(move || work_off(&waiting));
            match begun {
                Ok(_) => *thread = Some(jobs),
                Err(error) => tracing::error!(%error, "no thread could be made to count tokens"),
            }
        }
        thread.clone()
    }
}

impl Unfinished {
    fn begin(shared: &Arc<Shared>) -> Self {
        shared.unfinished.fetch_add(1, Ordering::AcqRel);
        Self(shared.clone())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::AcqRel);
        self.0.finished.notify_waiters();
    }
}

fn work_off(jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        job();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_handed_over_is_done_in_turn_and_waited_for() {
        let counting = Counting::default();
        let done = Arc::new(Mutex::new(Vec::new()));
        for number in 0..3 * MOST_WAITING {
            let done = done.clone();
            counting.hand_over(move || done.lock().expect("a list").push(number));
        }

        counting.settle(Duration::from_secs(10)).await;

        let mut done = done.lock().expect("a list").clone();
        done.sort_unstable();
        assert_eq!(done, (0..3 * MOST_WAITING).collect::<Vec<_>>());
    }
}
