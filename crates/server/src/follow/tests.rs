use gatewright_contract::{Digest, KeyUnit, ModelUnit, OrganizationUnit, ProviderUnit, UnitBody, UnitId};
use gatewright_coord::LocalFeed;
use gatewright_types::api::{ModelSettings, ProviderKind, ProviderSettings, Route};
use gatewright_types::{KeyId, ModelId, OrganizationId, ProviderId};

use super::*;

impl Follower {
    /// Looks until there is nothing more to read.
    pub(crate) async fn catch_up(&self) {
        let mut building = None;
        while self.look(&mut building).await.expect("the feed answers") == Look::Again {}
    }
}

struct Stage {
    feed: Feed,
    published: Published,
    follower: Follower,
    organization: OrganizationId,
}

fn stage(on_disk: OnDisk) -> Stage {
    let (feed, published) = (Feed::Local(LocalFeed::new()), Published::default());
    let follower = Follower::new(feed.clone(), published.clone(), on_disk);
    Stage {
        feed,
        published,
        follower,
        organization: OrganizationId::mint(),
    }
}

impl Stage {
    fn unit(&self, revision: u64, id: UnitId, body: Option<UnitBody>) -> Unit {
        Unit {
            organization: self.organization,
            id,
            revision: Revision(revision),
            body,
        }
    }

    fn owner(&self, revision: u64) -> Unit {
        let body = UnitBody::Organization(OrganizationUnit::new("acme".parse().expect("a slug")));
        self.unit(revision, UnitId::Organization, Some(body))
    }

    fn key(&self, revision: u64, secret: &str) -> Unit {
        let body = UnitBody::Key(KeyUnit::new(KeyId::mint()));
        self.unit(revision, UnitId::Key(Digest::of(secret.as_bytes())), Some(body))
    }

    fn sandbox(&self, revision: u64) -> Unit {
        let name = "sandbox".parse().expect("a name");
        let body = ProviderUnit {
            name,
            kind: ProviderKind::Sandbox,
            base_url: None,
            settings: ProviderSettings::default(),
            network: None,
            credentials: Vec::new(),
        };
        self.unit(
            revision,
            UnitId::Provider(ProviderId::mint()),
            Some(UnitBody::Provider(body)),
        )
    }

    fn model(&self, revision: u64, target: &str) -> Unit {
        let route = Route::to(target.parse().expect("a target"));
        let body = ModelUnit {
            name: "fast".parse().expect("a name"),
            route,
            canaries: Vec::new(),
            settings: ModelSettings::default(),
        };
        self.unit(revision, UnitId::Model(ModelId::mint()), Some(UnitBody::Model(body)))
    }

    async fn begin(&self, complete_at: u64) -> String {
        self.feed
            .reset("database", Revision(complete_at))
            .await
            .expect("an epoch")
            .epoch
    }

    async fn write(&self, epoch: &str, units: &[Unit], revision: u64) {
        let written = self.feed.write(epoch, units, Revision(revision)).await;
        written.expect("the feed takes it");
    }

    fn knows(&self, secret: &str) -> bool {
        let snapshot = self.published.load().expect("a snapshot");
        snapshot
            .caller(&Digest::of(secret.as_bytes()))
            .is_some_and(|caller| caller.is_ok())
    }

    fn models(&self) -> usize {
        let snapshot = self.published.load().expect("a snapshot");
        snapshot
            .tenant(self.organization)
            .map_or(0, |tenant| tenant.models.len())
    }
}

#[tokio::test]
async fn a_feed_that_is_still_being_filled_is_not_served() {
    let stage = stage(OnDisk::NotNeeded);
    let mut building = None;
    assert_eq!(
        stage.follower.look(&mut building).await.expect("it answers"),
        Look::Done
    );
    let epoch = stage.begin(2).await;
    stage.write(&epoch, &[stage.owner(1)], 1).await;

    assert_eq!(
        stage.follower.look(&mut building).await.expect("it answers"),
        Look::Done
    );
    assert!(stage.published.load().is_none());

    stage.write(&epoch, &[stage.key(2, "secret")], 2).await;
    assert_eq!(
        stage.follower.look(&mut building).await.expect("it answers"),
        Look::Again
    );
    assert!(stage.knows("secret"));
    assert_eq!(
        stage
            .follower
            .status()
            .served()
            .map(|served| (served.revision.0, served.keys)),
        Some((2, 1))
    );
}

