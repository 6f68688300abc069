//! Limits: how many requests and tokens are let through, how that is told, and what a request is about.

use std::time::Duration;

use gatewright_types::api::Outcome;
use harness::chat::{refused, request_id, streaming};
use harness::http::Request;
use harness::installation::Installation;
use harness::spending::{Plan, Spending, costly};
use harness::sse::content;
use harness::upstream::Script;
use harness::wait::eventually;
use serde_json::{Value, json};

fn limit(numbers: Value) -> Value {
    let mut limit = json!({"scope": "organization"});
    let into = limit.as_object_mut().expect("an object");
    let Value::Object(numbers) = numbers else {
        panic!("an object: {numbers}")
    };
    into.extend(numbers);
    limit
}

async fn limited(numbers: Value) -> Spending {
    Spending::with_limit(Installation::shared().await, limit(numbers)).await
}

#[tokio::test]
async fn requests_beyond_a_limit_are_told_when_to_come_back() {
    let spending = limited(json!({"rpm": 3, "tpm": 1_000_000})).await;
    let first = spending.spend().await;
    for _ in 0..2 {
        spending.spend().await;
    }

    let refusal = spending.ask("m").await;

    assert_eq!(first.headers.need("x-ratelimit-limit-requests"), "3");
    assert_eq!(first.headers.need("x-ratelimit-remaining-requests"), "2");
    assert_eq!(first.headers.need("x-ratelimit-limit-tokens"), "1000000");
    let error = refused(&refusal, 429, "rate_limit_exceeded");
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("the organization") && message.contains("3 requests per minute"),
        "{message}"
    );
    let wait: u64 = refusal.headers.need("retry-after").parse().expect("seconds");
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(refusal.headers.need("x-ratelimit-remaining-requests"), "0");
    assert_eq!(refusal.headers.get("x-should-retry"), None);
    assert_eq!(spending.upstream.seen().len(), 3);
    let row = spending.organization.usage(&request_id(&refusal)).await;
    assert!(
        row.over.is_some_and(|over| over.starts_with("lim_")),
        "{:?}",
        row.outcome
    );
}

#[tokio::test]
async fn anthropics_callers_are_told_in_their_headers_and_an_upstreams_own_go_no_further() {
    let spending = limited(json!({"rpm": 10})).await;
    let answer = Script::answer("Hello.", 10, 1).header("x-ratelimit-remaining-requests", "7777");
    spending.upstream.on("m", answer);

    let request = Request::new("POST", "/v1/messages").json(&json!({
        "model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Say hello."}],
    }));
    let anthropic = spending
        .send(request.header("anthropic-version", "2023-06-01"))
        .await
        .expect(200);
    let openai = spending.spend().await;

    assert_eq!(anthropic.headers.need("anthropic-ratelimit-requests-limit"), "10");
    assert_eq!(anthropic.headers.need("anthropic-ratelimit-requests-remaining"), "9");
    assert!(
        anthropic
            .headers
            .need("anthropic-ratelimit-requests-reset")
            .ends_with('Z')
    );
    assert_eq!(anthropic.headers.get("x-ratelimit-remaining-requests"), None);
    assert_eq!(openai.headers.need("x-ratelimit-remaining-requests"), "8");
}

#[tokio::test]
async fn tokens_are_estimated_at_first_and_put_right_by_what_was_used() {
    let spending = limited(json!({"tpm": 3_000})).await;
    // Each of them is 1,100, whatever was expected.
    for _ in 0..2 {
        spending.spend().await;
    }
    let third = spending.spend().await;

    let refusal = spending.ask("m").await;

    assert_eq!(third.status, 200);
    let error = refused(&refusal, 429, "rate_limit_exceeded");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| message.contains("3000 tokens per minute")),
        "{error}"
    );
}

#[tokio::test]
async fn units_weigh_tokens_as_it_is_written() {
    let spending = limited(json!({"tpm": 100, "units": "0.01 * tokens.input + 0.1 * tokens.output"})).await;
    // 10 for the input and 10 for the output.
    for _ in 0..4 {
        spending.spend().await;
    }

    let last = spending.ask("m").await;

    assert_eq!(last.status, 200, "{}", last.text());
    refused(&spending.ask("m").await, 429, "rate_limit_exceeded");
}

