//! Answers that are kept for requests that ask the same.

use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::{Digest, Keyring};
use gatewright_coord::{Answers, CoordError, LocalAnswers, Redis, RedisAnswers};
use gatewright_types::OrganizationId;

use crate::{PATIENCE, redis_url};

/// One for all of these tests: each has organizations of its own.
const DATABASE: u8 = 12;
const HOUR: Duration = Duration::from_secs(3600);

fn redis() -> Option<Redis> {
    redis_url(DATABASE).map(|url| Redis::open(&url).expect("a usable address"))
}

fn keyring() -> Keyring {
    Keyring::parse(Keyring::mint().expose()).expect("a minted key parses")
}

fn both(room_bytes: u64) -> Vec<Answers> {
    let shared = redis().map(|redis| Answers::Redis(RedisAnswers::new(redis, keyring(), room_bytes)));
    std::iter::once(Answers::Local(LocalAnswers::new(room_bytes)))
        .chain(shared)
        .collect()
}

fn key(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

async fn keep(answers: &Answers, organization: OrganizationId, entries: &[(&str, &str)], ttl: Duration) {
    let entries = entries
        .iter()
        .map(|(name, text)| (key(name), Bytes::copy_from_slice(text.as_bytes())))
        .collect();
    answers.keep(organization, entries, ttl).await.expect("it is kept");
}

async fn find(answers: &Answers, organization: OrganizationId, names: &[&str]) -> Vec<Option<String>> {
    let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
    let found = answers.find(organization, &keys).await.expect("it answers");
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).expect("a text");
    found.into_iter().map(|entry| entry.map(text)).collect()
}

#[tokio::test]
async fn an_answer_is_found_by_its_organization_only() {
    for answers in both(1 << 20) {
        let (ours, theirs) = (OrganizationId::mint(), OrganizationId::mint());
        keep(&answers, ours, &[("a", "one"), ("b", "two")], HOUR).await;
        keep(&answers, theirs, &[("a", "other")], HOUR).await;
        keep(&answers, ours, &[("b", "two again")], HOUR).await;

        let found = find(&answers, ours, &["b", "c", "a"]).await;

        assert_eq!(found, [Some("two again".to_owned()), None, Some("one".to_owned())]);
        assert_eq!(
            find(&answers, theirs, &["a", "b"]).await,
            [Some("other".to_owned()), None]
        );
    }
}

#[tokio::test]
async fn an_answer_goes_when_its_time_is_over() {
    for answers in both(1 << 20) {
        let ours = OrganizationId::mint();
        keep(&answers, ours, &[("long", "stays")], HOUR).await;
        keep(&answers, ours, &[("short", "goes")], Duration::from_millis(150)).await;
        assert_eq!(find(&answers, ours, &["short"]).await, [Some("goes".to_owned())]);

        let deadline = tokio::time::Instant::now() + PATIENCE;
        while find(&answers, ours, &["short"]).await != [None] {
            assert!(tokio::time::Instant::now() < deadline, "it stays for ever");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        assert_eq!(find(&answers, ours, &["long"]).await, [Some("stays".to_owned())]);
    }
}

#[tokio::test]
async fn an_organization_keeps_to_its_room_and_leaves_the_others_theirs() {
    for answers in both(12_000) {
        let (ours, theirs) = (OrganizationId::mint(), OrganizationId::mint());
        let text = "x".repeat(2000);
        keep(&answers, theirs, &[("kept", &text)], HOUR).await;
        let names: Vec<_> = (0..20).map(|number| number.to_string()).collect();
        for name in &names {
            keep(&answers, ours, &[(name, &text)], HOUR).await;
        }

        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let found = find(&answers, ours, &names).await;
        let held = found.iter().flatten().count();
        assert!((3..=5).contains(&held), "{held} are there");
        assert!(found.last().is_some_and(Option::is_some), "the newest is there");
        assert_eq!(find(&answers, theirs, &["kept"]).await, [Some(text)]);

        let large = Bytes::from("x".repeat(20_000));
        let refused = answers.keep(ours, vec![(key("large"), large)], HOUR).await;
        assert!(matches!(refused, Err(CoordError::TooLarge)), "{refused:?}");
    }
}

#[tokio::test]
async fn redis_holds_nothing_that_can_be_read_without_the_master_key() {
    let Some(redis) = redis() else { return };
    let ours = OrganizationId::mint();
    let (mine, other) = (keyring(), keyring());
    let with = |keyring| Answers::Redis(RedisAnswers::new(redis.clone(), keyring, 1 << 20));
    keep(&with(mine.clone()), ours, &[("a", "a secret answer")], HOUR).await;

    assert_eq!(find(&with(other), ours, &["a"]).await, [None]);
    assert_eq!(
        find(&with(mine), ours, &["a"]).await,
        [Some("a secret answer".to_owned())]
    );
}
