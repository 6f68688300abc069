//! Chat completions in one piece: what passes unchanged, what is metered, and what a provider's failures become.

use std::time::Duration;

use gatewright_types::api::{Dialect, LineItem, Outcome};
use gatewright_types::{Nanos, UsageUnit};
use harness::chat::{self, question, request_id};
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::{Organization, names};
use harness::upstream::{Script, Upstream};
use serde_json::json;

const HEADERS: [&str; 7] = [
    "x-gw-request-id",
    "x-gw-provider",
    "x-gw-model",
    "x-gw-attempts",
    "x-gw-cache",
    "x-gw-cost-usd",
    "x-gw-overhead-ms",
];

#[tokio::test]
async fn bodies_pass_byte_for_byte_both_ways_but_for_the_models_name() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    organization.model("fast", "up/vendor/real-model@1", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["fast"]).await;
    let answer_body = "{ \"id\":\"x\",\n\t\"vendor_extra\": {\"a\": [1, 2.50, 1e2, \"\\u00e9\\/\"]}, \"choices\": [ ],\n \
        \"usage\":{\"prompt_tokens\": 3,\"completion_tokens\":1,\"total_tokens\":4 , \"odd\": null}}\n";
    upstream.on(
        "vendor/real-model@1",
        Script::body(200, "application/json", answer_body),
    );
    let sent = "{\"temperature\" :0.70, \"mod\\u0065l\": \"fast\",\n \"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9 😀\"}],\
        \"x_future\":{\"deep\":[true,null,-0.0]}, \"logit_bias\":{ \"50256\":-100 }}";

    let request = Request::new("POST", "/v1/chat/completions")
        .header("authorization", &format!("Bearer {}", key.secret))
        .bytes("application/json", sent.as_bytes().to_vec());
    let answer = request
        .send(organization.chat(&key).address)
        .await
        .expect("an answer")
        .expect(200);

    assert_eq!(answer.text(), answer_body);
    let seen = upstream.only();
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        sent.replace("\"fast\"", "\"vendor/real-model@1\"")
    );
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("POST", "/v1/chat/completions")
    );
    assert_eq!(seen.headers.need("authorization"), "Bearer sk-upstream-secret-0001");
    assert_eq!(seen.headers.need("content-type"), "application/json");
}

#[tokio::test]
async fn nothing_of_the_callers_own_headers_reaches_the_provider() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;

    let request = organization
        .chat(&key)
        .request(&question("m"))
        .header("x-private", "mine")
        .header("cookie", "a=b");
    request
        .send(organization.chat(&key).address)
        .await
        .expect("an answer")
        .expect(200);

    let seen = upstream.only();
    assert_eq!(
        (seen.headers.get("x-private"), seen.headers.get("cookie")),
        (None, None)
    );
    assert!(!format!("{:?}", seen.headers).contains(&key.secret));
}

#[tokio::test]
async fn every_answer_has_all_gateway_headers() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let chat = organization.chat(&key);
    upstream.on("m", Script::answer("Hi", 9, 2));

    let good = chat.ask("m").await.expect(200);
    let unknown_model = chat.ask("nope").await.expect(404);
    let stranger = chat::Chat {
        secret: "gw-nobody-knows-this-one".to_owned(),
        ..chat.clone()
    };
    let stranger = stranger.ask("m").await.expect(401);
    let models = chat.models().await.expect(200);

    for answer in [&good, &unknown_model, &stranger, &models] {
        for name in HEADERS {
            answer.headers.need(name);
        }
        assert_eq!(answer.headers.need("x-gw-cache"), "off");
    }
    assert_eq!(good.headers.need("x-gw-provider"), "up");
    assert_eq!(good.headers.need("x-gw-model"), "m");
    assert_eq!(good.headers.need("x-gw-attempts"), "1");
    let overhead: f64 = good.headers.need("x-gw-overhead-ms").parse().expect("milliseconds");
    assert!((0.0..5_000.0).contains(&overhead), "{overhead}");
    assert_eq!(unknown_model.headers.need("x-gw-attempts"), "0");
    assert_ne!(request_id(&good), request_id(&unknown_model));
}