#[tokio::test]
async fn changes_are_applied_to_what_is_served() {
    let stage = stage(OnDisk::NotNeeded);
    let epoch = stage.begin(1).await;
    stage.write(&epoch, &[stage.owner(1)], 1).await;
    stage.follower.catch_up().await;

    let key = stage.key(2, "secret");
    stage.write(&epoch, std::slice::from_ref(&key), 2).await;
    stage.follower.catch_up().await;
    assert!(stage.knows("secret"));

    stage
        .write(
            &epoch,
            &[Unit {
                revision: Revision(3),
                body: None,
                ..key
            }],
            3,
        )
        .await;
    stage.follower.catch_up().await;
    assert!(!stage.knows("secret"));
}

#[tokio::test]
async fn the_old_snapshot_is_served_until_a_feed_that_starts_over_is_complete() {
    let stage = stage(OnDisk::NotNeeded);
    let epoch = stage.begin(1).await;
    stage.write(&epoch, &[stage.owner(1), stage.key(1, "old")], 1).await;
    stage.follower.catch_up().await;

    let epoch = stage.begin(9).await;
    stage.write(&epoch, &[stage.owner(8)], 8).await;
    stage.follower.catch_up().await;
    assert!(stage.knows("old"));

    stage.write(&epoch, &[stage.key(9, "new")], 9).await;
    // The follower's earlier reading was handed over already: a local feed starts over once more.
    stage.follower.catch_up().await;
    let epoch = stage.begin(9).await;
    stage.write(&epoch, &[stage.owner(8), stage.key(9, "new")], 9).await;
    stage.follower.catch_up().await;
    assert!(stage.knows("new") && !stage.knows("old"));
}

#[tokio::test]
async fn an_organization_that_does_not_compile_keeps_its_last_good_configuration_and_is_counted() {
    let stage = stage(OnDisk::NotNeeded);
    let epoch = stage.begin(1).await;
    let good = [
        stage.owner(1),
        stage.sandbox(1),
        stage.model(1, "sandbox/sandbox-small"),
    ];
    stage.write(&epoch, &good, 1).await;
    stage.follower.catch_up().await;

    let broken = stage.model(2, "missing/model");
    stage.write(&epoch, std::slice::from_ref(&broken), 2).await;
    stage.follower.catch_up().await;

    let failing = |count: u32| format!("\ngatewright_config_failing_organizations {count}\n");
    let metrics = || {
        let mut text = String::new();
        stage.follower.status().render(&mut text);
        text
    };
    assert_eq!(stage.models(), 1);
    assert!(metrics().contains(&failing(1)), "{}", metrics());

    let removed = Unit {
        revision: Revision(3),
        body: None,
        ..broken
    };
    stage.write(&epoch, &[removed], 3).await;
    stage.follower.catch_up().await;
    assert!(metrics().contains(&failing(0)), "{}", metrics());
}

#[tokio::test]
async fn a_node_starts_with_its_snapshot_on_disk_and_goes_on_from_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = stage(OnDisk::kept_in(directory.path()));
    let epoch = first.begin(1).await;
    first
        .feed
        .write(&epoch, &[first.owner(1), first.key(1, "one")], Revision(1))
        .await
        .expect("written");
    first.follower.catch_up().await;
    first
        .feed
        .write(&epoch, &[first.key(2, "two")], Revision(2))
        .await
        .expect("written");
    first.follower.catch_up().await;

    let (feed, published) = (first.feed.clone(), Published::default());
    let follower = Follower::new(feed, published.clone(), OnDisk::kept_in(directory.path()));
    let second = Stage {
        follower,
        published,
        ..first
    };
    second.follower.restore().await;
    assert!(second.knows("one") && second.knows("two"));

    second
        .feed
        .write(&epoch, &[second.key(3, "three")], Revision(3))
        .await
        .expect("written");
    second.follower.catch_up().await;
    assert!(second.knows("one") && second.knows("three"));
}

#[tokio::test]
async fn without_a_snapshot_and_without_a_feed_nothing_is_served() {
    let directory = tempfile::tempdir().expect("a directory");
    let stage = stage(OnDisk::kept_in(directory.path()));

    stage.follower.restore().await;
    stage.follower.catch_up().await;

    assert!(stage.published.load().is_none());
    assert_eq!(stage.follower.status().served(), None);
}
