//! The configuration feed.

use std::time::Duration;

use gatewright_contract::{Digest, KeyUnit, OrganizationUnit, Revision, Unit, UnitBody, UnitId};
use gatewright_coord::{CoordError, Feed, FeedState, Read, UnitPage, Wake};
use gatewright_types::{KeyId, OrganizationId};

use crate::{PATIENCE, feeds, redis};

pub(crate) fn key(organization: OrganizationId, revision: u64, secret: &str) -> Unit {
    let body = UnitBody::Key(KeyUnit::new(KeyId::mint()));
    Unit {
        organization,
        id: UnitId::Key(Digest::of(secret.as_bytes())),
        revision: Revision(revision),
        body: Some(body),
    }
}

fn organization(revision: u64) -> Unit {
    let body = UnitBody::Organization(OrganizationUnit::new("acme".parse().expect("a slug")));
    Unit {
        organization: OrganizationId::mint(),
        id: UnitId::Organization,
        revision: Revision(revision),
        body: Some(body),
    }
}

fn tombstone(unit: &Unit, revision: u64) -> Unit {
    Unit {
        revision: Revision(revision),
        body: None,
        ..unit.clone()
    }
}

/// Begins an epoch and gives its name.
pub(crate) async fn begin(feed: &Feed, complete_at: u64) -> String {
    feed.reset("database", Revision(complete_at))
        .await
        .expect("an epoch begins")
        .epoch
}

async fn page(feed: &Feed, epoch: &str, after: u64, limit: usize) -> UnitPage {
    match feed
        .read_since(epoch, Revision(after), limit)
        .await
        .expect("the feed can be read")
    {
        Read::Page(page) => page,
        Read::OtherEpoch => panic!("the epoch is over"),
    }
}

fn revisions(page: &UnitPage) -> Vec<u64> {
    page.units.iter().map(|unit| unit.revision.0).collect()
}

#[tokio::test]
async fn a_feed_knows_nothing_before_its_first_epoch() {
    for feed in feeds(0).await {
        assert_eq!(feed.state().await.expect("it answers"), None);
        assert_eq!(
            feed.read_since("e", Revision(0), 10).await.expect("it answers"),
            Read::OtherEpoch
        );
        assert!(matches!(feed.key(&Digest::of(b"x")).await, Err(CoordError::NotFilled)));
        let refused = feed.write("e", &[organization(1)], Revision(1)).await;
        assert!(matches!(refused, Err(CoordError::OtherEpoch)), "{refused:?}");
    }
}

#[tokio::test]
async fn units_come_in_the_order_of_their_revisions() {
    for feed in feeds(1).await {
        let epoch = begin(&feed, 0).await;
        let first = organization(3);
        feed.write(&epoch, std::slice::from_ref(&first), Revision(4))
            .await
            .expect("written");
        let units = [
            key(first.organization, 6, "later"),
            key(first.organization, 5, "earlier"),
        ];
        feed.write(&epoch, &units, Revision(7)).await.expect("written");

        let read = page(&feed, &epoch, 0, 10).await;

        assert_eq!(
            (revisions(&read), read.up_to, read.more),
            (vec![3, 5, 6], Revision(7), false)
        );
        assert_eq!(read.units.first(), Some(&first));
        assert_eq!(
            page(&feed, &epoch, 7, 10).await,
            UnitPage {
                units: Vec::new(),
                up_to: Revision(7),
                more: false
            }
        );
        let state = FeedState {
            source: "database".to_owned(),
            epoch,
            revision: Revision(7),
            complete_at: Revision(0),
        };
        assert_eq!(feed.state().await.expect("it answers"), Some(state));
    }
}

#[tokio::test]
async fn units_that_share_a_revision_are_never_skipped_by_a_limit() {
    for feed in feeds(2).await {
        let owner = OrganizationId::mint();
        let epoch = begin(&feed, 0).await;
        let units: Vec<_> = (0..1_300)
            .map(|n| key(owner, 1 + n / 600, &format!("secret {n}")))
            .collect();
        feed.write(&epoch, &units, Revision(3)).await.expect("written");

        let (mut after, mut pages, mut digests) = (0, Vec::new(), std::collections::BTreeSet::new());
        loop {
            let read = page(&feed, &epoch, after, 100).await;
            pages.push((read.units.len(), read.up_to.0, read.more));
            digests.extend(read.units.iter().map(|unit| unit.id));
            after = read.up_to.0;
            if !read.more {
                break;
            }
        }

        assert_eq!(pages, [(600, 1, true), (600, 2, true), (100, 3, false)]);
        assert_eq!(digests.len(), 1_300);
    }
}

