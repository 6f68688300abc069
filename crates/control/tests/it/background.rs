//! The tasks that run beside the API.

use std::time::Duration;

use gatewright_contract::{Batch, UsageRecord};
use gatewright_control::expiry::Kept;
use gatewright_control::{ingest, publisher};
use gatewright_coord::{Feed, LocalFeed, LocalUsageStream, UsageStream};
use gatewright_types::api::{CacheStatus, Dialect, Outcome};
use gatewright_types::{KeyId, NodeId, OrganizationId, RequestId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::world::World;

const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a task until something it does can be seen.
async fn until(task: impl Future<Output = ()>, mut done: impl AsyncFnMut() -> bool) {
    let seen = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = task => panic!("the task ended by itself"),
        result = tokio::time::timeout(DEADLINE, seen) => result.expect("it happens in time"),
    }
}

fn record(organization: OrganizationId) -> UsageRecord {
    UsageRecord {
        id: RequestId::mint(),
        organization,
        key: KeyId::mint(),
        team: None,
        started_at: "2026-08-01T00:00:00Z".parse().unwrap(),
        dialect: Dialect::OpenaiChat,
        model: Some("fast".to_owned()),
        model_id: None,
        upstream: None,
        stream: false,
        outcome: Outcome::Refused,
        status: 404,
        code: Some("model_not_found".to_owned()),
        attempts: 0,
        cache: CacheStatus::Off,
        saved: None,
        lines: Vec::new(),
        estimated: false,
        served: None,
        charge: None,
        cost: None,
        duration_us: 1_500,
        first_token_us: None,
        overhead_us: 300,
        trace: None,
        canaries: Vec::new(),
        owner: None,
        end_user: None,
        tags: std::collections::BTreeMap::new(),
        budgets: Vec::new(),
        downgraded_to: None,
        over: None,
    }
}

#[actix_web::test]
async fn a_batch_that_comes_twice_is_in_the_database_once_and_acknowledged() {
    let (world, owner) = World::with_owner().await;
    let organization = owner
        .get(&world, "/organizations/acme")
        .await
        .text("id")
        .parse()
        .unwrap();
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(60)));
    let node = NodeId::mint();
    let batch = Batch {
        node,
        follows: 0,
        first: 1,
        records: vec![record(organization), record(organization)],
    };
    stream.send(batch.clone()).await.unwrap();
    stream.send(batch.clone()).await.unwrap();

    let (stop, consumer) = (CancellationToken::new(), "here".to_owned());
    let task = ingest::run(world.db.clone(), stream.clone(), consumer, stop);
    until(task, async || stream.acked(node).await.unwrap() == Some(2)).await;

    let list = owner.get(&world, "/organizations/acme/usage").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(list.body["items"][0]["code"], "model_not_found");
}

#[actix_web::test]
async fn a_change_is_in_the_feed_when_it_is_answered() {
    let (world, owner) = World::with_owner().await;
    let feed = Feed::Local(LocalFeed::new());
    let stop = CancellationToken::new();
    let task = publisher::run(world.db.clone(), feed.clone(), world.control.publishing(), stop.clone());
    let changes = async {
        while feed.state().await.unwrap().is_none_or(|state| !state.is_complete()) {
            tokio::task::yield_now().await;
        }
        for name in ["one", "two", "three"] {
            let before = feed.state().await.unwrap().unwrap().revision;
            let answer = owner
                .post(&world, "/organizations/acme/keys", json!({"name": name}))
                .await;
            assert_eq!(answer.status, 201);
            assert!(feed.state().await.unwrap().unwrap().revision > before, "{name}");
        }
        stop.cancel();
    };

    let both = async { tokio::join!(task, changes) };
    tokio::time::timeout(DEADLINE, both).await.unwrap();
}

#[actix_web::test]
async fn a_task_that_is_told_to_stop_ends() {
    let world = World::empty().await;
    let stop = CancellationToken::new();
    stop.cancel();
    let feed = Feed::Local(LocalFeed::new());
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(60)));

    let tasks = async {
        publisher::run(world.db.clone(), feed, world.control.publishing(), stop.clone()).await;
        ingest::run(world.db.clone(), stream, "here".to_owned(), stop.clone()).await;
        let kept = Kept {
            session_idle: DEADLINE,
            usage: None,
        };
        gatewright_control::expiry::run(world.db.clone(), kept, stop.clone()).await;
    };

    tokio::time::timeout(DEADLINE, tasks).await.unwrap();
}
