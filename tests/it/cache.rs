//! Answers that were given before: who gets them and who does not, in which form, and what callers can say of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatewright_types::Nanos;
use gatewright_types::api::{CacheStatus, Outcome, UsageSeries};
use harness::chat::{question, refused, request_id, streaming};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse;
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};
use tokio::task::JoinSet;

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
    let mut request = chat.request(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
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
async fn namespaces_share_nothing() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let within = async |namespace: &str| {
        let headers = [("x-gw-cache-namespace", namespace)];
        let answer = ask(&organization, &key, &question("m"), &headers).await.expect(200);
        cache(&answer).to_owned()
    };

    assert_eq!(within("a").await, "miss");
    assert_eq!(within("b").await, "miss");
    assert_eq!(within("a").await, "hit");
    assert_eq!(cache(&wish(&organization, &key, "").await), "miss");
}

#[tokio::test]
async fn answers_are_shared_as_far_as_the_models_scope_goes_and_never_with_another_organization() {
    let upstream = Upstream::start().await;
    for (scope, shares) in [
        ("key", [false, false, false]),
        ("team", [true, false, false]),
        ("organization", [true, true, false]),
    ] {
        let (ours, _) = organization(&upstream, &json!({"scope": scope})).await;
        let (theirs, foreign) = organization(&upstream, &json!({"scope": scope})).await;
        let mut keys = Vec::new();
        for team in ["one", "two"] {
            let made = ours
                .owner
                .post(&ours.path("/teams"), &json!({"name": team}))
                .await
                .expect(201);
            let team_id = made.json()["id"].clone();
            for number in 0..2 {
                let body = json!({"name": format!("{team} {number}"), "team": team_id});
                keys.push(ours.key_as(&body).await);
            }
        }
        let [first, colleague, other_team, _] = &keys[..] else {
            panic!("four keys")
        };
        for key in &keys {
            ours.settled(key, &["m"]).await;
        }

        wish(&ours, first, "").await.expect(200);
        let hits = [
            wish(&ours, colleague, "no-store").await,
            wish(&ours, other_team, "no-store").await,
            wish(&theirs, &foreign, "no-store").await,
        ];

        assert_eq!(hits.map(|answer| cache(&answer) == "hit"), shares, "{scope}");
        assert_eq!(cache(&wish(&ours, first, "").await), "hit");
    }
}

#[tokio::test]
async fn end_users_share_nothing_where_the_scope_is_theirs() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({"scope": "user"})).await;
    let by = async |user: Option<&str>| {
        let mut body = question("m");
        if let Some(user) = user {
            body["user"] = json!(user);
        }
        cache(&ask(&organization, &key, &body, &[]).await.expect(200)).to_owned()
    };

    for user in [Some("ann"), Some("bob"), None] {
        assert_eq!(by(user).await, "miss", "{user:?}");
        assert_eq!(by(user).await, "hit", "{user:?}");
    }
}

#[tokio::test]
async fn every_node_finds_what_another_one_kept() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    wish(&organization, &key, "").await.expect(200);

    for node in 0..organization.nodes.len() {
        let answer = organization.chat_at(node, &key).ask("m").await.expect(200);
        assert_eq!(cache(&answer), "hit", "node {node}");
    }
}

#[tokio::test]
async fn a_stream_and_a_whole_answer_are_one_for_the_cache() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let mut with_usage = streaming("m");
    with_usage["stream_options"] = json!({"include_usage": true});

    let streamed = ask(&organization, &key, &streaming("m"), &[]).await.expect(200);
    let replayed = ask(&organization, &key, &streaming("m"), &[]).await.expect(200);
    let whole = ask(&organization, &key, &question("m"), &[]).await.expect(200);
    let usage = ask(&organization, &key, &with_usage, &[]).await.expect(200);

    assert_eq!(
        [&streamed, &replayed, &whole, &usage].map(cache),
        ["miss", "hit", "hit", "hit"]
    );
    assert_eq!(upstream.seen().len(), 1);
    let without_comments = |answer: &Answer| {
        let text = answer.text();
        let events = text.split_inclusive("\n\n").filter(|event| !event.starts_with(':'));
        events.collect::<String>()
    };
    assert_eq!(replayed.text(), without_comments(&streamed));
    assert_eq!(replayed.headers.need("content-type"), "text/event-stream");
    let whole = whole.json();
    assert_eq!(whole["choices"][0]["message"]["content"], "Hello there");
    assert_eq!(whole["usage"]["total_tokens"], 11);
    assert_eq!(sse::text(&usage.body), "Hello there");
    let last = sse::chunks(&usage.body).pop().expect("chunks");
    assert_eq!(last["usage"]["total_tokens"], 11);
    assert!(sse::is_done(&usage.body) && sse::is_done(&replayed.body));
}