#[tokio::test]
async fn what_is_not_announced_yet_is_not_read() {
    for feed in feeds(3).await {
        let epoch = begin(&feed, 0).await;
        feed.write(&epoch, &[organization(1), organization(9)], Revision(5))
            .await
            .expect("written");

        let before = page(&feed, &epoch, 0, 10).await;
        feed.write(&epoch, &[], Revision(9)).await.expect("written");
        let after = page(&feed, &epoch, before.up_to.0, 10).await;

        assert_eq!(
            (revisions(&before), before.up_to, before.more),
            (vec![1], Revision(5), false)
        );
        assert_eq!(
            (revisions(&after), after.up_to, after.more),
            (vec![9], Revision(9), false)
        );
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_digest_until_its_tombstone() {
    for feed in feeds(4).await {
        let unit = key(OrganizationId::mint(), 1, "secret");
        let digest = Digest::of(b"secret");
        let epoch = begin(&feed, 1).await;
        assert!(
            matches!(feed.key(&digest).await, Err(CoordError::NotFilled)),
            "an incomplete feed cannot tell"
        );

        feed.write(&epoch, std::slice::from_ref(&unit), Revision(1))
            .await
            .expect("written");
        assert_eq!(feed.key(&digest).await.expect("it answers"), Some(unit.clone()));
        assert_eq!(feed.key(&Digest::of(b"other")).await.expect("it answers"), None);

        let gone = tombstone(&unit, 2);
        feed.write(&epoch, std::slice::from_ref(&gone), Revision(2))
            .await
            .expect("written");
        assert_eq!(feed.key(&digest).await.expect("it answers"), None);
        let read = page(&feed, &epoch, 1, 10).await;
        assert_eq!(read.units, [gone]);
    }
}

#[tokio::test]
async fn a_write_of_an_epoch_that_is_over_is_refused() {
    for feed in feeds(5).await {
        let epoch = begin(&feed, 0).await;
        feed.write(&epoch, &[organization(1)], Revision(1))
            .await
            .expect("written");
        let later = begin(&feed, 1).await;

        let refused = feed.write(&epoch, &[organization(2)], Revision(2)).await;

        assert!(matches!(refused, Err(CoordError::OtherEpoch)), "{refused:?}");
        assert_eq!(
            feed.read_since(&epoch, Revision(1), 10).await.expect("it answers"),
            Read::OtherEpoch
        );
        let state = FeedState {
            source: "database".to_owned(),
            epoch: later.clone(),
            revision: Revision(0),
            complete_at: Revision(1),
        };
        assert!(!state.is_complete());
        assert_eq!(feed.state().await.expect("it answers"), Some(state));
        let Read::Page(empty) = feed.read_since(&later, Revision(0), 10).await.expect("it answers") else {
            panic!("the new epoch can be read")
        };
        assert_eq!(empty.units, []);
    }
}

#[tokio::test]
async fn a_write_wakes_the_follower_and_silence_ends_with_the_timer() {
    for feed in feeds(6).await {
        let epoch = begin(&feed, 0).await;
        let mut notices = feed.notices();
        assert_ne!(
            notices.next(PATIENCE).await,
            Wake::Timer,
            "the first look comes at once"
        );
        assert_eq!(notices.next(Duration::from_millis(50)).await, Wake::Timer);

        feed.write(&epoch, &[organization(1)], Revision(1))
            .await
            .expect("written");

        assert_eq!(notices.next(PATIENCE).await, Wake::Notice);
    }
}

#[tokio::test]
async fn a_follower_that_forgot_what_it_was_given_makes_a_local_feed_start_over() {
    let feed = Feed::Local(gatewright_coord::LocalFeed::new());
    let epoch = begin(&feed, 0).await;
    feed.write(&epoch, &[organization(1), organization(2)], Revision(2))
        .await
        .expect("written");
    assert_eq!(revisions(&page(&feed, &epoch, 0, 10).await), [1, 2]);
    assert_eq!(revisions(&page(&feed, &epoch, 1, 10).await), [2]);

    let forgetful = feed.read_since(&epoch, Revision(0), 10).await.expect("it answers");

    assert_eq!(forgetful, Read::OtherEpoch);
    assert_eq!(feed.state().await.expect("it answers"), None);
}

#[tokio::test(start_paused = true)]
async fn a_writer_of_a_local_feed_waits_for_its_follower_and_gives_up_in_the_end() {
    let feed = Feed::Local(gatewright_coord::LocalFeed::new());
    let epoch = begin(&feed, 0).await;
    let owner = OrganizationId::mint();
    let many: Vec<_> = (1..=20_000).map(|n| key(owner, n, &format!("secret {n}"))).collect();
    feed.write(&epoch, &many, Revision(20_000)).await.expect("written");

    let refused = feed.write(&epoch, &[organization(20_001)], Revision(20_001)).await;
    assert!(matches!(refused, Err(CoordError::Full)), "{refused:?}");

    let one_more = [organization(20_001)];
    let write = feed.write(&epoch, &one_more, Revision(20_001));
    let read = async {
        page(&feed, &epoch, 0, 100).await;
        page(&feed, &epoch, 100, 100).await
    };
    let (written, _) = tokio::join!(write, read);
    written.expect("there is room by now");
}

#[tokio::test]
async fn an_overtaken_publisher_changes_nothing() {
    let Some((_, redis)) = redis(7).await else { return };
    let feed = Feed::Redis(gatewright_coord::RedisFeed::new(redis));
    let unit = key(OrganizationId::mint(), 1, "secret");
    let epoch = begin(&feed, 0).await;
    feed.write(&epoch, &[tombstone(&unit, 2)], Revision(2))
        .await
        .expect("written");

    feed.write(&epoch, &[unit], Revision(1)).await.expect("passed over");

    assert_eq!(feed.key(&Digest::of(b"secret")).await.expect("it answers"), None);
    assert_eq!(
        feed.state().await.expect("it answers").map(|state| state.revision),
        Some(Revision(2))
    );
}
