//! Canaries begin with their models, are moved on once, and are judged by what their sides did in one round.

use gatewright_contract::{Batch, CanaryShare, CanaryUnit, Revision, UnitBody, UnitId, UsageRecord};
use gatewright_types::api::{CanarySide, CanaryState, ModelChange, ModelSettings, Route};
use gatewright_types::{ModelId, Nanos, NodeId, OrganizationId};
use serde_json::{Value, json};

use super::fixture::{Fixture, refused_field};
use super::ingesting;
use super::on_both_databases;
use crate::{CanaryMove, CanaryRow, CanarySums, Place, WriteError};

const PLACE: &str = "route.canary";

async fn a_canary_begins_with_its_model_and_anew_when_it_says_something_else(fixture: Fixture) {
    let (acme, model) = model_with(&fixture, canary(10)).await;
    let begun = only(&fixture, acme, model).await;
    assert_eq!((begun.percent, begun.state), (10, CanaryState::Ramping));
    assert_eq!(
        published(&fixture, model).await,
        [unit(begun.percent, Some(begun.round))]
    );
    move_on(&fixture, &begun, &turn(50)).await.expect("it is where it was");

    // Another setting of the model is no other canary.
    let settings = ModelSettings {
        retries: serde_json::from_value(json!({"attempts": 1})).expect("retries"),
        ..ModelSettings::default()
    };
    change(&fixture, acme, model, canary(10), settings).await;
    assert_eq!(only(&fixture, acme, model).await.percent, 50);

    change(&fixture, acme, model, canary(20), ModelSettings::default()).await;
    let anew = only(&fixture, acme, model).await;
    assert_eq!((anew.percent, anew.state), (20, CanaryState::Ramping));
    assert!(anew.round > begun.round && anew.since > begun.since);

    change(
        &fixture,
        acme,
        model,
        json!({"target": "base/x"}),
        ModelSettings::default(),
    )
    .await;
    assert!(all(&fixture, acme, model).await.is_empty());
    assert!(published(&fixture, model).await.is_empty());
}

async fn of_two_that_move_a_canary_on_one_does(fixture: Fixture) {
    let (acme, model) = model_with(&fixture, canary(10)).await;
    let seen = only(&fixture, acme, model).await;

    move_on(&fixture, &seen, &turn(20)).await.expect("it is where it was");
    let late = move_on(&fixture, &seen, &turn(30)).await;

    assert!(matches!(late, Err(WriteError::NotFound)), "{late:?}");
    let moved = only(&fixture, acme, model).await;
    assert_eq!(moved.percent, 20);
    assert_eq!(published(&fixture, model).await, [unit(20, Some(moved.round))]);
    let steps = fixture
        .number("SELECT COUNT(*) FROM audit WHERE action = 'canary'")
        .await;
    assert_eq!(steps, 1, "what was not done is not audited");
}

async fn sides_are_summed_by_round_and_once(fixture: Fixture) {
    let (acme, model) = model_with(&fixture, canary(10)).await;
    let first = only(&fixture, acme, model).await;
    let share = |round: Revision, side, failed| CanaryShare {
        place: PLACE.to_owned(),
        round,
        side,
        failed,
    };
    let record = |share: CanaryShare| UsageRecord {
        model_id: Some(model),
        canaries: vec![share],
        first_token_us: Some(2_000),
        cost: Some(Nanos::new(30)),
        ..ingesting::record(acme)
    };
    let unpriced = UsageRecord {
        first_token_us: None,
        duration_us: 5_000,
        cost: None,
        ..record(share(first.round, CanarySide::Candidate, false))
    };
    let records = vec![
        record(share(first.round, CanarySide::Stable, false)),
        record(share(first.round, CanarySide::Stable, false)),
        record(share(first.round, CanarySide::Candidate, true)),
        record(share(first.round, CanarySide::Candidate, false)),
        unpriced,
        record(share(Revision(first.round.0 + 1_000), CanarySide::Stable, false)),
        ingesting::record(acme),
    ];
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records,
    };

    for _ in 0..2 {
        fixture.system().ingest(&batch).await.expect("the batch comes in");
    }

    let counted = only(&fixture, acme, model).await;
    let sums = |requests, failed, latency_us, priced, cost_nanos| CanarySums {
        requests,
        failed,
        latency_us,
        priced,
        cost_nanos,
    };
    assert_eq!(counted.stable, sums(2, 0, 4_000, 2, 60));
    assert_eq!(counted.candidate, sums(3, 1, 7_000, 1, 30));

    // The numbers that a canary was judged by stay; a new part is judged by new ones.
    let reason = "it was worse".to_owned();
    move_on(&fixture, &counted, &CanaryMove::RollBack { reason })
        .await
        .expect("it is where it was");
    let rolled_back = only(&fixture, acme, model).await;
    assert_eq!((rolled_back.percent, rolled_back.state), (0, CanaryState::RolledBack));
    assert_eq!(rolled_back.reason.as_deref(), Some("it was worse"));
    assert_eq!(rolled_back.candidate.requests, 3);
    assert_eq!(published(&fixture, model).await, [unit(0, None)]);
    assert!(fixture.system().canaries_under_way().await.expect("a list").is_empty());

    restart(&fixture, acme, model).await.expect("there is one");
    let anew = only(&fixture, acme, model).await;
    assert_eq!(
        (anew.percent, anew.state, anew.reason),
        (10, CanaryState::Ramping, None)
    );
    assert_eq!(anew.candidate, CanarySums::default());
    assert_eq!(fixture.system().prune_canary_usage().await.expect("it prunes"), 3);
}

