//! Budgets under more requests at once than they allow, and while what counts them breaks: what callers got is what is
//! billed, and of a strict budget never a cent too much is.

use std::time::Duration;

use gatewright_types::Nanos;
use gatewright_types::api::Outcome;
use harness::installation::Installation;
use harness::spending::{Plan, Spending, costly};
use harness::wait::eventually;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const LONG: Duration = Duration::from_secs(60);

fn budget(mode: &str) -> Value {
    json!({"scope": "organization", "amount": "1", "window": "total", "mode": mode})
}

fn amount(text: &str) -> Nanos {
    text.parse().expect(text)
}

/// What callers got.
#[derive(Debug, Default)]
struct Got {
    served: usize,
    cost: Nanos,
    /// By their codes; `gone` where the connection broke.
    refused: Vec<String>,
}

/// Asks every node so often at once.
async fn ask_at_once(spending: &Spending, times: usize) -> Got {
    let mut asking = JoinSet::new();
    for node in 0..spending.organization.nodes.len() {
        for _ in 0..times {
            let chat = spending.organization.chat_at(node, &spending.key);
            asking.spawn(async move { chat.try_send(&costly("m")).await });
        }
    }
    let mut got = Got::default();
    while let Some(answer) = asking.join_next().await {
        match answer.expect("no caller panics") {
            Ok(answer) if answer.status == 200 => {
                got.served += 1;
                got.cost = got.cost.saturating_add(amount(answer.headers.need("x-gw-cost-usd")));
            }
            Ok(answer) => {
                let code = answer.json()["error"]["code"].as_str().map(str::to_owned);
                got.refused.push(code.unwrap_or_else(|| answer.text()));
            }
            Err(_) => got.refused.push("gone".to_owned()),
        }
    }
    got
}

/// The sum of what is billed, once it is that of so many answers or more.
async fn billed(spending: &Spending, at_least: usize) -> Nanos {
    let costs = eventually("all are counted", LONG, async || {
        let rows = spending.organization.rows().await;
        let paid = rows.iter().filter(|row| row.outcome == Outcome::Complete);
        let costs: Vec<_> = paid.filter_map(|row| row.cost).map(|cost| cost.amount).collect();
        (costs.len() >= at_least).then_some(costs)
    })
    .await;
    costs.into_iter().fold(Nanos::ZERO, Nanos::saturating_add)
}

#[tokio::test]
async fn a_strict_budget_is_never_exceeded_and_hardly_left_over_however_many_ask_at_once() {
    let spending = Spending::with_budget(Installation::shared().await, budget("strict")).await;

    let got = ask_at_once(&spending, 300).await;

    assert!(
        got.refused.iter().all(|code| code == "budget_exceeded"),
        "{:?}",
        got.refused
    );
    assert!(
        (amount("0.97")..=amount("1")).contains(&got.cost),
        "{} for {}",
        got.served,
        got.cost
    );
    assert_eq!(
        billed(&spending, got.served).await,
        got.cost,
        "callers were told what is billed"
    );
}

#[tokio::test]
async fn a_smooth_budget_goes_beyond_its_amount_by_no_more_than_what_was_under_way() {
    let spending = Spending::with_budget(Installation::shared().await, budget("smooth")).await;
    // What an answer usually is, is known.
    spending.spend().await;

    let got = ask_at_once(&spending, 300).await;

    assert!(
        got.refused.iter().all(|code| code == "budget_exceeded"),
        "{:?}",
        got.refused
    );
    // Each was reserved at what the first one had told of its answer, and less for its question than that came to: by
    // half, at most.
    assert!(
        (amount("0.97")..=amount("2")).contains(&got.cost),
        "{} for {}",
        got.served,
        got.cost
    );
}

#[tokio::test]
async fn a_limit_holds_over_all_nodes_together() {
    let plan = Plan {
        // Lets nobody through before the counters are filled.
        budgets: vec![json!({"scope": "organization", "amount": "1000", "window": "total", "mode": "strict"})],
        limits: vec![json!({"scope": "organization", "rpm": 200})],
        ..Plan::default()
    };
    let spending = Spending::with(Installation::shared().await, plan).await;
    let before = eventually("counters are filled", LONG, async || {
        (spending.ask("m").await.status == 200).then(|| spending.upstream.seen().len())
    })
    .await;

    let got = ask_at_once(&spending, 250).await;

    let served = before + got.served;
    assert!((198..=200).contains(&served), "{served}");
    assert!(
        got.refused.iter().all(|code| code == "rate_limit_exceeded"),
        "{:?}",
        got.refused
    );
}

#[tokio::test]
async fn a_data_plane_that_is_killed_takes_no_more_than_it_was_given() {
    let mut installation = Installation::fresh().await;
    let spending = Spending::with_budget(&installation, budget("strict")).await;
    let first = ask_at_once(&spending, 20).await;

    let node = installation.first_data_plane();
    let killed = tokio::join!(ask_at_once(&spending, 40), async {
        spending.upstream.arrived(first.served + 10).await;
        installation.nodes.get_mut(node).expect("it is there").kill();
    });
    installation.nodes.get_mut(node).expect("it is there").restart().await;
    spending.organization.settled(&spending.key, &["m"]).await;
    let last = ask_at_once(&spending, 150).await;

    let served = first.served + killed.0.served + last.served;
    let sum = billed(&spending, served).await;
    assert!(sum <= amount("1"), "served {served}, billed {sum} USD");
    let told = first.cost.saturating_add(killed.0.cost).saturating_add(last.cost);
    // Some were billed whose callers heard no end of it.
    assert!(told <= sum, "{told} {sum}");
}

#[tokio::test]
async fn without_redis_a_budget_goes_by_what_is_known_or_denies() {
    let mut installation = Installation::fresh().await;
    let plan = |when: &str| Plan {
        budgets: vec![json!({"scope": "organization", "amount": "1", "window": "total", "when_unavailable": when})],
        ..Plan::default()
    };
    let (local, denies) = (
        Spending::with(&installation, plan("local")).await,
        Spending::with(&installation, plan("deny")).await,
    );
    let Some(redis) = &mut installation.redis else { return };

    redis.kill();

    local.spend().await;
    let refusal = denies.ask("m").await;
    assert_eq!(refusal.status, 503, "{}", refusal.text());
    assert!(refusal.text().contains("not_ready"), "{}", refusal.text());
    assert!(refusal.headers.get("retry-after").is_some());
}
