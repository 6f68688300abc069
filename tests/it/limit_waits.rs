//! Limits that let requests wait for their turn, and limits that let nothing through.

use std::time::Duration;

use gatewright_types::ProblemCode;
use gatewright_types::api::Outcome;
use harness::chat::{refused, request_id, streaming};
use harness::http::Request;
use harness::installation::Installation;
use harness::spending::{Plan, Spending, costly};
use harness::sse::content;
use harness::upstream::Script;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Longer than anything here takes.
const WAIT: &str = "60s";

async fn limited(limit: Value) -> Spending {
    Spending::with_limit(Installation::shared().await, limit).await
}

#[tokio::test]
async fn a_request_waits_for_its_turn() {
    let spending = limited(json!({"scope": "organization", "concurrency": 1, "wait": WAIT})).await;
    spending.upstream.on("m", Script::stream([content("a")]).stall());
    let mut stream = spending.chat().begin(&streaming("m")).await;
    stream.until("\"a\"").await;
    let cheap = costly("cheap");
    let mut waiting = JoinSet::new();
    for _ in 0..3 {
        let (chat, cheap) = (spending.chat(), cheap.clone());
        waiting.spawn(async move { chat.send(&cheap).await });
    }

    tokio::time::sleep(Duration::from_millis(500)).await;
    let over = waiting.try_join_next();
    let asked = spending.upstream.seen().len();
    drop(stream);

    assert!(over.is_none(), "none is refused, and none is let through: {over:?}");
    assert_eq!(asked, 1, "the stream");
    for answer in waiting.join_all().await {
        answer.expect(200);
    }
}

#[tokio::test]
async fn a_request_that_would_wait_in_vain_is_refused_at_once() {
    let spending = limited(json!({"scope": "organization", "rph": 1, "wait": WAIT})).await;
    spending.spend().await;

    let began = Instant::now();
    let refusal = spending.ask("m").await;

    refused(&refusal, 429, "rate_limit_exceeded");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_request_waits_no_longer_than_the_limit_lets_it() {
    let spending = limited(json!({"scope": "organization", "concurrency": 1, "wait": "1s"})).await;
    spending.upstream.on("m", Script::stream([content("a")]).stall());
    let mut stream = spending.chat().begin(&streaming("m")).await;
    stream.until("\"a\"").await;

    let began = Instant::now();
    let refusal = spending.ask("cheap").await;

    refused(&refusal, 429, "rate_limit_exceeded");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(spending.upstream.seen().len(), 1);
}

#[tokio::test]
async fn who_is_blocked_is_refused_and_nobody_else() {
    let spending = limited(json!({"scope": {"end_user": "mallory"}, "blocked": true})).await;
    let ask = async |user: &str| {
        let request = spending.chat().request(&costly("m")).header("x-gw-user", user);
        request.send(spending.chat().address).await.expect("an answer")
    };

    let refusal = ask("mallory").await;
    let other = ask("ada").await;

    let error = refused(&refusal, 403, "blocked");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| message.contains("the end user `mallory`")),
        "{error}"
    );
    assert_eq!(other.status, 200, "{}", other.text());
    assert_eq!(spending.upstream.seen().len(), 1);
    let row = spending.organization.usage(&request_id(&refusal)).await;
    assert_eq!(row.outcome, Outcome::Refused);
    assert!(row.over.is_some_and(|over| over.starts_with("lim_")));
    let usage = Request::new("GET", "/v1/usage").header("x-gw-user", "mallory");
    let told = spending.send(usage).await.expect(200).json();
    assert_eq!(told["limits"][0]["limit"], "blocked", "{told}");
}

#[tokio::test]
async fn a_provider_that_is_blocked_is_not_asked_and_a_block_in_shadow_only_looks_on() {
    let plan = Plan {
        limits: vec![
            json!({"scope": {"model": "m"}, "blocked": true, "shadow": true}),
            json!({"scope": {"provider": "up"}, "blocked": true, "shadow": true}),
        ],
        ..Plan::default()
    };
    let looked_on = Spending::with(Installation::shared().await, plan).await;
    let blocked = limited(json!({"scope": {"provider": "up"}, "blocked": true})).await;

    let through = looked_on.spend().await;
    let refusal = blocked.ask("m").await;

    let row = looked_on.organization.usage(&request_id(&through)).await;
    assert!(row.over.is_some_and(|over| over.starts_with("lim_")));
    refused(&refusal, 403, "blocked");
    assert!(blocked.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_limit_that_blocks_or_waits_says_nothing_that_it_does_not_do() {
    let organization = harness::organization::Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some("http://127.0.0.1:9"))
        .await;
    let cases = [
        (json!({"scope": "organization", "blocked": true, "rpm": 1}), "blocked"),
        (json!({"scope": "organization", "blocked": true, "wait": "1s"}), "wait"),
        (json!({"scope": "organization", "rpm": 1, "wait": "61s"}), "wait"),
        (
            json!({"scope": "organization", "rpm": 1, "shadow": true, "wait": "1s"}),
            "wait",
        ),
        (json!({"scope": {"provider": "up"}, "rpm": 1, "wait": "1s"}), "wait"),
        (json!({"scope": "organization", "blocked": false}), "rpm"),
    ];
    for (limit, field) in cases {
        let answer = organization.owner.post(&organization.path("/limits"), &limit).await;
        let problem = harness::api::refused(&answer, 422, ProblemCode::Invalid);
        assert!(problem.fields.contains_key(field), "{limit}: {problem:?}");
    }
}
