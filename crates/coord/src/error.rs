//! Why something shared could not be read or written.

use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum CoordError {
    /// Redis is away or refuses; trying again later is right.
    #[error("redis is not available")]
    Unavailable(#[from] redis::RedisError),
    #[error("redis gave no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("{what} cannot be read")]
    Malformed {
        what: &'static str,
        source: serde_json::Error,
    },
    /// The feed was started over since: look at its state again.
    #[error("the configuration feed has another epoch by now")]
    OtherEpoch,
    /// The feed is empty or still being filled, so that nothing follows from what it lacks.
    #[error("the configuration feed is not filled yet")]
    NotFilled,
    /// The disk of a process that keeps for itself what others keep in Redis.
    #[error("the data directory cannot be used")]
    Disk(#[source] std::io::Error),
    #[error("it takes more than all of an organization's room")]
    TooLarge,
    /// The other side does not keep up: wait, and keep what was to be sent.
    #[error("there is no room until the other side has caught up")]
    Full,
}
