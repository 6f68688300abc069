//! Budgets under more requests at once than they allow, and while what counts them breaks: what callers got is what is
//! billed, and of a strict budget never a cent too much is.

use std::collections::HashMap;
use std::time::Duration;

use gatewright_types::Nanos;
use gatewright_types::api::Outcome;
use harness::chat::request_id;
use harness::installation::{Installation, Options};
use harness::spending::{CENT, Plan, Spending, costly};
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
    /// Of those who were served.
    requests: Vec<String>,
    /// By their codes; `gone` where the connection broke.
    refused: Vec<String>,
}

/// Asks every node so often at once.
async fn ask_at_once(spending: &Spending, times: usize) -> Got {
    ask_all(spending, times, &costly("m")).await
}

async fn ask_all(spending: &Spending, times: usize, question: &Value) -> Got {
    let mut asking = JoinSet::new();
    for node in 0..spending.organization.nodes.len() {
        for _ in 0..times {
            let chat = spending.organization.chat_at(node, &spending.key);
            let question = question.clone();
            asking.spawn(async move { chat.try_send(&question).await });
        }
    }
    let mut got = Got::default();
    while let Some(answer) = asking.join_next().await {
        match answer.expect("no caller panics") {
            Ok(answer) if answer.status == 200 => {
                got.served += 1;
                got.cost = got.cost.saturating_add(amount(answer.headers.need("x-gw-cost-usd")));
                got.requests.push(request_id(&answer));
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

/// With an answer that is a fifth as long as it could be, so that the most a call can come to is about three times its
/// cost.
fn unsure(model: &str) -> Value {
    let mut question = costly(model);
    question["max_tokens"] = json!(500);
    question
}

/// What every caller was told is in its row, to the cent, and nobody paid twice. Gives the sum of all that was billed.
async fn billed_as_told(spending: &Spending, got: &[&Got]) -> Nanos {
    let served: usize = got.iter().map(|got| got.served).sum();
    billed(spending, served).await;
    spending.organization.usage_settles().await;
    let rows = spending.organization.rows().await;
    let paid: Vec<_> = rows.iter().filter(|row| row.outcome == Outcome::Complete).collect();
    let costs: HashMap<_, _> = paid.iter().map(|row| (row.id.to_string(), row.cost)).collect();
    assert_eq!(costs.len(), paid.len(), "one row for each request");
    for request in got.iter().flat_map(|got| &got.requests) {
        let cost = costs.get(request).copied().flatten().map(|cost| cost.amount);
        assert_eq!(cost, Some(amount(CENT)), "{request}");
    }
    let refused = rows.iter().filter(|row| row.outcome != Outcome::Complete);
    for row in refused {
        assert!(row.cost.is_none_or(|cost| cost.amount == Nanos::ZERO), "{row:?}");
    }
    let amounts = paid.iter().filter_map(|row| row.cost).map(|cost| cost.amount);
    amounts.fold(Nanos::ZERO, Nanos::saturating_add)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_proxies_that_are_asked_three_hundred_times_each_serve_a_strict_dollar_to_the_cent() {
    let mut installation = Installation::with_three_proxies(Options::default()).await;
    for question in [costly("m"), unsure("m")] {
        let spending = Spending::with_budget(&installation, budget("strict")).await;

        let got = ask_all(&spending, 300, &question).await;

        let refused = &got.refused;
        assert!(refused.iter().all(|code| code == "budget_exceeded"), "{refused:?}");
        let told = format!("{} of {} for {}", got.served, got.served + refused.len(), got.cost);
        assert_eq!(got.served + refused.len(), 300 * spending.organization.nodes.len());
        assert!((amount("0.97")..=amount("1")).contains(&got.cost), "{told}");
        assert_eq!(billed_as_told(&spending, &[&got]).await, got.cost, "{told}");
    }

    let spending = Spending::with_budget(&installation, budget("strict")).await;
    let node = installation.first_data_plane();
    let question = costly("m");
    let killed = tokio::join!(ask_all(&spending, 300, &question), async {
        spending.upstream.arrived(20).await;
        installation.nodes.get_mut(node).expect("it is there").kill();
    });
    installation.nodes.get_mut(node).expect("it is there").restart().await;
    spending.organization.settled(&spending.key, &["m"]).await;
    let after = ask_all(&spending, 100, &costly("m")).await;

    let sum = billed_as_told(&spending, &[&killed.0, &after]).await;
    let told = killed.0.cost.saturating_add(after.cost);
    assert!(sum <= amount("1"), "told {told}, billed {sum}");
    // Some were billed whose callers heard no end of it.
    assert!(told <= sum, "told {told}, billed {sum}");
    assert!(killed.0.refused.iter().any(|code| code == "gone"), "nobody was cut off");
}
