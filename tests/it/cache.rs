//! Answers that were given before: who gets them and who does not, in which form, and what callers can say of it.

mod at_once;
mod forms;
mod sharing;

use gatewright_types::Nanos;
use gatewright_types::api::{CacheStatus, Outcome, UsageSeries};
use harness::chat::{question, refused, request_id, streaming};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse;
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

/// What a cache says of a request.
fn cache(answer: &Answer) -> &str {
    answer.headers.need("x-gw-cache")
}

/// Adds a model that keeps answers.
async fn add_model(organization: &Organization, name: &str, target: &str, cache: &Value) {
    let body = json!({"name": name, "route": {"target": target}, "cache": cache});
    let made = organization.owner.post(&organization.path("/models"), &body).await;
    made.expect(201);
}

/// An organization whose model `m` is kept for an hour, unless it says otherwise.
pub(crate) async fn organization(upstream: &Upstream, more: &Value) -> (Organization, Key) {
    organization_of("openai-compatible", &upstream.base_url(), more).await
}

async fn organization_of(kind: &str, address: &str, more: &Value) -> (Organization, Key) {
    organization_at(Installation::shared().await, kind, address, more).await
}

async fn organization_at(installation: &Installation, kind: &str, address: &str, more: &Value) -> (Organization, Key) {
    let organization = Organization::make(installation).await;
    organization.provider("up", kind, Some(address)).await;
    let mut cache = json!({"ttl": "1h"});
    for (name, value) in more.as_object().expect("settings") {
        cache[name] = value.clone();
    }
    add_model(&organization, "m", "up/m", &cache).await;
    organization
        .price("up", "m", &json!({"input": "1000", "output": "1000"}))
        .await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (organization, key)
}

pub(crate) async fn ask(organization: &Organization, key: &Key, body: &Value, headers: &[(&str, &str)]) -> Answer {
    let chat = organization.chat(key);
    let request = chat.request(body).headers(headers);
    request.send(chat.address).await.expect("the data plane answers")
}

/// With `x-gw-cache-control`.
pub(crate) async fn wish(organization: &Organization, key: &Key, control: &str) -> Answer {
    ask(organization, key, &question("m"), &[("x-gw-cache-control", control)]).await
}

#[tokio::test]
async fn the_second_equal_request_gets_the_first_ones_answer_byte_for_byte() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;

    let first = ask(&organization, &key, &question("m"), &[]).await.expect(200);
    let mut same = question("m");
    same["user"] = json!("u");
    same["metadata"] = json!({"run": "7"});
    let second = ask(&organization, &key, &same, &[]).await.expect(200);
    let mut other = question("m");
    other["temperature"] = json!(0.5);
    let third = ask(&organization, &key, &other, &[]).await.expect(200);

    assert_eq!([&first, &second, &third].map(cache), ["miss", "hit", "miss"]);
    assert_eq!(second.body, first.body);
    assert_ne!(request_id(&second), request_id(&first));
    assert_eq!(upstream.seen().len(), 2);
    assert!(second.headers.need("age").parse::<u64>().is_ok() && first.headers.get("age").is_none());
    assert_eq!(first.headers.need("x-gw-cost-usd"), "0.011");
    assert_eq!(second.headers.need("x-gw-cost-usd"), "0.00");
    assert_eq!(second.headers.need("x-gw-provider"), "up");
    assert_eq!(second.headers.need("x-gw-model"), "m");
    assert_eq!(second.headers.need("x-gw-attempts"), "0");
}

#[tokio::test]
async fn a_model_that_keeps_nothing_is_always_asked() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;

    for _ in 0..2 {
        let answer = ask(&organization, &key, &question("m"), &[]).await.expect(200);
        assert_eq!(cache(&answer), "off");
    }

    assert_eq!(upstream.seen().len(), 2);
    refused(&wish(&organization, &key, "only-if-cached").await, 504, "not_cached");
}

