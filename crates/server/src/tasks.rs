//! The one place where background work is started. A loop that ends before it was told to, or panics, is logged and
//! begun again; stopping waits for all of them.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A loop that ran for so long starts over without having to wait.
const STEADY: Duration = Duration::from_secs(60);

/// Turns true when it is time to stop.
pub(crate) type Stop = watch::Receiver<bool>;

/// Loops that run until they are stopped together.
pub(crate) struct Tasks {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            stop: watch::Sender::new(false),
            running: JoinSet::new(),
        }
    }

    /// Runs a loop that should last until `Stop`.
    pub(crate) fn keep<F>(&mut self, name: &'static str, make: impl FnMut(Stop) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.running.spawn(supervise(name, make, self.stop.subscribe()));
    }

    /// Tells all loops to stop and waits for them; those that do not are ended by force.
    pub(crate) async fn stop(mut self, deadline: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(deadline, all).await.is_err() {
            tracing::warn!(
                left = self.running.len(),
                "background work did not stop in time and is ended"
            );
        }
    }
}

async fn supervise<F>(name: &'static str, mut make: impl FnMut(Stop) -> F, mut stop: Stop)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut pause = SHORTEST_PAUSE;
    loop {
        let begun = Instant::now();
        // A task of its own, so that a panic ends it and not its supervisor.
        let mut attempt = JoinSet::new();
        attempt.spawn(make(stop.clone()));
        let ended = attempt.join_next().await;
        if *stop.borrow() {
            return;
        }
        match ended {
            Some(Err(error)) => tracing::error!(task = name, %error, "background work failed and is begun again"),
            Some(Ok(())) | None => tracing::error!(task = name, "background work ended and is begun again"),
        }
        pause = if begun.elapsed() > STEADY {
            SHORTEST_PAUSE
        } else {
            (pause * 2).min(LONGEST_PAUSE)
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_is_begun_again_and_stops_when_told() {
        let begun = Arc::new(AtomicU32::new(0));
        let (reached, mut third) = watch::channel(0);
        let count = begun.clone();
        let mut tasks = Tasks::new();
        tasks.keep("faulty", move |mut stop| {
            let attempt = count.fetch_add(1, Ordering::Relaxed) + 1;
            reached.send_replace(attempt);
            async move {
                assert!(attempt >= 3, "the first two attempts fail");
                stop.wait_for(|stop| *stop).await.expect("the tasks hold the sender");
            }
        });

        third
            .wait_for(|attempt| *attempt == 3)
            .await
            .expect("it is begun a third time");
        tasks.stop(Duration::from_secs(1)).await;

        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_stop_is_ended_by_force() {
        let mut tasks = Tasks::new();
        tasks.keep("stubborn", |_stop| std::future::pending());
        let begun = Instant::now();

        tasks.stop(Duration::from_secs(2)).await;

        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    }
}
