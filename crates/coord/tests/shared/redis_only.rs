//! What only a Redis can do to its users: go away, come back empty, cut a connection.

use std::time::Duration;

use gatewright_contract::Revision;
use gatewright_coord::{CoordError, Feed, FeedState, Read, Redis, RedisFeed, RedisUsageStream, UsageStream, Wake};
use gatewright_types::{NodeId, OrganizationId};

use crate::{CLAIM_AFTER, PATIENCE, feed::begin, feed::key, redis, redis_url, usage_stream::batch};

async fn ask(url: &str, words: &[&str]) {
    let client = redis::Client::open(url).expect("a usable address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("redis answers");
    let mut command = redis::cmd(words.first().expect("a command"));
    command.arg(words.get(1..).unwrap_or_default());
    command.exec_async(&mut connection).await.expect("the command works");
}

/// Cuts the connections that listen in one database: other tests share the Redis.
async fn cut_subscribers(url: &str, database: &str) {
    let client = redis::Client::open(url).expect("a usable address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("redis answers");
    let mut list = redis::cmd("CLIENT");
    list.arg("LIST").arg("TYPE").arg("pubsub");
    let list: String = list.query_async(&mut connection).await.expect("a list");
    for line in list.lines().filter(|line| line.split(' ').any(|word| word == database)) {
        let id = line
            .split(' ')
            .find_map(|word| word.strip_prefix("id="))
            .expect("each has an id");
        ask(url, &["CLIENT", "KILL", "ID", id]).await;
    }
}

/// Waits until somebody waits for a stream of the database.
async fn blocked_reader(url: &str, database: &str) {
    let client = redis::Client::open(url).expect("a usable address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("redis answers");
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let list: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query_async(&mut connection)
            .await
            .expect("a list");
        let waits = |line: &str| {
            let words: Vec<_> = line.split(' ').collect();
            words.contains(&database) && words.contains(&"flags=b")
        };
        if list.lines().any(waits) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "nobody waits: {list}");
    }
}

#[tokio::test]
async fn after_a_flush_the_feed_is_unknown_and_can_be_filled_again() {
    let Some((url, redis)) = redis(13).await else { return };
    let feed = Feed::Redis(RedisFeed::new(redis));
    let unit = key(OrganizationId::mint(), 1, "secret");
    let before = begin(&feed, 0).await;
    feed.write(&before, std::slice::from_ref(&unit), Revision(1))
        .await
        .expect("written");

    ask(&url, &["FLUSHDB"]).await;

    assert_eq!(feed.state().await.expect("it answers"), None);
    assert_eq!(
        feed.read_since(&before, Revision(1), 10).await.expect("it answers"),
        Read::OtherEpoch
    );
    let after = begin(&feed, 1).await;
    assert_ne!(before, after);
    feed.write(&after, std::slice::from_ref(&unit), Revision(1))
        .await
        .expect("written");
    let Read::Page(page) = feed.read_since(&after, Revision(0), 10).await.expect("it answers") else {
        panic!("the new epoch can be read")
    };
    assert_eq!(page.units, [unit]);
    let state = FeedState {
        source: "database".to_owned(),
        epoch: after,
        revision: Revision(1),
        complete_at: Revision(1),
    };
    assert_eq!(feed.state().await.expect("it answers"), Some(state));
}

#[tokio::test]
async fn after_a_flush_the_usage_stream_works_as_if_new() {
    let Some((url, redis)) = redis(14).await else { return };
    let stream = RedisUsageStream::new(redis, CLAIM_AFTER)
        .map(UsageStream::Redis)
        .expect("it opens");
    let node = NodeId::mint();
    stream.send(batch(node, 1)).await.expect("sent");
    let received = stream.next("a", PATIENCE).await.expect("it answers").expect("a batch");
    stream.done(&received.token, node, Some(1)).await.expect("done");

    ask(&url, &["FLUSHDB"]).await;

    assert_eq!(stream.acked(node).await.expect("it answers"), None);
    stream.send(batch(node, 2)).await.expect("sent");
    let received = stream.next("a", PATIENCE).await.expect("it answers").expect("a batch");
    assert_eq!(*received.batch, batch(node, 2));
    stream.done(&received.token, node, Some(2)).await.expect("done");
    assert_eq!(stream.acked(node).await.expect("it answers"), Some(2));

    let emptied_while_waited_for = async {
        blocked_reader(&url, "db=14").await;
        ask(&url, &["FLUSHDB"]).await;
        stream.send(batch(node, 3)).await
    };
    let (received, sent) = tokio::join!(stream.next("a", PATIENCE), emptied_while_waited_for);
    sent.expect("sent");
    assert_eq!(
        received.expect("it answers").map(|received| (*received.batch).clone()),
        Some(batch(node, 3))
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_removed_and_told() {
    let Some((url, redis)) = redis(15).await else { return };
    let stream = RedisUsageStream::new(redis, CLAIM_AFTER)
        .map(UsageStream::Redis)
        .expect("it opens");
    ask(&url, &["XADD", "gw:{usage}:1:batches", "*", "batch", "{"]).await;

    let refused = stream.next("a", PATIENCE).await;
    let after = stream.next("a", Duration::from_millis(1)).await.expect("it answers");

    assert!(
        matches!(
            refused,
            Err(CoordError::Malformed {
                what: "a usage batch",
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(after.is_none(), "{after:?}");
}

#[tokio::test]
async fn a_lost_connection_is_subscribed_again_and_told_as_such() {
    // Nothing is stored, so the database may be another test's.
    let Some(url) = redis_url(15) else { return };
    let redis = Redis::open(&url).expect("a usable address");
    let mut notices = Feed::Redis(RedisFeed::new(redis)).notices();
    assert_eq!(notices.next(PATIENCE).await, Wake::Subscribed);

    cut_subscribers(&url, "db=15").await;

    assert_eq!(notices.next(PATIENCE).await, Wake::Lost);
    assert_eq!(notices.next(PATIENCE).await, Wake::Subscribed);
}

#[tokio::test]
async fn a_redis_that_is_away_is_an_error_soon() {
    let redis = Redis::open("redis://127.0.0.1:1/").expect("a usable address");
    let feed = Feed::Redis(RedisFeed::new(redis));

    let refused = tokio::time::timeout(PATIENCE, feed.state())
        .await
        .expect("it does not hang");
    let wake = feed.notices().next(Duration::from_millis(10)).await;

    assert!(matches!(refused, Err(CoordError::Unavailable(_))), "{refused:?}");
    assert_eq!(wake, Wake::Timer);
}