#[tokio::test]
async fn callers_say_what_the_cache_may_do() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let asked = async |control: &str, expected: &str, calls: usize| {
        let answer = wish(&organization, &key, control).await.expect(200);
        assert_eq!((cache(&answer), upstream.seen().len()), (expected, calls), "{control}");
    };

    refused(&wish(&organization, &key, "only-if-cached").await, 504, "not_cached");
    asked("no-store", "miss", 1).await;
    asked("ttl=0", "miss", 2).await;
    asked("", "miss", 3).await;
    asked("only-if-cached", "hit", 3).await;
    asked("no-store", "hit", 3).await;
    asked("no-cache", "miss", 4).await;
    asked("max-age=100", "hit", 4).await;
    asked("max-age=0, no-store", "miss", 5).await;

    for wrong in ["no-such-thing", "max-age", "no-cache, only-if-cached"] {
        let told = refused(&wish(&organization, &key, wrong).await, 400, "invalid_request");
        assert!(told.to_string().contains("x-gw-cache-control"), "{told}");
    }
    let spaced = [("x-gw-cache-namespace", "a b")];
    let told = ask(&organization, &key, &question("m"), &spaced).await;
    refused(&told, 400, "invalid_request");
    assert_eq!(upstream.seen().len(), 5);
}

#[tokio::test]
async fn a_refreshed_answer_takes_the_place_of_the_one_before() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    wish(&organization, &key, "").await.expect(200);
    upstream.on("m", Script::answer("Anew", 9, 1));

    let fresh = wish(&organization, &key, "no-cache").await.expect(200);
    let again = wish(&organization, &key, "").await.expect(200);

    assert!(fresh.text().contains("Anew"));
    assert_eq!((again.body, upstream.seen().len()), (fresh.body, 2));
}