async fn a_foreign_canary_is_not_there(fixture: Fixture) {
    let (acme, model) = model_with(&fixture, canary(10)).await;
    let other = fixture.organization_named("other").await;

    assert!(all(&fixture, other, model).await.is_empty());
    let moved = fixture
        .change(other, async |tx| tx.move_canary(other, model, PLACE, &turn(100)).await)
        .await;
    assert_eq!(refused_field(moved), "place");
    assert_eq!(refused_field(restart(&fixture, other, model).await), "place");

    assert_eq!(only(&fixture, acme, model).await.percent, 10);
}

fn canary(percent: u8) -> Value {
    json!({"canary": {
        "stable": {"target": "base/x"}, "candidate": {"target": "base/y"}, "percent": percent,
        "ramp": {"step": 10, "every": "1s"},
    }})
}

fn turn(percent: u8) -> CanaryMove {
    CanaryMove::Turn {
        percent,
        state: CanaryState::Ramping,
    }
}

fn unit(percent: u8, round: Option<Revision>) -> CanaryUnit {
    CanaryUnit {
        place: PLACE.to_owned(),
        percent,
        round,
    }
}

fn route(written: Value) -> Route {
    serde_json::from_value(written).expect("a route")
}

async fn model_with(fixture: &Fixture, written: Value) -> (OrganizationId, ModelId) {
    let acme = fixture.organization_named("acme").await;
    fixture.provider_named(acme, "base").await;
    let model = fixture.model_named(acme, "fast", "base/x").await.id;
    change(fixture, acme, model, written, ModelSettings::default()).await;
    (acme, model)
}

async fn change(fixture: &Fixture, acme: OrganizationId, model: ModelId, written: Value, settings: ModelSettings) {
    let change = ModelChange {
        route: route(written),
        settings,
    };
    fixture
        .change(acme, async |tx| tx.change_model(acme, model, &change).await)
        .await
        .expect("the model changes");
}

async fn move_on(fixture: &Fixture, seen: &CanaryRow, to: &CanaryMove) -> Result<(), WriteError> {
    let change = crate::Change::new(seen.organization, "canary", seen.model, json!({}));
    let actor = super::fixture::actor();
    let moved = fixture
        .write(&actor, change, async |tx| tx.move_canary_on(seen, to).await)
        .await;
    moved.map(|_| ())
}

async fn restart(fixture: &Fixture, acme: OrganizationId, model: ModelId) -> Result<crate::Written<()>, WriteError> {
    fixture
        .change(acme, async |tx| tx.restart_canary(acme, model, PLACE).await)
        .await
}

async fn all(fixture: &Fixture, acme: OrganizationId, model: ModelId) -> Vec<CanaryRow> {
    fixture.organization(acme).canaries(model).await.expect("a list")
}

async fn only(fixture: &Fixture, acme: OrganizationId, model: ModelId) -> CanaryRow {
    let mut rows = all(fixture, acme, model).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

async fn published(fixture: &Fixture, model: ModelId) -> Vec<CanaryUnit> {
    let place = Place::after_revision(Revision(0));
    let units = fixture.system().units_since(place, 1_000).await.expect("the units");
    let body = units
        .into_iter()
        .find(|unit| unit.id == UnitId::Model(model))
        .and_then(|unit| unit.body);
    match body {
        Some(UnitBody::Model(unit)) => unit.canaries,
        other => panic!("no model: {other:?}"),
    }
}

on_both_databases!(
    a_canary_begins_with_its_model_and_anew_when_it_says_something_else,
    of_two_that_move_a_canary_on_one_does,
    sides_are_summed_by_round_and_once,
    a_foreign_canary_is_not_there,
);
