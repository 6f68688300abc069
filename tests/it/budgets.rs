//! Budgets: what is let through, what is refused and in which words, and what comes of it in the rows.

use std::time::Duration;

use gatewright_types::Nanos;
use gatewright_types::api::Outcome;
use harness::chat::{refused, request_id, streaming};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::spending::{CENT, Plan, Spending, costly};
use harness::sse::content;
use harness::upstream::Script;
use harness::wait::eventually;
use serde_json::{Value, json};
use tokio::task::JoinSet;

fn budget(amount: &str, more: Value) -> Value {
    let mut budget = json!({"scope": "organization", "amount": amount, "window": "month"});
    let into = budget.as_object_mut().expect("an object");
    let Value::Object(more) = more else {
        panic!("an object: {more}")
    };
    into.extend(more);
    budget
}

async fn spending(amount: &str, more: Value) -> Spending {
    Spending::with_budget(Installation::shared().await, budget(amount, more)).await
}

fn message(answer: &Answer) -> String {
    let body = answer.json();
    body["error"]["message"].as_str().expect("a message").to_owned()
}

#[tokio::test]
async fn a_spent_budget_is_told_in_each_dialect_with_its_scope_and_its_end() {
    let spending = spending(CENT, json!({"time_zone": "Europe/Berlin"})).await;
    spending.spend().await;

    let openai = spending.ask("m").await;
    let anthropic = Request::new("POST", "/v1/messages").json(&json!({
        "model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Say hello."}],
    }));
    let anthropic = spending.send(anthropic.header("anthropic-version", "2023-06-01")).await;
    let gemini = Request::new("POST", "/v1beta/models/m:generateContent")
        .json(&json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}));
    let gemini = spending.send(gemini).await;
    let native = Request::new("POST", "/native/up/chat/completions").json(&costly("m"));
    let native = spending.send(native).await;

    let error = refused(&openai, 402, "budget_exceeded");
    assert_eq!(error["type"], "insufficient_quota");
    assert_eq!(
        anthropic.json()["error"]["type"],
        "billing_error",
        "{}",
        anthropic.text()
    );
    assert_eq!(
        gemini.json()["error"]["status"],
        "FAILED_PRECONDITION",
        "{}",
        gemini.text()
    );
    for answer in [&openai, &anthropic, &gemini, &native] {
        assert_eq!(answer.status, 402, "{}", answer.text());
        assert_eq!(answer.headers.need("x-should-retry"), "false");
        let message = message(answer);
        for part in [
            "the organization",
            "0.01 USD a month",
            "It begins anew at",
            "-01 00:00 (Europe/Berlin)",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
    assert_eq!(spending.upstream.seen().len(), 1);
    let row = spending.organization.usage(&request_id(&openai)).await;
    assert_eq!(row.outcome, Outcome::Refused);
    assert!(row.over.is_some_and(|over| over.starts_with("bud_")));
}

#[tokio::test]
async fn a_request_that_fits_into_no_budget_is_told_what_it_may_come_to() {
    let spending = spending("0.001", json!({"mode": "strict"})).await;

    let refusal = eventually("counters are filled", Duration::from_secs(10), async || {
        let refusal = spending.ask("m").await;
        (refusal.status == 402).then_some(refusal)
    })
    .await;

    let message = message(&refusal);
    for part in ["The request may come to", "0.001 USD is left", "`max_tokens`"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(spending.upstream.seen().is_empty());
}

#[tokio::test]
async fn what_costs_nothing_passes_a_spent_budget_but_nothing_passes_one_of_nothing() {
    let spent = spending(CENT, json!({})).await;
    spent.spend().await;
    spent.ask("free").await.expect(200);

    let nothing = spending("0", json!({})).await;

    for model in ["m", "free"] {
        refused(&nothing.ask(model).await, 402, "budget_exceeded");
    }
    assert!(nothing.upstream.seen().is_empty());
}

#[tokio::test]
async fn the_narrowest_of_the_spent_budgets_is_named_and_all_of_them_count() {
    let plan = Plan {
        budgets: vec![budget(CENT, json!({}))],
        of_key: vec![("/budgets", json!({"amount": CENT, "window": "day"}))],
        ..Plan::default()
    };
    let spending = Spending::with(Installation::shared().await, plan).await;
    let answer = spending.spend().await;

    let refusal = spending.ask("m").await;

    assert!(
        message(&refusal).contains("the API key `main`"),
        "{}",
        message(&refusal)
    );
    let row = spending.organization.usage(&request_id(&answer)).await;
    assert_eq!(row.budgets.len(), 2, "{row:?}");
}

#[tokio::test]
async fn who_has_no_budget_is_not_refused_by_anybody_elses() {
    let plan = Plan {
        budgets: vec![json!({"scope": {"end_user": {"each": true}}, "amount": CENT, "window": "total"})],
        ..Plan::default()
    };
    let spending = Spending::with(Installation::shared().await, plan).await;
    let ask = async |user: &str| {
        let mut body = costly("m");
        body["user"] = json!(user);
        spending.chat().send(&body).await
    };

    ask("ada").await.expect(200);
    let again = ask("ada").await;
    let other = ask("grace").await;
    let nobody = spending.ask("m").await;

    assert!(message(&again).contains("the end user `ada`"), "{}", again.text());
    assert_eq!((other.status, nobody.status), (200, 200), "{}", other.text());
    let row = spending.organization.usage(&request_id(&other)).await;
    assert_eq!(row.end_user.map(|name| name.to_string()).as_deref(), Some("grace"));
}

#[tokio::test]
async fn a_budget_that_only_warns_or_asks_says_so() {
    let warns = spending(CENT, json!({"action": "warn"})).await;
    warns.spend().await;
    let warned = warns.spend().await;
    assert!(
        warned
            .headers
            .need("x-gw-budget-warning")
            .contains("the budget of the organization is spent"),
        "{:?}",
        warned.headers
    );

    let asks = spending(CENT, json!({"action": "ask"})).await;
    asks.spend().await;
    let refusal = asks.ask("m").await;
    refused(&refusal, 402, "budget_exceeded");
    assert!(
        message(&refusal).contains("A raise was asked for"),
        "{}",
        message(&refusal)
    );
}

#[tokio::test]
async fn from_its_soft_amount_on_a_budget_sends_requests_to_a_cheaper_model_and_at_its_amount_it_blocks() {
    let spending = spending("0.0101", json!({"action": {"downgrade": "cheap"}, "soft": CENT})).await;
    let before = spending.spend().await;

    let downgraded = spending.ask("m").await.expect(200);
    let refusal = spending.ask("m").await;

    assert_eq!(before.headers.get("x-gw-downgraded"), None);
    assert_eq!(downgraded.headers.need("x-gw-downgraded"), "cheap");
    assert_eq!(downgraded.headers.need("x-gw-cost-usd"), "0.0001");
    let row = spending.organization.usage(&request_id(&downgraded)).await;
    assert_eq!(row.model.as_deref(), Some("m"));
    assert_eq!(
        row.downgraded_to.map(|model| model.to_string()).as_deref(),
        Some("cheap")
    );
    refused(&refusal, 402, "budget_exceeded");
}

#[tokio::test]
async fn what_has_no_price_is_let_through_or_refused_as_the_budget_says() {
    let allows = spending("1", json!({})).await;
    let answer = allows.ask("unpriced").await.expect(200);
    assert_eq!(answer.headers.need("x-gw-cost-usd"), "unpriced");

    let blocks = spending("1", json!({"unpriced": "block"})).await;
    let refusal = blocks.ask("unpriced").await;
    refused(&refusal, 400, "unpriced");
    assert!(message(&refusal).contains("up/unpriced"), "{}", message(&refusal));
    assert!(blocks.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_strict_budget_refuses_what_it_cannot_bound() {
    let spending = spending("1", json!({"mode": "strict"})).await;

    let refusal = spending.chat().ask("m").await;
    let answer = spending.ask("m").await;

    refused(&refusal, 400, "invalid_request");
    assert!(message(&refusal).contains("`max_tokens`"), "{}", message(&refusal));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_target_whose_cap_is_spent_is_passed_over() {
    let installation = Installation::shared().await;
    let plan = Plan {
        budgets: vec![json!({"scope": {"provider": "up"}, "amount": CENT, "window": "day"})],
        ..Plan::default()
    };
    let spending = Spending::with(installation, plan).await;
    let organization = &spending.organization;
    organization
        .provider("other", "openai-compatible", Some(&spending.upstream.base_url()))
        .await;
    let route = json!({"fallback": [{"target": "up/m"}, {"target": "other/m"}]});
    let model = json!({"name": "either", "route": route, "retries": {"attempts": 0}});
    organization
        .owner
        .post(&organization.path("/models"), &model)
        .await
        .expect(201);
    organization.settled(&spending.key, &["either"]).await;

    let first = spending.ask("either").await.expect(200);
    let second = spending.ask("either").await.expect(200);
    let none_left = spending.ask("m").await;

    assert_eq!(first.headers.need("x-gw-provider"), "up");
    assert_eq!(second.headers.need("x-gw-provider"), "other");
    refused(&none_left, 402, "budget_exceeded");
    assert!(
        message(&none_left).contains("the provider `up`"),
        "{}",
        message(&none_left)
    );
}

#[tokio::test]
async fn a_stream_that_is_given_up_costs_what_came_of_it_and_no_more_stays_reserved() {
    let spending = spending("1", json!({"mode": "strict"})).await;
    spending
        .upstream
        .on("m", Script::stream([content("one two three")]).stall());
    let mut body = streaming("m");
    body["max_tokens"] = json!(19_000);

    let mut stream = spending.chat().begin(&body).await;
    stream.until("three").await;
    let id = stream.head.headers.need("x-gw-request-id").to_owned();
    drop(stream);

    let row = spending.organization.usage(&id).await;
    assert_eq!(row.outcome, Outcome::ClientGone);
    let cost = row.cost.expect("a price").amount;
    assert!(
        cost > Nanos::ZERO && cost < "0.01".parse().expect("an amount"),
        "{cost}"
    );
    // As much again fits in at once.
    spending.upstream.on("m", Script::answer("Hello.", 1_000, 100));
    body["stream"] = json!(false);
    let again = spending.chat().send(&body).await;
    assert_eq!(again.status, 200, "{}", again.text());
}

#[tokio::test]
async fn a_price_that_changes_under_way_is_for_requests_that_begin_later() {
    let spending = spending("1", json!({})).await;
    let slow = Script::answer("Hello.", 1_000, 100).after(Duration::from_millis(1_500));
    spending.upstream.on("m", slow);

    let chat = spending.chat();
    let mut under_way = JoinSet::new();
    under_way.spawn(async move { chat.send(&costly("m")).await });
    spending.upstream.arrived(1).await;
    let dearer = json!({"input": "10", "output": "100", "cache_read": "0"});
    spending.organization.price("up", "m", &dearer).await;
    let before = under_way.join_next().await.expect("it began").expect("it ends");
    let after = eventually("the price is known", Duration::from_secs(10), async || {
        let answer = spending.spend().await;
        (answer.headers.need("x-gw-cost-usd") == "0.02").then_some(answer)
    })
    .await;

    assert_eq!(before.headers.need("x-gw-cost-usd"), CENT);
    let row = spending.organization.usage(&request_id(&after)).await;
    assert_eq!(row.budgets.len(), 1);
}