#[tokio::test]
async fn what_builds_on_state_is_neither_looked_for_nor_kept() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let stored = json!({"model": "m", "input": "Hi"});
    for _ in 0..2 {
        let request = Request::new("POST", "/v1/responses").header("x-api-key", &key.secret);
        let sent = request.json(&stored).send(organization.chat(&key).address).await;
        assert_eq!(cache(&sent.expect("an answer").expect(200)), "off");
    }
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn only_what_is_complete_is_kept() {
    let partial = [sse::opening(), sse::content("Hel")];
    let error = json!({"error": {"message": "no", "type": "server_error"}});
    let scripts = [
        ("cut", Script::stream(partial.clone()).cut(), true),
        ("ended early", Script::stream(partial.clone()), true),
        (
            "no end mark",
            Script::stream([sse::opening(), sse::content("Hi"), sse::finish()]),
            true,
        ),
        ("error event", Script::stream([sse::opening(), sse::data(&error)]), true),
        ("500", Script::json(500, &error), false),
        ("200 with an error", Script::json(200, &error), false),
        (
            "half a body",
            Script::body(200, "application/json", "{\"choices\": ["),
            false,
        ),
    ];
    for (name, script, stream) in scripts {
        let upstream = Upstream::start().await;
        let (organization, key) = organization(&upstream, &json!({})).await;
        upstream.on("m", script);
        let body = if stream { streaming("m") } else { question("m") };
        ask(&organization, &key, &body, &[]).await;
        upstream.on("m", Script::answer("Whole", 9, 1));

        let next = ask(&organization, &key, &question("m"), &[]).await.expect(200);

        assert_eq!(cache(&next), "miss", "{name}");
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_nothing() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    upstream.on("m", Script::stream([sse::opening(), sse::content("Hel")]).stall());
    let mut stream = organization.chat(&key).begin(&streaming("m")).await;
    stream.until("Hel").await;
    drop(stream);
    upstream.ending().await;
    upstream.on("m", Script::answer("Whole", 9, 1));

    let next = ask(&organization, &key, &question("m"), &[]).await.expect(200);

    assert_eq!(cache(&next), "miss");
}

#[tokio::test]
async fn a_hit_is_metered_with_what_it_saves_and_costs_nothing() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let first = wish(&organization, &key, "").await.expect(200);
    let second = wish(&organization, &key, "").await.expect(200);

    let made = organization.usage(&request_id(&first)).await;
    let hit = organization.usage(&request_id(&second)).await;

    assert_eq!((made.cache, made.saved), (CacheStatus::Miss, None));
    assert_eq!((hit.cache, hit.saved), (CacheStatus::Hit, made.cost));
    assert_eq!(hit.cost.map(|cost| cost.amount), Some(Nanos::ZERO));
    assert_eq!(
        (hit.outcome, hit.status, hit.attempts, hit.lines.len()),
        (Outcome::Complete, 200, 0, 0)
    );
    assert!(hit.provider.is_none(), "nobody was asked");
    let now = chrono::Utc::now();
    let span = format!(
        "/usage/series?from={}&to={}",
        (now - chrono::TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%SZ"),
        (now + chrono::TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%SZ")
    );
    let series = organization.owner.get(&organization.path(&span)).await.expect(200);
    let totals: UsageSeries = series.read();
    let totals = totals.totals;
    assert_eq!((totals.requests, totals.cache_hits, totals.cache_misses), (2, 1, 1));
    assert_eq!(Some(totals.saved), made.cost.map(|cost| cost.amount));
    assert_eq!(Some(totals.cost), made.cost.map(|cost| cost.amount));
    assert_eq!((totals.input_tokens, totals.output_tokens), (9, 2), "a hit uses none");
}

#[tokio::test]
async fn of_a_batch_of_embeddings_only_what_is_missing_is_asked_and_paid_for() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let embed = async |inputs: &[&str], vectors: &[f32], tokens: u64| {
        let data: Vec<_> = vectors
            .iter()
            .enumerate()
            .map(|(index, number)| json!({"object": "embedding", "index": index, "embedding": [number]}))
            .collect();
        let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
        let said = json!({"object": "list", "data": data, "model": "m", "usage": usage});
        upstream.on("m", Script::json(200, &said));
        let request = Request::new("POST", "/v1/embeddings").header("x-api-key", &key.secret);
        let request = request.json(&json!({"model": "m", "input": inputs}));
        let sent = request.send(organization.chat(&key).address).await;
        sent.expect("the data plane answers").expect(200)
    };
    let numbers = |answer: &Answer| {
        let data = answer.json()["data"].as_array().cloned().unwrap_or_default();
        let number = |entry: &Value| entry["embedding"][0].as_f64();
        data.iter().filter_map(number).collect::<Vec<_>>()
    };

    let first = embed(&["a", "b"], &[1.0, 2.0], 4).await;
    let second = embed(&["c", "b", "d", "a"], &[3.0, 4.0], 2).await;
    let third = embed(&["d", "c", "b", "a"], &[9.0], 9).await;

    assert_eq!([&first, &second, &third].map(cache), ["miss", "miss", "hit"]);
    assert_eq!(numbers(&first), [1.0, 2.0]);
    assert_eq!(numbers(&second), [3.0, 2.0, 4.0, 1.0]);
    assert_eq!(numbers(&third), [4.0, 3.0, 2.0, 1.0]);
    let asked: Vec<_> = upstream
        .seen()
        .iter()
        .map(|seen| seen.json()["input"].clone())
        .collect();
    assert_eq!(asked, [json!(["a", "b"]), json!(["c", "d"])]);
    assert_eq!(second.json()["usage"]["total_tokens"], 2);
    assert_eq!(second.headers.need("x-gw-cost-usd"), "0.002");
    let row = organization.usage(&request_id(&second)).await;
    assert_eq!(
        row.saved.map(|saved| saved.amount.to_string()).as_deref(),
        Some("0.004")
    );
    let row = organization.usage(&request_id(&third)).await;
    assert_eq!(
        row.saved.map(|saved| saved.amount.to_string()).as_deref(),
        Some("0.006")
    );
}
