//! Runs that price requests anew in the background: by turns, at one state of prices, and by whoever is there.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use gatewright_contract::{Batch, UsageRecord};
use gatewright_control::repricing;
use gatewright_types::api::{Reprice, RepriceState, UsageQuery, UsageRow};
use gatewright_types::{KeyId, NodeId, OrganizationId, ProviderId, RequestId};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Caller, World};

const DEADLINE: Duration = Duration::from_secs(20);
const REQUESTS: usize = 250;
/// A run of these is not over before it is stopped.
const MANY: usize = 1_000;
/// Of a hundred requests, and the last one of fifty.
const PORTIONS: usize = 3;

/// An organization and its path, with requests that were charged a nano-dollar a token.
async fn charged(world: &World, owner: &Caller, slug: &str, requests: usize) -> (OrganizationId, String) {
    let path = format!("/organizations/{slug}");
    let mut known = owner.get(world, &path).await;
    if known.status == 404 {
        known = owner
            .post(world, "/organizations", json!({"slug": slug, "name": slug}))
            .await;
        assert_eq!(known.status, 201, "{}", known.body);
    }
    let id = known.text("id").parse().unwrap();
    let provider = owner
        .post(
            world,
            &format!("{path}/providers"),
            json!({"name": "play", "kind": "sandbox"}),
        )
        .await;
    assert_eq!(provider.status, 201, "{}", provider.body);
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records: (0..requests).map(|_| record(id)).collect(),
    };
    world.db.system().ingest(&batch).await.unwrap();
    (id, path)
}

fn record(organization: OrganizationId) -> UsageRecord {
    let line = json!({"unit": "input_uncached", "quantity": 10, "price": "0.001", "price_version": "price_old"});
    let record = json!({
        "id": RequestId::mint(), "organization": organization, "key": KeyId::mint(),
        "started_at": (Utc::now() - TimeDelta::minutes(1)).timestamp_micros(), "dialect": "openai_chat", "stream": false,
        "outcome": "complete", "status": 200, "attempts": 1, "cache": "off", "lines": [line], "cost": "0.00000001",
        "duration_us": 1, "overhead_us": 1,
        "upstream": {"provider": ProviderId::mint(), "name": "play", "model": "echo"},
    });
    serde_json::from_value(record).unwrap()
}

/// From a day of January on.
async fn price(world: &World, owner: &Caller, path: &str, day: u8) {
    let price = json!({
        "provider": "play", "model": "echo", "rates": {"input": "2000"},
        "effective_from": format!("2026-01-{day:02}T00:00:00Z"),
    });
    let made = owner.post(world, &format!("{path}/prices"), price).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

async fn begun(world: &World, owner: &Caller, path: &str) -> String {
    let now = Utc::now();
    let new = json!({"from": now - TimeDelta::hours(2), "to": now, "reason": "it was wrong"});
    let begun = owner.post(world, &format!("{path}/reprice"), new).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    format!("{path}/reprice/{}", begun.text("id"))
}

async fn read(world: &World, owner: &Caller, run: &str) -> Reprice {
    let answer = owner.get(world, run).await;
    serde_json::from_value(answer.body).unwrap()
}

/// Works on runs until `done`, and then until they are put down.
async fn work(world: &World, mut done: impl AsyncFnMut() -> bool) {
    let stop = CancellationToken::new();
    let seen = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let control = world.control.clone().into_inner();
    let both = async { tokio::join!(repricing::run(control, stop.clone()), seen) };
    tokio::time::timeout(DEADLINE, both).await.unwrap();
}

async fn rows(world: &World, organization: OrganizationId) -> Vec<UsageRow> {
    let (mut rows, mut query) = (Vec::new(), UsageQuery::default());
    query.limit = Some(200);
    loop {
        let page = world.db.organization(organization).usage(&query).await.unwrap();
        rows.extend(page.items);
        if page.next_cursor.is_none() {
            return rows;
        }
        query.cursor = page.next_cursor;
    }
}

#[actix_web::test]
async fn runs_of_organizations_go_on_by_turns() {
    let (world, owner) = World::with_owner().await;
    let mut runs = Vec::new();
    for slug in ["acme", "other"] {
        let (id, path) = charged(&world, &owner, slug, REQUESTS).await;
        price(&world, &owner, &path, 1).await;
        runs.push((id, begun(&world, &owner, &path).await));
    }

    work(&world, async || {
        let mut over = true;
        for (_, run) in &runs {
            over &= read(&world, &owner, run).await.state != RepriceState::Running;
        }
        over
    })
    .await;

    let mut portions = BTreeMap::new();
    for (id, run) in &runs {
        let run = read(&world, &owner, run).await;
        assert_eq!(
            (run.state, run.sums.changed),
            (RepriceState::Done, REQUESTS as u64),
            "{run:?}"
        );
        let rows = rows(&world, *id).await;
        assert_eq!(rows.len(), REQUESTS);
        for row in rows {
            let [adjustment] = row.adjustments.as_slice() else {
                panic!("{row:?}")
            };
            portions.insert(adjustment.at, *id);
        }
    }
    let turns: Vec<_> = portions.into_values().collect();
    assert_eq!(turns.len(), runs.len() * PORTIONS);
    assert!(turns.is_sorted_by(|one, next| one != next), "{turns:?}");
}

#[actix_web::test]
async fn a_run_ends_when_prices_change_under_it() {
    let (world, owner) = World::with_owner().await;
    let (id, path) = charged(&world, &owner, "acme", REQUESTS).await;
    price(&world, &owner, &path, 1).await;
    let run = begun(&world, &owner, &path).await;
    price(&world, &owner, &path, 2).await;

    work(&world, async || {
        read(&world, &owner, &run).await.state != RepriceState::Running
    })
    .await;

    let run = read(&world, &owner, &run).await;
    assert_eq!((run.state, run.sums.requests), (RepriceState::Failed, 0), "{run:?}");
    assert!(run.failure.unwrap().contains("run it again"));
    assert!(rows(&world, id).await.iter().all(|row| row.adjustments.is_empty()));
    let ends = world.audit(&owner, 1).await;
    assert_eq!(ends[0]["action"], Value::from("reprice.end"));
}

#[actix_web::test]
async fn whoever_stops_lets_others_go_on_at_once_from_where_it_was() {
    let (world, owner) = World::with_owner().await;
    let (id, path) = charged(&world, &owner, "acme", MANY).await;
    price(&world, &owner, &path, 1).await;
    let run = begun(&world, &owner, &path).await;

    work(&world, async || read(&world, &owner, &run).await.sums.requests > 0).await;

    let put_down = read(&world, &owner, &run).await;
    assert_eq!(put_down.state, RepriceState::Running, "{put_down:?}");
    let taken = world.db.system().take_up_reprices().await.unwrap();
    let looked_at: Vec<_> = taken.iter().map(|run| run.sums.requests).collect();
    assert_eq!(looked_at, [put_down.sums.requests]);
    assert!(
        world.db.system().take_up_reprices().await.unwrap().is_empty(),
        "it is taken"
    );
    world.db.system().put_down_reprice(&taken[0]).await.unwrap();

    work(&world, async || {
        read(&world, &owner, &run).await.state != RepriceState::Running
    })
    .await;

    let run = read(&world, &owner, &run).await;
    assert_eq!(
        (run.state, run.sums.changed),
        (RepriceState::Done, MANY as u64),
        "{run:?}"
    );
    assert!(rows(&world, id).await.iter().all(|row| row.adjustments.len() == 1));
}
