//! `gatewright ledger explain` tells what rows, the ledger and the counters say of a budget, and its bound.

use std::time::Duration;

use gatewright_types::Nanos;
use gatewright_types::api::{BoundException, BudgetBound, BudgetExplanation, BudgetStanding};
use harness::chat::refused;
use harness::environment::Topology;
use harness::installation::Installation;
use harness::spending::{Plan, Spending};
use harness::wait::eventually;
use serde_json::json;

use crate::ledger::{ledger, told};

const CENT: Nanos = Nanos::new(10_000_000);
const HANDED_OVER: Duration = Duration::from_secs(30);

async fn explained(spending: &Spending, more: &[&str]) -> Vec<BudgetExplanation> {
    let output = ledger(&spending.organization, &[&["explain", "--json"], more].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

fn of_bound(all: &[BudgetExplanation], bound: BudgetBound) -> &BudgetExplanation {
    all.iter().find(|one| one.bound == bound).expect("there is one")
}

fn only(explanation: &BudgetExplanation) -> &BudgetStanding {
    let [standing] = explanation.standings.as_slice() else {
        panic!("{explanation:#?}")
    };
    standing
}

#[tokio::test]
async fn a_budget_is_explained_by_rows_ledger_and_counters_with_its_bound() {
    let plan = Plan {
        budgets: vec![
            json!({"scope": "organization", "amount": "5", "window": "month", "time_zone": "Europe/Berlin"}),
            json!({"scope": {"model": "m"}, "amount": "0.025", "window": "total", "mode": "strict"}),
            json!({"scope": {"model": "cheap"}, "amount": "1", "window": {"rolling": "1h"}, "action": "warn"}),
        ],
        ..Plan::default()
    };
    let spending = Spending::with(Installation::shared().await, plan).await;
    spending.spend().await;
    spending.spend().await;
    spending.ask("cheap").await.expect(200);
    refused(&spending.ask("m").await, 402, "budget_exceeded");

    let all = eventually("nodes handed over what they spent", HANDED_OVER, async || {
        let all = explained(&spending, &[]).await;
        let agrees = |one: &BudgetStanding| {
            one.ledger == one.rows.cost && one.counter.is_some_and(|counter| counter.spent == one.ledger)
        };
        let counted = of_bound(&all, BudgetBound::Smooth).standings.first()?.rows.requests == 3;
        let mut standings = all.iter().flat_map(|one| &one.standings);
        (counted && standings.all(agrees)).then_some(all)
    })
    .await;

    assert_eq!(all.len(), 3);
    let smooth = of_bound(&all, BudgetBound::Smooth);
    let standing = only(smooth);
    let spent = Nanos::new(20_100_000);
    assert_eq!((standing.ledger, standing.rows.dearest), (spent, CENT));
    assert_eq!(standing.cap, Nanos::new(5_000_000_000));
    let counter = standing.counter.expect("it can be asked");
    assert_eq!(
        standing.cap,
        spent.saturating_add(counter.leased).saturating_add(standing.remaining)
    );
    let worst = standing.worst.expect("there were requests");
    assert_eq!((worst.usual, worst.dearest), (Nanos::new(6_700_000), CENT));
    assert_eq!(
        worst.beyond.get(),
        3_300_000 * i64::try_from(worst.under_way).expect("few")
    );
    assert!(
        smooth.formula.starts_with("spent <= cap + the sum"),
        "{}",
        smooth.formula
    );
    let has = |explanation: &BudgetExplanation, case| explanation.exceptions.iter().any(|one| one.case == case);
    // A process that has its counters in itself neither loses them nor has to ask.
    let is_shared = Topology::of_this_run() == Topology::Cluster;
    assert_eq!(has(smooth, BoundException::Unavailable), is_shared);
    assert!(has(smooth, BoundException::Unpriced));

    let strict = of_bound(&all, BudgetBound::Strict);
    let standing = only(strict);
    assert_eq!((standing.ledger, standing.worst), (Nanos::new(20_000_000), None));
    assert!(standing.ledger <= standing.cap && standing.beyond == Nanos::ZERO);
    assert!(strict.formula.starts_with("spent <= cap:"), "{}", strict.formula);
    assert!(!has(strict, BoundException::Unavailable) && !has(strict, BoundException::Unpriced));
    assert_eq!(has(strict, BoundException::CountersLost), is_shared);
    let none = of_bound(&all, BudgetBound::None);
    assert!(none.exceptions.is_empty() && only(none).worst.is_none());

    let one = explained(&spending, &["--budget", &strict.budget.id.to_string()]).await;
    assert_eq!(one.len(), 1);
    let text = told(
        &ledger(
            &spending.organization,
            &["explain", "--budget", &smooth.budget.scope_name],
        )
        .await,
    );
    for part in [
        "for the organization, 5.00 USD a month, smooth, blocks",
        "days begin in Europe/Berlin",
        "spent: 0.0201 USD in 3 rows, 0.0201 USD in the ledger, 0.0201 USD in the counter",
        "as things are: spent <= 5.00 + ",
        "bound: spent <= cap + the sum",
        "does not hold when requests are priced anew",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let missing = ledger(&spending.organization, &["explain", "--budget", "nobody's"]).await;
    assert_eq!(missing.status.code(), Some(1), "{}", told(&missing));
    assert!(
        told(&missing).contains("there is no budget \"nobody's\""),
        "{}",
        told(&missing)
    );
}
