//! Moments as the numbers that vitals are kept in.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// In milliseconds since 1970, so that nodes can tell each other of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub(super) u64);

impl Moment {
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> u64 {
        self.0
    }

    #[must_use]
    pub fn after(self, length: Duration) -> Self {
        Self(self.0.saturating_add(millis(length)))
    }

    /// Nothing when the other is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The number of the span that it lies in.
    pub(super) fn period(self, length: Duration) -> u64 {
        self.0 / millis(length).max(1)
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Self {
        Self(u64::try_from(time.timestamp_millis()).unwrap_or(0))
    }
}

impl From<Moment> for DateTime<Utc> {
    fn from(moment: Moment) -> Self {
        let millis = i64::try_from(moment.0).unwrap_or(i64::MAX);
        Self::from_timestamp_millis(millis).unwrap_or(Self::MAX_UTC)
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
