//! What is written reaches the feed, whatever state that is in.

use gatewright_contract::{Revision, UnitId};
use gatewright_control::publisher::publish_once;
use gatewright_coord::{Feed, LocalFeed, Read};
use serde_json::json;

use crate::world::World;

async fn ids(feed: &Feed, after: Revision) -> Vec<&'static str> {
    let state = feed.state().await.unwrap().unwrap();
    let Read::Page(page) = feed.read_since(&state.epoch, after, 1_000).await.unwrap() else {
        panic!("another epoch")
    };
    let name = |id: &UnitId| match id {
        UnitId::Organization => "organization",
        UnitId::Team(_) => "team",
        UnitId::Provider(_) => "provider",
        UnitId::Model(_) => "model",
        UnitId::Price(_) => "price",
        UnitId::Overlay(_) => "overlay",
        UnitId::CachePurges => "cache_purges",
        UnitId::Budget(_) => "budget",
        UnitId::Limit(_) => "limit",
        UnitId::Catalog(_) => "catalog",
        UnitId::Key(_) => "key",
    };
    page.units.iter().map(|unit| name(&unit.id)).collect()
}

#[actix_web::test]
async fn each_commit_moves_only_what_it_changed() {
    let (world, owner) = World::with_owner().await;
    let feed = Feed::Local(LocalFeed::new());

    let first = publish_once(&world.db, &feed).await.unwrap();
    assert_eq!(ids(&feed, Revision::default()).await, ["organization"]);
    owner
        .post(&world, "/organizations/acme/keys", json!({"name": "k"}))
        .await;
    let second = publish_once(&world.db, &feed).await.unwrap();
    let third = publish_once(&world.db, &feed).await.unwrap();

    assert!(first < second, "{first} {second}");
    assert_eq!(second, third);
    assert_eq!(ids(&feed, first).await, ["key"]);
    assert!(feed.state().await.unwrap().unwrap().is_complete());
}

#[actix_web::test]
async fn a_feed_of_another_database_or_ahead_of_this_one_is_filled_anew() {
    let (world, _) = World::with_owner().await;
    let feed = Feed::Local(LocalFeed::new());
    let strange = feed.reset("another database", Revision(3)).await.unwrap();
    publish_once(&world.db, &feed).await.unwrap();
    let own = feed.state().await.unwrap().unwrap();
    assert_ne!(own.epoch, strange.epoch);
    assert_eq!(ids(&feed, Revision::default()).await, ["organization"]);

    feed.write(&own.epoch, &[], Revision(1_000)).await.unwrap();
    let reached = publish_once(&world.db, &feed).await.unwrap();

    let again = feed.state().await.unwrap().unwrap();
    assert_ne!(again.epoch, own.epoch);
    assert_eq!((again.revision, again.is_complete()), (reached, true));
}