#[tokio::test]
async fn tools_and_usage_come_through_a_whole_answer_that_is_replayed_as_a_stream() {
    let upstream = Upstream::start().await;
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let said = json!({"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": null, "tool_calls": [call]}, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}});
    upstream.on("m", Script::json(200, &said));
    let (organization, key) = organization(&upstream, &json!({})).await;
    let mut asked = question("m");
    asked["tools"] = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    ask(&organization, &key, &asked, &[]).await.expect(200);

    asked["stream"] = json!(true);
    asked["stream_options"] = json!({"include_usage": true});
    let replayed = ask(&organization, &key, &asked, &[]).await.expect(200);

    assert_eq!((cache(&replayed), upstream.seen().len()), ("hit", 1));
    let chunks = sse::chunks(&replayed.body);
    let calls: Vec<_> = chunks
        .iter()
        .flat_map(|chunk| {
            chunk["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .collect();
    let arguments: String = calls
        .iter()
        .filter_map(|call| call["function"]["arguments"].as_str())
        .collect();
    assert_eq!(
        (calls[0]["id"].as_str(), arguments.as_str()),
        (Some("call_1"), "{\"a\":1}")
    );
    assert!(
        chunks
            .iter()
            .any(|chunk| chunk["choices"][0]["finish_reason"] == "tool_calls")
    );
    assert!(chunks.iter().any(|chunk| chunk["usage"]["total_tokens"] == 13));
}

#[tokio::test]
async fn other_dialects_are_kept_in_all_of_their_forms() {
    struct Case {
        whole: (&'static str, Value),
        stream: (&'static str, Value),
        text: &'static str,
    }
    let message = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let response = json!({"model": "m", "input": "Hi", "store": false});
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    let streamed = |body: &Value| {
        let mut body = body.clone();
        body["stream"] = json!(true);
        body
    };
    let cases = [
        Case {
            whole: ("/v1/messages", message.clone()),
            stream: ("/v1/messages", streamed(&message)),
            text: "/content/0/text",
        },
        Case {
            whole: ("/v1/responses", response.clone()),
            stream: ("/v1/responses", streamed(&response)),
            text: "/output/0/content/0/text",
        },
        Case {
            whole: ("/v1beta/models/m:generateContent", contents.clone()),
            stream: ("/v1beta/models/m:streamGenerateContent?alt=sse", contents.clone()),
            text: "/candidates/0/content/parts/0/text",
        },
        Case {
            whole: ("/v1beta/models/m:generateContent", contents.clone()),
            stream: ("/v1beta/models/m:streamGenerateContent", contents),
            text: "/candidates/0/content/parts/0/text",
        },
    ];
    for Case { whole, stream, text } in cases {
        for whole_first in [true, false] {
            let upstream = Upstream::start().await;
            let (organization, key) = organization(&upstream, &json!({})).await;
            let send = async |(path, body): &(&str, Value)| {
                let request = Request::new("POST", path).header("x-api-key", &key.secret);
                let sent = request.json(body).send(organization.chat(&key).address).await;
                sent.expect("the data plane answers").expect(200)
            };
            let (one, other) = if whole_first {
                (&whole, &stream)
            } else {
                (&stream, &whole)
            };

            let first = send(one).await;
            let same = send(one).await;
            let converted = send(other).await;

            let told = format!("{} {whole_first}", stream.0);
            assert_eq!([&first, &same, &converted].map(cache), ["miss", "hit", "hit"], "{told}");
            assert_eq!(upstream.seen().len(), 1, "{told}");
            let told_whole = if whole_first { &same } else { &converted };
            assert_eq!(told_whole.json().pointer(text), Some(&json!("Hello there")), "{told}");
            let told_stream = if whole_first { &converted } else { &same };
            assert!(told_stream.text().contains("there"), "{told} {}", told_stream.text());
            let kind = if stream.0.ends_with("streamGenerateContent") {
                "application/json"
            } else {
                "text/event-stream"
            };
            assert_eq!(told_stream.headers.need("content-type"), kind, "{told}");
        }
    }
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
async fn what_shapes_answers_is_part_of_the_question() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    wish(&organization, &key, "").await.expect(200);
    let listed = organization.owner.get(&organization.path("/models")).await.expect(200);
    let model = listed.json()["items"][0]["id"].clone();
    let path = organization.path(&format!("/models/{}", model.as_str().expect("an identifier")));
    let change = json!({"route": {"target": "up/other"}, "cache": {"ttl": "1h"}});
    organization.owner.patch(&path, &change).await.expect(200);
    upstream.on("other", Script::answer("Another model", 9, 1));

    eventually("the model leads elsewhere", SOON, async || {
        let answer = wish(&organization, &key, "").await.expect(200);
        answer.text().contains("Another model").then_some(())
    })
    .await;
}

#[tokio::test]
async fn beta_headers_are_part_of_the_question() {
    let upstream = Upstream::start().await;
    let said = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 4}});
    upstream.on("m", Script::json(200, &said));
    let (organization, key) = organization_of("anthropic", &upstream.base_url(), &json!({})).await;
    let message = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let with = async |beta: &str| {
        let request = Request::new("POST", "/v1/messages")
            .header("x-api-key", &key.secret)
            .header("anthropic-beta", beta);
        let sent = request.json(&message).send(organization.chat(&key).address).await;
        cache(&sent.expect("the data plane answers").expect(200)).to_owned()
    };

    assert_eq!(with("one").await, "miss");
    assert_eq!(with("two").await, "miss");
    assert_eq!(with("one").await, "hit");
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

#[tokio::test]
async fn equal_requests_that_run_at_the_same_time_share_one_call() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    upstream.on("m", Script::answer("once", 9, 2).after(Duration::from_secs(2)));
    let chat = organization.chat_at(0, &key);
    let mut body = question("m");
    body["temperature"] = json!(0);

    let (first, second, third) = tokio::join!(chat.send(&body), chat.send(&body), chat.send(&body));
    body["temperature"] = json!(1);
    let (one, other) = tokio::join!(chat.send(&body), chat.send(&body));

    let mut answers = [first, second, third].map(|answer| answer.expect(200));
    answers.sort_by_key(|answer| cache(answer).to_owned());
    assert_eq!(answers.each_ref().map(cache), ["hit", "hit", "miss"]);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    // What need not be answered alike is asked for each.
    assert_eq!([&one, &other].map(cache), ["miss", "miss"]);
    assert_eq!(upstream.seen().len(), 3);
}

#[tokio::test]
async fn when_the_first_of_equal_requests_comes_to_nothing_the_next_one_asks_for_the_others() {
    let installation = Installation::fresh().await;
    let node = installation.nodes.get(installation.first_data_plane());
    let node = node.expect("it has a data plane");
    let refusal = json!({"error": {"message": "no", "type": "server_error"}});
    let refusing = Script::json(500, &refusal).header("x-should-retry", "false");
    // Those who wait have come by then.
    let refusing = refusing.after(Duration::from_secs(2));
    for (hangs_up, first) in [(false, refusing), (true, Script::silent())] {
        let upstream = Upstream::start().await;
        let address = upstream.base_url();
        let (organization, key) = organization_at(&installation, "openai-compatible", &address, &json!({})).await;
        let is_first = AtomicBool::new(true);
        upstream.answer_by(move |_| match is_first.swap(false, Ordering::Relaxed) {
            true => first.clone(),
            false => Script::answer("at last", 9, 2).after(Duration::from_millis(500)),
        });
        let mut body = question("m");
        body["temperature"] = json!(0);
        let ask = || {
            let chat = organization.chat_at(0, &key);
            let body = body.clone();
            async move { chat.send(&body).await }
        };

        let (mut leading, mut following) = (JoinSet::new(), JoinSet::new());
        leading.spawn(ask());
        upstream.arrived(1).await;
        for _ in 0..2 {
            following.spawn(ask());
        }
        eventually("all have come", SOON, async || {
            let metrics = node.metrics().await.text();
            let mut lines = metrics.lines();
            lines
                .any(|line| line == "gatewright_requests_in_flight 3")
                .then_some(())
        })
        .await;
        if hangs_up {
            leading.shutdown().await;
        }
        for answer in leading.join_all().await {
            refused(&answer, 502, "upstream_error");
        }

        let mut statuses = Vec::new();
        for answer in following.join_all().await {
            let answer = answer.expect(200);
            assert!(answer.text().contains("at last"), "{}", answer.text());
            statuses.push(cache(&answer).to_owned());
        }
        statuses.sort();
        assert_eq!(statuses, ["hit", "miss"], "hangs up: {hangs_up}");
        assert_eq!(upstream.seen().len(), 2, "hangs up: {hangs_up}");
    }
}