#[tokio::test]
async fn usage_and_cost_are_exact_with_a_price_of_the_organization() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    let price = organization
        .price(
            "up",
            "m",
            &json!({"input": "0.15", "output": "0.60", "cache_read": "0.075"}),
        )
        .await;
    organization.model("priced", "up/m", &json!({})).await;
    let team: gatewright_types::api::Team = {
        let made = organization
            .owner
            .post(&organization.path("/teams"), &json!({"name": "Search"}))
            .await;
        made.expect(201).read()
    };
    let key = organization.key_as(&json!({"name": "main", "team": team.id})).await;
    organization.settled(&key, &["priced"]).await;
    upstream.on("m", Script::json(200, &json!({
        "id": "x", "object": "chat.completion", "choices": [],
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 101, "total_tokens": 1_101,
            "prompt_tokens_details": {"cached_tokens": 300}, "completion_tokens_details": {"reasoning_tokens": 1}},
    })));

    let answer = organization.chat(&key).ask("priced").await.expect(200);

    // 700 × 0.15 + 300 × 0.075 + 100 × 0.60 + 1 × 0.60 dollars per million.
    assert_eq!(answer.headers.need("x-gw-cost-usd"), "0.0001881");
    let row = organization.usage(&request_id(&answer)).await;
    let line = |unit, quantity, price: &str| LineItem {
        unit,
        quantity,
        price: Some(price.parse().expect("a price")),
        price_version: Some(price_version(&row.lines)),
    };
    assert_eq!(
        row.lines,
        [
            line(UsageUnit::InputUncached, 700, "0.15"),
            line(UsageUnit::InputCacheRead, 300, "0.075"),
            line(UsageUnit::OutputText, 100, "0.60"),
            line(UsageUnit::OutputReasoning, 1, "0.60"),
        ]
    );
    assert!(
        price_version(&row.lines).contains(&price.id.to_string()),
        "{:?}",
        row.lines
    );
    assert_eq!(row.cost.map(|cost| cost.amount), Some(Nanos::new(188_100)));
    assert_eq!(row.key.map(|id| id.to_string()), Some(key.id));
    assert_eq!(row.team, Some(team.id));
    assert_eq!(row.dialect, Dialect::OpenaiChat);
    assert_eq!(row.model.as_deref(), Some("priced"));
    assert_eq!(row.provider.as_ref().map(|slug| slug.as_str()), Some("up"));
    assert_eq!(row.upstream_model.as_ref().map(|model| model.as_str()), Some("m"));
    assert_eq!((row.outcome, row.status, row.code), (Outcome::Complete, 200, None));
    assert_eq!(
        (row.attempts, row.stream, row.estimated, row.first_token_ms),
        (1, false, false, None)
    );
}

fn price_version(lines: &[LineItem]) -> String {
    lines
        .first()
        .and_then(|line| line.price_version.clone())
        .expect("a priced line names its price")
}

#[tokio::test]
async fn a_model_without_a_price_is_unpriced_and_never_free() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(
        Installation::shared().await,
        &upstream,
        &["nobody-has-a-price-for-this"],
    )
    .await;

    let answer = organization
        .chat(&key)
        .ask("nobody-has-a-price-for-this")
        .await
        .expect(200);

    assert_eq!(answer.headers.need("x-gw-cost-usd"), "unpriced");
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(row.cost, None);
    let lines: Vec<_> = row
        .lines
        .iter()
        .map(|line| (line.unit, line.quantity, line.price))
        .collect();
    assert_eq!(
        lines,
        [(UsageUnit::InputUncached, 9, None), (UsageUnit::OutputText, 2, None)]
    );
}

#[tokio::test]
async fn a_price_of_zero_is_a_price() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    organization
        .price("up", "m", &json!({"input": "0", "output": "0"}))
        .await;
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;

    let answer = organization.chat(&key).ask("m").await.expect(200);

    assert_eq!(answer.headers.need("x-gw-cost-usd"), "0.00");
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(row.cost.map(|cost| cost.amount), Some(Nanos::ZERO));
}

#[tokio::test]
async fn an_answer_that_tells_no_usage_is_estimated_and_says_so() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    upstream.on("m", Script::json(200, &json!({"id": "x", "choices": []})));

    let answer = organization.chat(&key).ask("m").await.expect(200);

    let row = organization.usage(&request_id(&answer)).await;
    assert!(row.estimated);
    assert_eq!(
        row.lines.first().map(|line| (line.unit, line.quantity > 0)),
        Some((UsageUnit::InputUncached, true))
    );
}