#[tokio::test]
async fn a_stream_is_under_way_until_its_end() {
    let spending = limited(json!({"concurrency": 1})).await;
    spending.upstream.on("m", Script::stream([content("a")]).stall());

    let mut stream = spending.chat().begin(&streaming("m")).await;
    stream.until("\"a\"").await;
    let meanwhile = spending.ask("cheap").await;
    drop(stream);

    let error = refused(&meanwhile, 429, "rate_limit_exceeded");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("1 requests at the same time")),
        "{error}"
    );
    eventually("the place becomes free", Duration::from_secs(10), async || {
        (spending.ask("cheap").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_limit_in_shadow_refuses_nothing_and_says_what_it_would_have() {
    let spending = limited(json!({"rpm": 1, "shadow": true})).await;
    let within = spending.spend().await;
    let beyond = spending.spend().await;

    assert_eq!(beyond.headers.get("x-ratelimit-limit-requests"), None);
    let row = spending.organization.usage(&request_id(&within)).await;
    assert_eq!(row.over, None);
    let row = spending.organization.usage(&request_id(&beyond)).await;
    assert!(row.over.is_some_and(|over| over.starts_with("lim_")));
    assert_eq!(row.outcome, Outcome::Complete);
}

#[tokio::test]
async fn each_end_user_has_a_limit_of_their_own() {
    let spending = Spending::with_limit(
        Installation::shared().await,
        json!({"scope": {"end_user": {"each": true}}, "rpm": 1}),
    )
    .await;
    let ask = async |user: &str| {
        let request = spending.chat().request(&costly("m")).header("x-gw-user", user);
        request.send(spending.chat().address).await.expect("an answer")
    };

    assert_eq!(ask("ada").await.status, 200);
    assert_eq!(ask("ada").await.status, 429);
    assert_eq!(ask("grace").await.status, 200);
    assert_eq!(spending.ask("m").await.status, 200);
}

#[tokio::test]
async fn tags_are_checked_and_kept() {
    let plan = Plan {
        tags: json!([{"name": "project", "required": true, "values": ["apollo", "gemini"]}, {"name": "tier"}]),
        ..Plan::default()
    };
    let spending = Spending::with(Installation::shared().await, plan).await;
    let ask = async |tags: Option<&str>| {
        let request = spending.chat().request(&costly("m"));
        let request = match tags {
            Some(tags) => request.header("x-gw-tags", tags),
            None => request,
        };
        request.send(spending.chat().address).await.expect("an answer")
    };
    let told = |answer: &harness::http::Answer, part: &str| {
        let error = refused(answer, 400, "invalid_request");
        assert!(
            error["message"].as_str().is_some_and(|text| text.contains(part)),
            "{error}"
        );
    };

    told(&ask(None).await, "requires the tag `project`");
    told(&ask(Some("project=mercury")).await, "apollo or gemini");
    told(&ask(Some("projekt=apollo")).await, "did you mean `project`");
    let answer = ask(Some("project=apollo, tier=free")).await.expect(200);
    let row = spending.organization.usage(&request_id(&answer)).await;
    let tags: Vec<_> = row.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(tags, ["project=apollo", "tier=free"]);
}

#[tokio::test]
async fn a_keys_holder_is_told_how_its_budgets_and_limits_stand() {
    let plan = Plan {
        budgets: vec![json!({"scope": "organization", "amount": "1", "window": "day"})],
        limits: vec![limit(json!({"rpm": 5})), limit(json!({"rpm": 1, "shadow": true}))],
        ..Plan::default()
    };
    let spending = Spending::with(Installation::shared().await, plan).await;
    spending.spend().await;

    let told = spending.send(Request::new("GET", "/v1/usage")).await.expect(200).json();

    assert_eq!(told["key"]["name"], "main");
    let budget = &told["budgets"][0];
    assert_eq!(
        (&budget["for"], &budget["amount"], &budget["cap"]),
        (&json!("the organization"), &json!("1.00"), &json!("1.00"))
    );
    assert_eq!(
        (&budget["spent"], &budget["remaining"]),
        (&json!("0.01"), &json!("0.99")),
        "{told}"
    );
    assert!(budget["resets_at"].is_string(), "{budget}");
    assert_eq!(told["limits"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(
        (&told["limits"][0]["limit"], &told["limits"][0]["remaining"]),
        (&json!("rpm"), &json!(4))
    );
    let stranger = Request::new("GET", "/v1/usage")
        .send(spending.chat().address)
        .await
        .expect("an answer");
    assert_eq!(stranger.status, 401);
}
