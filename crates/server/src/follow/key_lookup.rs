//! The second look for a key this node does not know: it may have been made a moment ago. Misses are remembered for a
//! moment, and only so many questions are asked at once, so that guessing keys is cheap to refuse.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatewright_contract::{Digest, Unit};
use gatewright_coord::Feed;
use gatewright_proxy::{KeyKnowledge, KeyLookup};
use gatewright_store::Db;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Follower;

const MISS_LASTS: Duration = Duration::from_secs(1);
const MOST_MISSES: usize = 10_000;
const QUESTIONS_AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_millis(750);

/// Who knows all keys.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    Feed(Feed),
    /// On a single node the database is at hand, and ahead of the feed.
    Database(Db),
}

#[derive(Debug)]
struct Asking {
    source: KeySource,
    follower: Follower,
    misses: Mutex<HashMap<Digest, Instant>>,
    questions: Semaphore,
}

/// What the data plane asks with.
pub(crate) fn lookup(source: KeySource, follower: Follower) -> KeyLookup {
    let questions = Semaphore::new(QUESTIONS_AT_ONCE);
    let asking = Arc::new(Asking {
        source,
        follower,
        misses: Mutex::default(),
        questions,
    });
    KeyLookup::new(move |digest| {
        let asking = asking.clone();
        Box::pin(async move {
            let answer = tokio::time::timeout(PATIENCE, asking.ask(digest)).await;
            answer.unwrap_or(KeyKnowledge::CannotKnow)
        })
    })
}

impl Asking {
    async fn ask(&self, digest: Digest) -> KeyKnowledge {
        if self.missed_lately(&digest) {
            return KeyKnowledge::Unknown;
        }
        let Ok(_permit) = self.questions.acquire().await else {
            return KeyKnowledge::CannotKnow;
        };
        let found = match &self.source {
            KeySource::Feed(feed) => feed.key(&digest).await.map_err(|error| error.to_string()),
            KeySource::Database(db) => db.system().key_unit(&digest).await.map_err(|error| error.to_string()),
        };
        match found {
            Ok(Some(unit)) => {
                self.follower.adopt(unit).await;
                self.follower.wait_for_tenant(&digest).await;
                KeyKnowledge::Published
            }
            Ok(None) => {
                self.remember_miss(digest);
                KeyKnowledge::Unknown
            }
            Err(error) => {
                tracing::debug!(error, "an unknown key could not be looked up");
                KeyKnowledge::CannotKnow
            }
        }
    }

    fn missed_lately(&self, digest: &Digest) -> bool {
        self.misses()
            .get(digest)
            .is_some_and(|missed| missed.elapsed() < MISS_LASTS)
    }

    fn remember_miss(&self, digest: Digest) {
        let mut misses = self.misses();
        if misses.len() >= MOST_MISSES {
            misses.retain(|_, missed| missed.elapsed() < MISS_LASTS);
        }
        if misses.len() < MOST_MISSES {
            misses.insert(digest, Instant::now());
        }
    }

    fn misses(&self) -> MutexGuard<'_, HashMap<Digest, Instant>> {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    /// Publishes one unit ahead of its turn. One whose turn has come already is passed over: something newer may have
    /// been published since, its removal for one.
    async fn adopt(&self, unit: Unit) {
        let progress = self.progress.lock().await;
        let Some(snapshot) = self.published.load() else { return };
        let up_to = progress.serving.as_ref().map(|cursor| cursor.up_to).unwrap_or_default();
        if unit.revision > up_to {
            self.published.store(self.status.apply(&snapshot, vec![unit]));
        }
    }

