//! Tasks that keep feed and usage in step with the database. They take no input and may run on several nodes at once;
//! the server starts and watches them.

pub mod canaries;
pub mod expiry;
pub mod ingest;
pub mod key_upkeep;
pub mod publisher;
pub mod reconciler;
pub mod refresh;
pub mod repricing;

use std::error::Error;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::chain;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Trouble that lasts is told twice, when it begins and when it is over, and tried again ever more slowly.
#[derive(Debug)]
struct Trouble {
    task: &'static str,
    failures: u32,
}

impl Trouble {
    fn new(task: &'static str) -> Self {
        Self { task, failures: 0 }
    }

    fn over(&mut self) {
        if self.failures > 0 {
            tracing::info!(task = self.task, failures = self.failures, "{} works again", self.task);
        }
        self.failures = 0;
    }

    /// Notes a failure and waits; false when it is time to stop.
    async fn wait(&mut self, error: &(dyn Error + Send + Sync), stop: &CancellationToken) -> bool {
        if self.failures == 0 {
            tracing::error!(task = self.task, error = %chain(error), "{} failed and goes on trying", self.task);
        } else {
            tracing::debug!(task = self.task, error = %chain(error), "{} failed again", self.task);
        }
        let delay = SHORTEST
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        pause(delay, stop).await
    }
}

/// Does the same again and again, until it is told to stop.
async fn repeat<F, E>(task: &'static str, every: Duration, stop: &CancellationToken, work: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: Error + Send + Sync + 'static,
{
    let mut trouble = Trouble::new(task);
    loop {
        let go_on = match work().await {
            Ok(()) => {
                trouble.over();
                pause(every, stop).await
            }
            Err(error) => trouble.wait(&error, stop).await,
        };
        if !go_on {
            return;
        }
    }
}

/// False when it is time to stop.
async fn pause(time: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trouble_is_waited_out_ever_longer_until_it_is_over() {
        let (mut trouble, stop) = (Trouble::new("test"), CancellationToken::new());
        let error = std::io::Error::other("away");
        let mut waited = Vec::new();
        for _ in 0..8 {
            let began = Instant::now();
            assert!(trouble.wait(&error, &stop).await);
            waited.push(began.elapsed().as_millis());
        }
        assert_eq!(waited, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);

        trouble.over();
        stop.cancel();

        assert!(!trouble.wait(&error, &stop).await);
    }
}
