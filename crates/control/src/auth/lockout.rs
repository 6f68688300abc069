//! How long an account stays shut after wrong passwords: growing with each, per account, whether or not it exists.
//! Accounts have their failures in the database; addresses without an account are counted here, in bounded memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::Digest;
use gatewright_types::Email;

/// Wrong passwords that cost nothing.
const FREE_TRIES: u32 = 5;
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long nobody may try after this many wrong passwords in a row: 1 s after the fifth, then double each time.
fn delay(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(FREE_TRIES) else {
        return Duration::ZERO;
    };
    let seconds = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(LONGEST)
}

/// Addresses without an account that somebody tried: they lock as accounts do, or a lock would tell who has one.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<HashMap<Digest, Tries>>);

#[derive(Debug, Clone, Copy)]
struct Tries {
    failures: u32,
    locked_until: DateTime<Utc>,
}

const MOST_STRANGERS: usize = 4096;

impl Strangers {
    pub(crate) fn locked_until(&self, email: &Email) -> Option<DateTime<Utc>> {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries
            .get(&Digest::of(email.as_str().as_bytes()))
            .map(|tries| tries.locked_until)
    }

    pub(crate) fn count_failure(&self, email: &Email, now: DateTime<Utc>) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= MOST_STRANGERS {
            let an_hour_ago = now - TimeDelta::hours(1);
            tries.retain(|_, tries| tries.locked_until > an_hour_ago);
        }
        if tries.len() >= MOST_STRANGERS {
            tries.clear();
        }
        let entry = tries.entry(Digest::of(email.as_str().as_bytes()));
        let tries = entry.or_insert(Tries {
            failures: 0,
            locked_until: now,
        });
        tries.failures = tries.failures.saturating_add(1);
        tries.locked_until = until(tries.failures, now);
    }
}

/// Until when an account is shut after this many wrong passwords in a row.
pub(crate) fn until(failures: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::from_std(delay(failures)).unwrap_or(TimeDelta::MAX)
}

/// How much longer an account is shut; `None` when it is open.
pub(crate) fn remaining(locked_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Duration> {
    (locked_until? - now).to_std().ok().filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_from_the_fifth_failure_up_to_a_quarter_of_an_hour() {
        for (failures, seconds) in [
            (0, 0),
            (4, 0),
            (5, 1),
            (6, 2),
            (7, 4),
            (10, 32),
            (14, 512),
            (15, 900),
            (90, 900),
        ] {
            assert_eq!(delay(failures), Duration::from_secs(seconds), "{failures}");
        }
    }

    #[test]
    fn an_account_opens_again_when_the_delay_is_over() {
        let failed: DateTime<Utc> = "2026-08-01T00:00:00Z".parse().expect("a time");
        let shut = Some(until(7, failed));

        let during = remaining(shut, failed + TimeDelta::seconds(1));
        let after = remaining(shut, failed + TimeDelta::seconds(4));

        assert_eq!((during, after), (Some(Duration::from_secs(3)), None));
        assert_eq!(remaining(Some(until(4, failed)), failed), None);
    }

    #[test]
    fn an_address_without_an_account_locks_like_one() {
        let (strangers, email): (_, Email) = (Strangers::default(), "nobody@example.com".parse().expect("an address"));
        let now: DateTime<Utc> = "2026-08-01T00:00:00Z".parse().expect("a time");

        for _ in 0..6 {
            strangers.count_failure(&email, now);
        }

        assert_eq!(
            remaining(strangers.locked_until(&email), now),
            Some(Duration::from_secs(2))
        );
    }
}
