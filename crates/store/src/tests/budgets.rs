//! Steps of budgets are noted once in a window, a budget asks once, what is over is taken away, and a budget that is of
//! somebody else is nobody's.

use chrono::{TimeDelta, Utc};
use gatewright_contract::{Batch, BudgetShare, UnitBody, UnitId, UsageRecord};
use gatewright_types::api::{BudgetRequestQuery, NewBudget, NewIncrease};
use gatewright_types::{BudgetId, BudgetRequestId, IncreaseId, Nanos, NodeId, OrganizationId, RequestId};
use serde_json::{Value, json};

use super::fixture::{Fixture, display_name};
use super::ingesting::record;
use super::on_both_databases;
use crate::{AskingBudget, BudgetRow, Db, Place, WriteError};

async fn made(fixture: &Fixture, organization: OrganizationId, budget: Value) -> BudgetRow {
    let new: NewBudget = serde_json::from_value(budget).expect("a budget");
    let id = BudgetId::mint();
    let made = fixture.change(organization, async |tx| tx.create_budget(organization, id, &new).await);
    made.await.expect("it is made").value
}

/// A request that cost so many cents and counts for ever.
fn spent(organization: OrganizationId, budget: BudgetId, cents: i64, name: Option<&str>) -> UsageRecord {
    UsageRecord {
        id: RequestId::mint(),
        cost: Some(Nanos::new(cents * 10_000_000)),
        budgets: vec![BudgetShare {
            budget,
            from_ms: 0,
            name: name.map(display_name),
        }],
        ..record(organization)
    }
}

async fn take_in(db: &Db, records: &[UsageRecord]) {
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records: records.to_vec(),
    };
    db.system().ingest(&batch).await.expect("the batch comes in");
}

async fn noted(db: &Db, records: &[UsageRecord]) -> Vec<u16> {
    let noted = db
        .system()
        .note_reached(records, Utc::now())
        .await
        .expect("it is noted");
    noted.into_iter().map(|reached| reached.step).collect()
}

async fn a_step_is_noted_by_one_node_once_in_a_window(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let other = fixture.opened_again().await;
    let budget = made(
        &fixture,
        acme,
        json!({"scope": "organization", "amount": "1", "window": "total", "alerts": [50, 80, 120]}),
    )
    .await;

    let first = [spent(acme, budget.id, 49, None)];
    take_in(&fixture, &first).await;
    assert_eq!(noted(&fixture, &first).await, [0_u16; 0]);

    let second = [spent(acme, budget.id, 31, None)];
    take_in(&fixture, &second).await;
    let (one, another) = tokio::join!(noted(&fixture, &second), noted(&other, &second));
    let mut both = [one, another].concat();
    both.sort_unstable();
    assert_eq!(both, [50, 80]);
    assert_eq!(noted(&fixture, &second).await, [0_u16; 0]);

    let increase = NewIncrease {
        amount: "1".parse().expect("an amount"),
        reason: "a launch".to_owned(),
        expires_at: Utc::now() + TimeDelta::hours(1),
    };
    let id = IncreaseId::mint();
    let added = fixture.change(acme, async |tx| tx.add_increase(acme, budget.id, id, &increase).await);
    added.await.expect("it is added");
    let third = [spent(acme, budget.id, 60, None)];
    take_in(&fixture, &third).await;
    assert_eq!(
        noted(&fixture, &third).await,
        [0_u16; 0],
        "120 percent of 2.00 is more than 1.40"
    );

    let alerts = fixture
        .organization(acme)
        .budget_alerts(budget.id)
        .await
        .expect("they are there");
    let told: Vec<_> = alerts
        .iter()
        .map(|alert| (alert.step, alert.spent.to_string()))
        .collect();
    assert_eq!(told, [(80, "0.80".to_owned()), (50, "0.80".to_owned())]);
    let foreign = OrganizationId::mint();
    let foreign = fixture.organization(foreign).budget_alerts(budget.id).await;
    assert_eq!(foreign.expect("nothing"), []);
}

