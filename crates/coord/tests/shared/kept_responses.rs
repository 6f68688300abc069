//! Kept responses.

use std::time::Duration;

use gatewright_coord::{CoordError, KeptResponses, LocalResponses, Redis, RedisResponses, ResponseId, Shelf};
use gatewright_types::OrganizationId;
use tempfile::TempDir;

use crate::{PATIENCE, redis_url};

/// One for all of these tests: each has organizations of its own.
const DATABASE: u8 = 11;

const USUAL: Shelf = Shelf {
    time_to_live: Duration::from_secs(60),
    room_bytes: 1 << 20,
};

/// Both forms; the folder is to be held as long as they are used.
fn shelves(shelf: Shelf) -> (TempDir, Vec<KeptResponses>) {
    let directory = tempfile::tempdir().expect("a folder");
    let local = LocalResponses::open(directory.path().join("responses"), shelf).expect("the folder is ours");
    let shared = redis_url(DATABASE).map(|url| {
        let redis = Redis::open(&url).expect("a usable address");
        KeptResponses::Redis(RedisResponses::new(redis, shelf))
    });
    let both = std::iter::once(KeptResponses::Local(local)).chain(shared).collect();
    (directory, both)
}

fn id(text: &str) -> ResponseId {
    text.parse().expect("an identifier")
}

async fn find(responses: &KeptResponses, organization: OrganizationId, ids: &[&str]) -> Vec<Option<String>> {
    let ids: Vec<_> = ids.iter().map(|text| id(text)).collect();
    responses.find(organization, &ids).await.expect("it answers")
}

async fn keep(responses: &KeptResponses, organization: OrganizationId, name: &str, entry: &str) {
    let kept = responses.keep(organization, &id(name), entry.to_owned()).await;
    kept.expect("it is kept");
}

#[tokio::test]
async fn what_is_kept_is_found_by_its_organization_only_until_it_is_forgotten() {
    let (_directory, both) = shelves(USUAL);
    for responses in both {
        let (ours, theirs) = (OrganizationId::mint(), OrganizationId::mint());
        keep(&responses, ours, "resp_1", "one").await;
        keep(&responses, ours, "resp_2", "two").await;
        keep(&responses, theirs, "resp_1", "other").await;
        keep(&responses, ours, "resp_2", "two again").await;

        let found = find(&responses, ours, &["resp_2", "resp_9", "resp_1"]).await;
        assert_eq!(found, [Some("two again".to_owned()), None, Some("one".to_owned())]);
        assert_eq!(find(&responses, theirs, &["resp_2"]).await, [None]);

        responses.forget(ours, &id("resp_1")).await.expect("forgotten");
        responses.forget(ours, &id("resp_9")).await.expect("nothing to forget");
        assert_eq!(find(&responses, ours, &["resp_1"]).await, [None]);
        assert_eq!(find(&responses, theirs, &["resp_1"]).await, [Some("other".to_owned())]);
    }
}

#[tokio::test]
async fn an_entry_goes_when_its_time_is_over() {
    let shelf = Shelf {
        time_to_live: Duration::from_millis(150),
        ..USUAL
    };
    let (directory, both) = shelves(shelf);
    for responses in both {
        let organization = OrganizationId::mint();
        keep(&responses, organization, "resp_1", "one").await;
        assert_eq!(
            find(&responses, organization, &["resp_1"]).await,
            [Some("one".to_owned())]
        );

        let deadline = tokio::time::Instant::now() + PATIENCE;
        while find(&responses, organization, &["resp_1"]).await != [None] {
            assert!(tokio::time::Instant::now() < deadline, "it stays for ever");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        keep(&responses, organization, "resp_2", "two").await;
        if let KeptResponses::Local(_) = responses {
            let folder = directory.path().join("responses").join(organization.to_string());
            let files = std::fs::read_dir(folder).expect("a folder").count();
            assert_eq!(files, 1, "what has expired is taken off the disk");
        }
    }
}

#[tokio::test]
async fn the_oldest_make_room_in_their_own_organization_only() {
    let shelf = Shelf {
        room_bytes: 3 * 4096,
        ..USUAL
    };
    let (_directory, both) = shelves(shelf);
    for responses in both {
        let (ours, theirs) = (OrganizationId::mint(), OrganizationId::mint());
        let entry = "x".repeat(3500);
        keep(&responses, theirs, "resp_0", &entry).await;
        for name in ["resp_1", "resp_2", "resp_3", "resp_4"] {
            keep(&responses, ours, name, &entry).await;
        }

        let found = find(&responses, ours, &["resp_1", "resp_2", "resp_3", "resp_4"]).await;
        let there: Vec<_> = found.iter().map(Option::is_some).collect();
        assert_eq!(there, [false, true, true, true]);
        assert_eq!(find(&responses, theirs, &["resp_0"]).await, [Some(entry.clone())]);

        responses.forget(ours, &id("resp_3")).await.expect("forgotten");
        keep(&responses, ours, "resp_5", &entry).await;
        assert_eq!(
            find(&responses, ours, &["resp_2"]).await,
            [Some(entry)],
            "what was forgotten takes no room"
        );

        let too_large = responses.keep(ours, &id("resp_6"), "x".repeat(20_000)).await;
        assert!(matches!(too_large, Err(CoordError::TooLarge)), "{too_large:?}");
    }
}

#[tokio::test]
async fn one_process_finds_what_a_former_one_kept() {
    let directory = tempfile::tempdir().expect("a folder");
    let open = || KeptResponses::Local(LocalResponses::open(directory.path().to_owned(), USUAL).expect("it opens"));
    let organization = OrganizationId::mint();
    keep(&open(), organization, "resp_1", "one").await;
    let unfinished = directory
        .path()
        .join(organization.to_string())
        .join("resp_2.unfinished");
    std::fs::write(&unfinished, "tw").expect("the folder is ours");

    let after = open();

    assert_eq!(
        find(&after, organization, &["resp_1", "resp_2"]).await,
        [Some("one".to_owned()), None]
    );
    assert!(!unfinished.exists());
}
