//! Something that is kept elsewhere and may be away. Nobody waits for it for long; after it gave no answer one request at
//! a time tries it again, and all others go on without.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatewright_coord::CoordError;
use tokio::time::{Instant, timeout};

#[derive(Debug)]
pub(crate) struct Remote {
    terms: Terms,
    /// Since it gave no answer: until when nobody asks it.
    resting: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// How long a request waits for it.
    pub(crate) patience: Duration,
    /// How long nobody asks it after it gave no answer.
    pub(crate) rest: Duration,
    /// What the log says once it gives none.
    pub(crate) lost: &'static str,
    /// What the log says when it answers again.
    pub(crate) back: &'static str,
}

/// It could not be asked.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("it cannot be reached")]
    Away(#[from] CoordError),
    #[error("it gave no answer in time")]
    Silent,
}

impl Remote {
    pub(crate) const fn new(terms: Terms) -> Self {
        Self {
            terms,
            resting: Mutex::new(None),
        }
    }

    /// The answer; else the reason is logged, once for as long as it lasts.
    pub(crate) async fn asked<T>(&self, asking: impl Future<Output = Result<T, CoordError>>) -> Option<T> {
        if !self.may_be_asked() {
            return None;
        }
        let answer = match timeout(self.terms.patience, asking).await {
            // It is there, and says no.
            Ok(Err(CoordError::TooLarge)) => {
                self.rest(None);
                return None;
            }
            Ok(answer) => answer.map_err(Problem::Away),
            Err(_) => Err(Problem::Silent),
        };
        match answer {
            Ok(answer) => {
                if self.rest(None).is_some() {
                    tracing::info!("{}", self.terms.back);
                }
                Some(answer)
            }
            Err(problem) => {
                if self.rest(Some(Instant::now() + self.terms.rest)).is_none() {
                    let error: &dyn std::error::Error = &problem;
                    tracing::error!(error, "{}", self.terms.lost);
                }
                None
            }
        }
    }

    fn may_be_asked(&self) -> bool {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *resting {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                // Who comes next does not wait beside this one.
                *resting = Some(now + self.terms.patience + self.terms.rest);
                true
            }
        }
    }

    /// What was before.
    fn rest(&self, until: Option<Instant>) -> Option<Instant> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *resting, until)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const TERMS: Terms = Terms {
        patience: Duration::from_millis(100),
        rest: Duration::from_secs(2),
        lost: "lost",
        back: "back",
    };

    #[tokio::test(start_paused = true)]
    async fn what_gives_no_answer_is_left_alone_for_a_while() {
        let remote = Remote::new(TERMS);
        let began = Instant::now();

        assert_eq!(remote.asked(pending::<Result<(), CoordError>>()).await, None);
        assert_eq!(began.elapsed(), TERMS.patience);
        assert_eq!(remote.asked(ready(Ok(()))).await, None, "nobody asks it now");
        assert_eq!(began.elapsed(), TERMS.patience, "and nobody waits");

        tokio::time::advance(TERMS.rest).await;
        assert_eq!(remote.asked(ready(Ok(()))).await, Some(()));
        assert_eq!(remote.asked(ready(Ok(()))).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_says_no_is_there() {
        let remote = Remote::new(TERMS);

        assert_eq!(remote.asked(ready(Err::<(), _>(CoordError::TooLarge))).await, None);

        assert_eq!(remote.asked(ready(Ok(()))).await, Some(()));
    }
}
