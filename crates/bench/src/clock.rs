//! Wall-clock time for file names and queries. Durations are measured with tokio's monotonic clock, never with this.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

pub(crate) fn now() -> DateTime<Utc> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .unwrap_or_default()
}
