//! One suite for both forms of what nodes share. The Redis half needs `GATEWRIGHT_TEST_REDIS`, an address of a Redis
//! that the tests may empty, and takes a database of its own (of 32) for each test, so that they can run side by side.

mod answers;
mod counters;
mod counters_at_random;
mod feed;
mod fleet;
mod health;
mod kept_responses;
mod redis_only;
mod usage_stream;

use std::time::Duration;

use gatewright_coord::{Feed, LocalFeed, LocalUsageStream, Redis, RedisFeed, RedisUsageStream, UsageStream};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(5);
const CLAIM_AFTER: Duration = Duration::from_millis(200);

/// A Redis database of its own, emptied; `None` where no Redis was given.
async fn redis(database: u8) -> Option<(String, Redis)> {
    let url = redis_url(database)?;
    let client = redis::Client::open(url.as_str()).expect("a usable address");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("the test's redis answers");
    redis::cmd("FLUSHDB")
        .exec_async(&mut connection)
        .await
        .expect("the database can be emptied");
    let redis = Redis::open(&url).expect("a usable address");
    Some((url, redis))
}

fn redis_url(database: u8) -> Option<String> {
    Some(format!("{}/{database}", redis_address()?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the address of the test's Redis comes from whoever runs the tests"
)]
#[expect(clippy::print_stderr, reason = "a half that did not run has to be seen")]
fn redis_address() -> Option<String> {
    let address = std::env::var("GATEWRIGHT_TEST_REDIS").ok();
    if address.is_none() {
        assert!(
            std::env::var("CI").is_err(),
            "GATEWRIGHT_TEST_REDIS is not set: nothing may be skipped here"
        );
        eprintln!("GATEWRIGHT_TEST_REDIS is not set: only the half within one process is tested");
    }
    address.map(|address| address.trim_end_matches('/').to_owned())
}

async fn feeds(database: u8) -> Vec<Feed> {
    let local = Feed::Local(LocalFeed::new());
    let shared = redis(database)
        .await
        .map(|(_, redis)| Feed::Redis(RedisFeed::new(redis)));
    std::iter::once(local).chain(shared).collect()
}

async fn usage_streams(database: u8) -> Vec<UsageStream> {
    let local = UsageStream::Local(LocalUsageStream::new(CLAIM_AFTER));
    let shared = redis(database).await.map(|(_, redis)| {
        UsageStream::Redis(RedisUsageStream::new(redis, CLAIM_AFTER).expect("a second connection can be set up"))
    });
    std::iter::once(local).chain(shared).collect()
}