    /// A key made right after its organization may be there before it.
    async fn wait_for_tenant(&self, digest: &Digest) {
        let missing = || {
            let snapshot = self.published.load();
            snapshot.is_some_and(|snapshot| snapshot.caller(digest).is_some_and(|caller| caller.is_err()))
        };
        let mut changes = self.changes.subscribe();
        while missing() {
            self.nudge.notify_one();
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatewright_contract::{KeyUnit, OrganizationUnit, Published, Revision, UnitBody, UnitId};
    use gatewright_coord::LocalFeed;
    use gatewright_types::{KeyId, OrganizationId};

    use super::super::OnDisk;
    use super::*;

    struct Stage {
        feed: Feed,
        epoch: String,
        published: Published,
        follower: Follower,
        asking: Asking,
        organization: OrganizationId,
    }

    fn digest() -> Digest {
        Digest::of(b"secret")
    }

    /// A node that serves revision 1: an organization without keys.
    async fn stage() -> Stage {
        let (feed, published) = (Feed::Local(LocalFeed::new()), Published::default());
        let follower = Follower::new(feed.clone(), published.clone(), OnDisk::NotNeeded);
        let asking = Asking {
            source: KeySource::Feed(feed.clone()),
            follower: follower.clone(),
            misses: Mutex::default(),
            questions: Semaphore::new(QUESTIONS_AT_ONCE),
        };
        let organization = OrganizationId::mint();
        let body = UnitBody::Organization(OrganizationUnit::new("acme".parse().expect("a slug")));
        let unit = Unit {
            organization,
            id: UnitId::Organization,
            revision: Revision(1),
            body: Some(body),
        };
        let epoch = feed.reset("database", Revision(1)).await.expect("an epoch").epoch;
        feed.write(&epoch, &[unit], Revision(1)).await.expect("written");
        follower.catch_up().await;
        Stage {
            feed,
            epoch,
            published,
            follower,
            asking,
            organization,
        }
    }

    impl Stage {
        async fn write_key(&self, revision: u64, body: Option<UnitBody>) {
            let unit = Unit {
                organization: self.organization,
                id: UnitId::Key(digest()),
                revision: Revision(revision),
                body,
            };
            self.feed
                .write(&self.epoch, &[unit], Revision(revision))
                .await
                .expect("written");
        }

        fn knows_key(&self) -> bool {
            self.published.load().expect("a snapshot").caller(&digest()).is_some()
        }
    }

    fn key() -> Option<UnitBody> {
        Some(UnitBody::Key(KeyUnit::new(KeyId::mint())))
    }

    #[tokio::test]
    async fn a_key_the_node_has_not_heard_of_is_published_at_once() {
        let stage = stage().await;
        stage.write_key(2, key()).await;
        assert!(!stage.knows_key());

        let knowledge = stage.asking.ask(digest()).await;

        assert_eq!(knowledge, KeyKnowledge::Published);
        assert!(stage.knows_key());
    }

    #[tokio::test(start_paused = true)]
    async fn a_miss_is_remembered_for_a_second_only() {
        let stage = stage().await;
        assert_eq!(stage.asking.ask(digest()).await, KeyKnowledge::Unknown);
        stage.write_key(2, key()).await;
        assert_eq!(stage.asking.ask(digest()).await, KeyKnowledge::Unknown);

        tokio::time::advance(MISS_LASTS).await;

        assert_eq!(stage.asking.ask(digest()).await, KeyKnowledge::Published);
    }

    #[tokio::test]
    async fn a_key_is_not_announced_before_its_organization_is_there() {
        let stage = stage().await;
        let organization = OrganizationId::mint();
        let unit = |id, revision, body| Unit {
            organization,
            id,
            revision: Revision(revision),
            body,
        };
        let body = UnitBody::Organization(OrganizationUnit::new("beta".parse().expect("a slug")));
        let made = [
            unit(UnitId::Organization, 2, Some(body)),
            unit(UnitId::Key(digest()), 3, key()),
        ];
        stage
            .feed
            .write(&stage.epoch, &made, Revision(3))
            .await
            .expect("written");

        let nudged = async {
            stage.follower.nudge.notified().await;
            stage.follower.catch_up().await;
        };
        let (knowledge, ()) = tokio::join!(stage.asking.ask(digest()), nudged);

        assert_eq!(knowledge, KeyKnowledge::Published);
        let snapshot = stage.published.load().expect("a snapshot");
        assert!(snapshot.caller(&digest()).is_some_and(|caller| caller.is_ok()));
    }

    #[tokio::test]
    async fn an_answer_that_was_overtaken_by_the_revocation_changes_nothing() {
        let stage = stage().await;
        stage.write_key(2, key()).await;
        let answer = stage.feed.key(&digest()).await.expect("it answers").expect("the key");
        stage.write_key(3, None).await;
        stage.follower.catch_up().await;

        stage.follower.adopt(answer).await;

        assert!(!stage.knows_key());
    }

    #[tokio::test]
    async fn a_feed_that_cannot_tell_is_not_the_same_as_an_unknown_key() {
        let stage = stage().await;
        stage
            .feed
            .reset("database", Revision(9))
            .await
            .expect("the feed starts over");

        assert_eq!(stage.asking.ask(digest()).await, KeyKnowledge::CannotKnow);
    }
}
