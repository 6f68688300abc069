//! Chat completions as streams: what passes unchanged, what is taken out, how they break, and what each is billed.

mod ends;
mod waiting;

use std::time::Duration;

use gatewright_types::UsageUnit;
use gatewright_types::api::{LineItem, Outcome};
use harness::chat::{Chat, request_id, streaming};
use harness::http::Answer;
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse::{self, DONE, content, finish, usage};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};
use tokio::time::Instant;

async fn one_model(upstream: &Upstream) -> (Organization, Key) {
    Organization::with_upstream(Installation::shared().await, upstream, &["m"]).await
}

async fn with_timeouts(upstream: &Upstream, timeouts: &Value) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    organization.model("m", "up/m", timeouts).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (organization, key)
}

/// The stream without the comments that the gateway adds.
fn without_comments(answer: &Answer) -> String {
    let text = answer.text();
    text.split_inclusive("\n\n")
        .filter(|block| !block.starts_with(": keepalive") && !block.starts_with(": x-gw-"))
        .collect()
}

fn quantities(lines: &[LineItem]) -> Vec<(UsageUnit, u64)> {
    lines.iter().map(|line| (line.unit, line.quantity)).collect()
}

/// The error that a stream ends with.
fn last_error(answer: &Answer) -> Value {
    let last = sse::chunks(&answer.body).pop().expect("a stream that fails says so");
    last.get("error")
        .unwrap_or_else(|| panic!("no error in {last}"))
        .clone()
}

fn asking_for_usage() -> Value {
    let mut body = streaming("m");
    let members = body.as_object_mut().expect("an object");
    members.insert("stream_options".to_owned(), json!({"include_usage": true}));
    body
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte_when_usage_was_asked_for() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let whole = format!(
        ": vendor comment\n\ndata: {{\"odd\" : [1.0,\"\\u00e9 😀\"], \"choices\":[{{\"delta\":{{\"content\":\"a\"}}}}],\"usage\":null}}\n\n\
         {}{}{}{DONE}",
        content("b"),
        finish(),
        usage(9, 2)
    );
    upstream.on("m", Script::stream([whole.as_str()]));

    let answer = organization.chat(&key).send(&asking_for_usage()).await.expect(200);

    assert_eq!(without_comments(&answer), whole);
    assert_eq!(answer.headers.need("content-type"), "text/event-stream");
    assert_eq!(answer.headers.need("cache-control"), "no-cache");
    assert_eq!(answer.headers.need("x-accel-buffering"), "no");
    assert_eq!(upstream.only().json(), asking_for_usage());
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        quantities(&row.lines),
        [(UsageUnit::InputUncached, 9), (UsageUnit::OutputText, 2)]
    );
    assert_eq!(
        (row.outcome, row.status, row.stream, row.estimated),
        (Outcome::Complete, 200, true, false)
    );
    assert!(row.first_token_ms.is_some());
}

#[tokio::test]
async fn usage_that_the_caller_did_not_ask_for_is_metered_and_taken_out() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    upstream.on(
        "m",
        Script::stream([content("a"), finish(), usage(9, 2), DONE.to_owned()]),
    );

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    let clean = |event: String| event.replace(",\"usage\":null", "").replace("\"usage\":null,", "");
    assert_eq!(
        without_comments(&answer),
        format!("{}{}{DONE}", clean(content("a")), clean(finish()))
    );
    let sent = upstream.only().json();
    assert_eq!(
        sent.pointer("/stream_options/include_usage"),
        Some(&json!(true)),
        "usage is asked for in any case"
    );
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        quantities(&row.lines),
        [(UsageUnit::InputUncached, 9), (UsageUnit::OutputText, 2)]
    );
    assert!(!row.estimated);
}

#[tokio::test]
async fn include_usage_false_counts_as_not_asked() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let mut body = streaming("m");
    let members = body.as_object_mut().expect("an object");
    members.insert(
        "stream_options".to_owned(),
        json!({"include_usage": false, "include_obfuscation": false}),
    );

    let answer = organization.chat(&key).send(&body).await.expect(200);

    assert!(
        sse::chunks(&answer.body)
            .iter()
            .all(|chunk| chunk.get("usage").is_none()),
        "{}",
        answer.text()
    );
    let sent = upstream.only().json();
    assert_eq!(
        sent.get("stream_options"),
        Some(&json!({"include_usage": true, "include_obfuscation": false}))
    );
}