#[tokio::test]
async fn a_key_sees_and_calls_only_the_models_on_its_list() {
    let upstream = Upstream::start().await;
    let (organization, all) =
        Organization::with_upstream(Installation::shared().await, &upstream, &["a", "b", "c/d:1"]).await;
    let some = organization
        .key_as(&json!({"name": "some", "models": ["a", "c/d:1"]}))
        .await;
    organization.settled(&some, &["a"]).await;

    assert_eq!(
        names(&organization.chat(&all).models().await.expect(200).json()),
        ["a", "b", "c/d:1"]
    );
    let chat = organization.chat(&some);
    let listed = chat.models().await.expect(200).json();
    assert_eq!(names(&listed), ["a", "c/d:1"]);
    assert_eq!(listed.get("object"), Some(&json!("list")));
    let expected = json!({"id": "a", "object": "model", "created": 0, "owned_by": "up"});
    assert_eq!(listed.pointer("/data/0"), Some(&expected));

    let get = |model: &str| Request::new("GET", &format!("/v1/models/{model}")).header("x-api-key", &some.secret);
    let one = get("c/d:1")
        .send(chat.address)
        .await
        .expect("an answer")
        .expect(200)
        .json();
    assert_eq!(one.get("id"), Some(&json!("c/d:1")));
    chat::refused(
        &get("b").send(chat.address).await.expect("an answer"),
        404,
        "model_not_found",
    );

    let error = chat::refused(&chat.ask("b").await, 403, "model_not_allowed");
    assert_eq!(error.get("param"), Some(&json!("model")));
    let error = chat::refused(&chat.ask("nope").await, 404, "model_not_found");
    assert_eq!(error.get("param"), Some(&json!("model")));
    assert!(upstream.seen().is_empty(), "a refused request never reaches a provider");
}

#[tokio::test]
async fn refusals_of_a_known_key_are_counted_with_their_reason() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;

    let answer = organization.chat(&key).ask("nope").await.expect(404);

    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.outcome, row.status, row.code.as_deref()),
        (Outcome::Refused, 404, Some("model_not_found"))
    );
    assert_eq!((row.attempts, row.lines, row.provider), (0, vec![], None));
    assert_eq!(row.cost.map(|cost| cost.amount), Some(Nanos::ZERO));
}

#[tokio::test]
async fn a_key_is_taken_from_each_header_a_client_library_uses() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let address = organization.chat(&key).address;
    let ask = |name: &'static str, value: String| async move {
        let request = Request::new("POST", "/v1/chat/completions")
            .header(name, &value)
            .json(&question("m"));
        request.send(address).await.expect("an answer")
    };

    for (name, value) in [
        ("authorization", format!("Bearer {}", key.secret)),
        ("Authorization", format!("bearer {}", key.secret)),
        ("x-api-key", key.secret.clone()),
        ("api-key", key.secret.clone()),
        ("x-goog-api-key", key.secret.clone()),
    ] {
        ask(name, value).await.expect(200);
    }

    for (name, value) in [
        ("authorization", key.secret.clone()),
        ("authorization", format!("Basic {}", key.secret)),
        ("authorization", "Bearer ".to_owned()),
        ("x-api-key", format!("{}x", key.secret)),
        ("x-other-key", key.secret.clone()),
    ] {
        chat::refused(&ask(name, value).await, 401, "invalid_api_key");
    }
}

#[tokio::test]
async fn an_imported_secret_of_any_shape_is_a_key() {
    let upstream = Upstream::start().await;
    let (organization, _) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let secret = format!("sk-litellm/{}+from=elsewhere!", std::process::id());

    let key = organization
        .key_as(&json!({"name": "imported", "secret": secret}))
        .await;
    organization.settled(&key, &["m"]).await;

    organization.chat(&key).ask("m").await.expect(200);
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let upstream = Upstream::start().await;
    let (organization, _) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let soon = chrono::Utc::now() + Duration::from_secs(2);
    let key = organization.key_as(&json!({"name": "short", "expires_at": soon})).await;
    organization.settled(&key, &["m"]).await;
    let chat = organization.chat(&key);

    harness::wait::eventually("the key expires", harness::wait::SOON, async || {
        let answer = chat.ask("m").await;
        (answer.status != 200).then(|| chat::refused(&answer, 401, "invalid_api_key"))
    })
    .await;
}

#[tokio::test]
async fn the_sandbox_answers_the_same_words_the_same_way_and_has_a_price() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let chat = organization.chat(&key);

    let first = chat.ask("echo").await.expect(200);
    let second = chat.ask("echo").await.expect(200);

    let text = |answer: &harness::http::Answer| answer.json().pointer("/choices/0/message/content").cloned();
    assert!(text(&first).is_some());
    assert_eq!(text(&first), text(&second));
    let row = organization.usage(&request_id(&first)).await;
    assert!(row.cost.is_some_and(|cost| cost.amount > Nanos::ZERO), "{row:?}");
    assert_eq!(
        row.cost.map(|cost| cost.amount.to_string()).as_deref(),
        first.headers.get("x-gw-cost-usd")
    );
    chat::refused(
        &chat.send(&chat::sandbox("echo", "status=500")).await,
        502,
        "upstream_error",
    );
    chat::refused(
        &chat.send(&chat::sandbox("echo", "status=418 typo=1")).await,
        400,
        "invalid_request",
    );
}
