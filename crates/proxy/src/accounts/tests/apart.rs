//! What does not share a counter.

use chrono::TimeDelta;
use gatewright_contract::{Budget, BudgetUnit};
use gatewright_types::api::LimitScope;
use gatewright_types::{BudgetId, OrganizationId};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::Counter;
use super::{World, spend, strict};

fn budget(spec: Value) -> Budget {
    let unit = BudgetUnit {
        scope: LimitScope::Organization,
        spec: serde_json::from_value(spec).expect("a budget"),
        increases: Vec::new(),
        since: None,
    };
    Budget::compiled(BudgetId::mint(), &unit).expect("it compiles")
}

/// For a loop that is told to stop before it begins: it reports and gives back everything.
fn stopped() -> watch::Receiver<bool> {
    watch::channel(true).1
}

#[tokio::test]
async fn organizations_share_no_counter_even_where_it_is_called_the_same() {
    let world = World::local().await;
    let other = World {
        organization: OrganizationId::mint(),
        ..world.clone()
    };
    assert!(other.counters.seed(other.organization, &[]).await.expect("it answers"));
    let node = world.node();
    let budget = strict("budget", 10);

    assert!(spend(&node.accounts, &world, &budget, 9).await);
    assert!(!spend(&node.accounts, &world, &budget, 2).await);
    assert!(spend(&node.accounts, &other, &budget, 10).await);

    assert_eq!(node.accounts.peek(world.organization, &budget).spent_or_reserved, 9);
    assert_eq!(node.accounts.peek(other.organization, &budget).spent_or_reserved, 10);
    node.stop().await;
    assert_eq!((world.spent(&budget).await, other.spent(&budget).await), (9, 10));
}

#[tokio::test]
async fn a_budget_is_counted_anew_when_its_window_is_over_and_by_each_name_for_itself() {
    let world = World::local().await;
    let (accounts, _) = world.accounts();
    let budget = budget(json!({"amount": "0.00000001", "window": "hour"}));
    let names = ["ada", "grace"].map(|name| name.parse().expect("a name"));
    let [ada, grace] = &names;
    let now = accounts.now();

    for counter in [
        Counter::of_budget(&budget, None, now),
        Counter::of_budget(&budget, None, now + TimeDelta::hours(1)),
        Counter::of_budget(&budget, Some(ada), now),
        Counter::of_budget(&budget, Some(grace), now),
    ] {
        assert!(spend(&accounts, &world, &counter, 10).await, "{counter:?}");
        assert!(!spend(&accounts, &world, &counter, 1).await, "{counter:?}");
    }
}

#[tokio::test]
async fn what_is_carried_over_is_of_the_period_before() {
    let world = World::local().await;
    let (accounts, _) = world.accounts();
    let spec = json!({"amount": "0.00000001", "window": "hour", "carry_over": true});
    let budget = budget(spec);
    let now = accounts.now();
    let [before, this] = [now, now + TimeDelta::hours(1)].map(|now| Counter::of_budget(&budget, None, now));

    let carry = this.carry.clone().expect("something may be left");
    assert_eq!((&carry.previous, carry.amount), (&before.key, 10));
    assert!(spend(&accounts, &world, &before, 4).await);
    // Ten, and what was left of ten before.
    accounts.clone().keep_in_step(stopped()).await;
    assert!(spend(&accounts, &world, &this, 16).await);
    assert!(!spend(&accounts, &world, &this, 1).await);
}
