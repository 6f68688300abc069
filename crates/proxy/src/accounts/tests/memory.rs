//! How often a request asks for memory that finds its leases at hand.

use allocation_counter::measure;
use futures_util::FutureExt as _;

use gatewright_contract::{Budget, BudgetUnit};
use gatewright_types::BudgetId;
use gatewright_types::api::LimitScope;
use serde_json::json;

use super::World;
use crate::accounts::{Counter, Demand};

/// A window of each kind.
fn budget(number: usize) -> Budget {
    let windows = [json!("month"), json!("total"), json!({"rolling": "24h"}), json!("hour")];
    let spec = json!({"amount": "1000", "window": windows.get(number % windows.len()), "carry_over": number.is_multiple_of(4)});
    let unit = BudgetUnit {
        scope: LimitScope::Organization,
        spec: serde_json::from_value(spec).expect("a budget"),
        increases: Vec::new(),
        since: None,
    };
    Budget::compiled(BudgetId::mint(), &unit).expect("it compiles")
}

async fn asked(world: &World, count: usize) -> u64 {
    let (accounts, _) = world.accounts();
    let budgets: Vec<_> = (0..count).map(budget).collect();
    let wanting = |amount| -> Vec<Demand> {
        let now = accounts.now();
        let met = budgets.iter().map(|budget| Demand {
            counter: Counter::of_budget(budget, None, now),
            amount,
        });
        met.collect()
    };
    let large = accounts.reserve(world.organization, &wanting(1_000_000), None).await;
    drop(large.expect("there is plenty"));
    let spend = || {
        let demands = wanting(1_000);
        let reserved = accounts.reserve(world.organization, &demands, None).now_or_never();
        let mut reserved = reserved.expect("nobody is asked").expect("there is plenty");
        let standing = demands.iter().zip(0..);
        let now = accounts.now();
        assert!(
            standing
                .map(|(demand, index)| reserved.standing(index, &demand.counter, now))
                .all(|found| found.is_some())
        );
        reserved.settle_all((0..count).map(|_| 700));
    };
    spend();

    measure(spend).count_total
}

#[tokio::test]
async fn it_is_the_same_whatever_number_of_counters_is_met() {
    let world = World::local().await;

    let (one, twenty) = (asked(&world, 1).await, asked(&world, 20).await);

    assert!(one <= 5, "{one} times for one");
    assert_eq!(twenty, one, "for twenty");
}