async fn of_a_budget_for_each_everybody_has_steps_of_their_own(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let budget = made(
        &fixture,
        acme,
        json!({"scope": {"end_user": {"each": true}}, "amount": "1", "window": "total"}),
    )
    .await;

    let records = [
        spent(acme, budget.id, 60, Some("ada")),
        spent(acme, budget.id, 85, Some("bob")),
    ];
    take_in(&fixture, &records).await;
    noted(&fixture, &records).await;

    let alerts = fixture
        .organization(acme)
        .budget_alerts(budget.id)
        .await
        .expect("they are there");
    let mut told: Vec<_> = alerts
        .iter()
        .map(|alert| (alert.name.as_ref().map(ToString::to_string), alert.step))
        .collect();
    told.sort();
    let (ada, bob) = (Some("ada".to_owned()), Some("bob".to_owned()));
    assert_eq!(told, [(ada, 50), (bob.clone(), 50), (bob, 80)]);
}

async fn a_refusal_asks_once_in_a_window(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let asking = made(
        &fixture,
        acme,
        json!({"scope": "organization", "amount": "0", "window": "day", "action": "ask"}),
    )
    .await;
    let blocking = made(
        &fixture,
        acme,
        json!({"scope": "organization", "amount": "0", "window": "week"}),
    )
    .await;
    let refused = |budget: BudgetId, organization| UsageRecord {
        id: RequestId::mint(),
        code: Some("budget_exceeded".to_owned()),
        over: Some(budget.to_string()),
        ..record(organization)
    };
    let stranger = fixture.organization_named("stranger").await;
    let records = [
        refused(asking.id, acme),
        refused(asking.id, acme),
        refused(blocking.id, acme),
        refused(asking.id, stranger),
    ];

    let found = fixture.system().asking_budgets(&records).await.expect("it is found");
    let [one]: [AskingBudget; 1] = found.into_iter().collect::<Vec<_>>().try_into().expect("one asks");
    let ask = async || {
        let asked = fixture.change(acme, async |tx| tx.ask_for_refused(&one, BudgetRequestId::mint()).await);
        asked.await.map(|written| written.value)
    };
    let request = ask().await.expect("the first one asks");
    assert!(matches!(ask().await, Err(WriteError::Conflict { .. })));

    assert_eq!((request.amount, request.budget), (None, asking.id));
    let again = fixture
        .system()
        .asking_budgets(&records)
        .await
        .expect("nothing is found");
    assert!(again.is_empty(), "{again:?}");
    let page = fixture
        .organization(acme)
        .budget_requests(&BudgetRequestQuery::default())
        .await;
    assert_eq!(page.expect("a page").items, [request]);
}

async fn an_increase_is_published_and_taken_away_when_it_is_over(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (key, digest) = fixture.key_named(acme, "prod").await;
    let budget = made(
        &fixture,
        acme,
        json!({"scope": {"key": key.id}, "amount": "1", "window": "day"}),
    )
    .await;
    let increase = NewIncrease {
        amount: "2".parse().expect("an amount"),
        reason: "a launch".to_owned(),
        expires_at: Utc::now() + TimeDelta::hours(1),
    };
    let id = IncreaseId::mint();
    let added = fixture.change(acme, async |tx| tx.add_increase(acme, budget.id, id, &increase).await);
    let before = added.await.expect("it is added").revision;

    let units = fixture
        .system()
        .units_since(Place::after_revision(gatewright_contract::Revision(before.0 - 1)), 10)
        .await
        .expect("units");
    let [unit] = &units[..] else { panic!("{units:?}") };
    assert_eq!(unit.id, UnitId::Key(digest));
    let Some(UnitBody::Key(published)) = &unit.body else {
        panic!("{unit:?}")
    };
    let amounts: Vec<_> = published
        .budgets
        .values()
        .flat_map(|budget| budget.increases.iter().map(|increase| increase.amount.to_string()))
        .collect();
    assert_eq!(amounts, ["2.00"]);

    let system = fixture.system();
    assert_eq!(system.remove_ended_increases(Utc::now()).await.expect("none"), 0);
    let later = Utc::now() + TimeDelta::hours(2);
    assert_eq!(system.remove_ended_increases(later).await.expect("one"), 1);
}

on_both_databases!(
    a_step_is_noted_by_one_node_once_in_a_window,
    of_a_budget_for_each_everybody_has_steps_of_their_own,
    a_refusal_asks_once_in_a_window,
    an_increase_is_published_and_taken_away_when_it_is_over,
);
