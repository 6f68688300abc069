//! How long a retry waits: at random, so that callers whose calls failed together do not come back together.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use gatewright_llm::Failure;
use gatewright_types::api::Retries;

/// `None` where the provider wants to be left alone for longer than a retry may wait.
pub(super) fn pause(retries: &Retries, retried: u8, failure: &Failure, random: u64) -> Option<Duration> {
    let longest = retries.longest_pause.get();
    let doubled = retries.pause.get().saturating_mul(1_u32 << retried.min(16));
    let jitter = part(doubled.min(longest), random);
    match failure.retry_after {
        Some(told) if told > longest => None,
        Some(told) => Some(told.max(jitter)),
        None => Some(jitter),
    }
}

pub(crate) fn random() -> u64 {
    // Every state of the standard library's hash maps has another seed.
    RandomState::new().hash_one(0)
}

/// Evenly between nothing and all of it.
fn part(length: Duration, random: u64) -> Duration {
    let nanos = length.as_nanos() * u128::from(random) / u128::from(u64::MAX);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use gatewright_llm::FailureKind;
    use gatewright_types::HumanDuration;

    use super::*;

    fn retries() -> Retries {
        Retries {
            pause: HumanDuration::from_millis(100),
            longest_pause: HumanDuration::from_millis(1_000),
            ..Retries::default()
        }
    }

    fn after(retry_after: Option<u64>) -> Failure {
        Failure {
            retry_after: retry_after.map(Duration::from_millis),
            ..Failure::new(FailureKind::RateLimited, "no")
        }
    }

    #[test]
    fn a_pause_is_anywhere_below_one_that_doubles_up_to_the_longest() {
        let bounds = |retried| {
            let pause = |random| pause(&retries(), retried, &after(None), random).map(|pause| pause.as_millis());
            (pause(0), pause(u64::MAX / 2), pause(u64::MAX))
        };

        assert_eq!(bounds(0), (Some(0), Some(49), Some(100)));
        assert_eq!(bounds(1), (Some(0), Some(99), Some(200)));
        assert_eq!(bounds(3), (Some(0), Some(399), Some(800)));
        assert_eq!(bounds(4), (Some(0), Some(499), Some(1_000)));
        assert_eq!(bounds(u8::MAX), (Some(0), Some(499), Some(1_000)));
    }

    #[test]
    fn a_provider_is_left_alone_for_as_long_as_it_asks_or_not_tried_again() {
        assert_eq!(
            pause(&retries(), 0, &after(Some(700)), 0),
            Some(Duration::from_millis(700))
        );
        assert_eq!(
            pause(&retries(), 0, &after(Some(1_000)), 0),
            Some(Duration::from_millis(1_000))
        );
        assert_eq!(pause(&retries(), 0, &after(Some(1_001)), 0), None);
    }

    #[test]
    fn no_two_callers_roll_the_same() {
        assert_ne!(random(), random());
    }
}
