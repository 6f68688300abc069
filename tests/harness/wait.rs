//! Waiting for what happens elsewhere: ask again and again until it is there or the deadline has passed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(15);

/// Long enough for anything that happens by itself on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// The first value that `probe` gives. Panics, naming what was waited for, when the deadline passes before.
pub async fn eventually<T>(what: &str, within: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "within {within:?} it did not happen that {what}"
        );
        sleep(POLL).await;
    }
}

/// Asserts that `holds` stays true for a while.
pub async fn always(what: &str, during: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + during;
    while Instant::now() < end {
        assert!(holds().await, "it did not stay true that {what}");
        sleep(POLL).await;
    }
}