#[tokio::test]
async fn line_ends_and_splits_of_any_kind_make_no_difference() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let whole = format!("{}{}{}{}{DONE}", content("é"), content("😀b"), finish(), usage(9, 3));
    let in_bytes: Vec<Vec<u8>> = whole.bytes().map(|byte| vec![byte]).collect();
    let crlf = whole.replace('\n', "\r\n");
    let scripts = [
        ("single bytes", Script::stream(in_bytes)),
        ("carriage returns", Script::stream([crlf.as_bytes()])),
        (
            "carriage returns in single bytes",
            Script::stream(crlf.bytes().map(|byte| vec![byte])),
        ),
        (
            "no space after the colon",
            Script::stream([whole.replace("data: ", "data:").as_bytes()]),
        ),
        (
            "all but the first byte",
            Script::stream([&whole.as_bytes()[..1], &whole.as_bytes()[1..]]),
        ),
        (
            "a last event without its blank line",
            Script::stream([whole.trim_end().as_bytes()]),
        ),
    ];

    for (name, script) in scripts {
        upstream.on("m", script);
        let answer = organization.chat(&key).ask_stream("m").await.expect(200);
        assert_eq!(sse::text(&answer.body), "é😀b", "{name}");
        assert!(sse::is_done(&answer.body), "{name}: {}", answer.text());
        let row = organization.usage(&request_id(&answer)).await;
        assert_eq!(
            quantities(&row.lines),
            [(UsageUnit::InputUncached, 9), (UsageUnit::OutputText, 3)],
            "{name}"
        );
        assert_eq!(row.outcome, Outcome::Complete, "{name}");
    }
}

#[tokio::test]
async fn an_end_mark_that_the_provider_forgot_is_added() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    upstream.on("m", Script::stream([content("a"), finish(), usage(9, 1)]));

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    assert!(sse::is_done(&answer.body), "{}", answer.text());
    assert_eq!(
        organization.usage(&request_id(&answer)).await.outcome,
        Outcome::Complete
    );
}

#[tokio::test]
async fn usage_told_several_times_is_taken_from_the_last() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let told = |text: &str, completion: u64| {
        sse::data(&json!({"choices": [{"index": 0, "delta": {"content": text}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": completion, "total_tokens": 5 + completion}}))
    };
    upstream.on(
        "m",
        Script::stream([told("a", 1), told("b", 2), told("c", 3), finish(), DONE.to_owned()]),
    );

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        quantities(&row.lines),
        [(UsageUnit::InputUncached, 5), (UsageUnit::OutputText, 3)]
    );
}

#[tokio::test]
async fn the_cost_stands_in_a_comment_before_the_end_mark() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    organization
        .price("up", "priced", &json!({"input": "1", "output": "2"}))
        .await;
    organization.model("priced", "up/priced", &json!({})).await;
    organization.model("unpriced", "up/unpriced", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["priced", "unpriced"]).await;

    for (model, told) in [
        ("priced", ": x-gw-cost-usd: 0.000013"),
        ("unpriced", ": x-gw-cost-usd: unpriced"),
    ] {
        let answer = organization.chat(&key).ask_stream(model).await.expect(200);
        assert!(
            answer.text().ends_with(&format!("\n\n{told}\n\n{DONE}")),
            "{}",
            answer.text()
        );
        assert_eq!(
            answer.headers.get("x-gw-cost-usd"),
            None,
            "it is not known when the stream begins"
        );
    }
}

#[tokio::test]
async fn each_piece_leaves_as_soon_as_it_arrives() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let pause = Duration::from_millis(150);
    let paced = (0..5).fold(Script::stream::<&str>([]), |script, _| {
        script.send(content("a")).wait(pause)
    });
    upstream.on("m", paced.send(finish()).send(DONE));

    let mut stream = organization.chat(&key).begin(&streaming("m")).await;
    let mut arrivals = Vec::new();
    while let Some(piece) = stream.connection.piece().await.expect("the stream goes on") {
        if String::from_utf8_lossy(&piece).contains("\"a\"") {
            arrivals.push(Instant::now());
        }
    }

    assert_eq!(arrivals.len(), 5, "each in a piece of its own");
    let whole = arrivals
        .last()
        .zip(arrivals.first())
        .map(|(last, first)| *last - *first)
        .expect("there are five");
    assert!(whole >= pause * 3, "they were held back: {whole:?}");
}

#[tokio::test]
async fn many_streams_at_once_do_not_mix() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let mut streams = tokio::task::JoinSet::new();
    for number in 0..60 {
        let chat: Chat = organization.chat_at(number % organization.nodes.len(), &key);
        streams.spawn(async move {
            let words = format!("number {number} [[sandbox chunks=20 chunk_delay=10ms]]");
            let body = json!({"model": "echo", "stream": true, "messages": [{"role": "user", "content": words}]});
            let answer = chat.send(&body).await.expect(200);
            assert!(sse::is_done(&answer.body));
            let text = sse::text(&answer.body);
            assert!(text.starts_with(&format!("You said \"number {number}\".")), "{text}");
        });
    }
    while let Some(done) = streams.join_next().await {
        done.expect("a stream is as it should be");
    }
}
