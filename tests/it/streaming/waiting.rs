//! Streams in which nothing comes for a while: keepalives, and how long is waited.

use std::time::Duration;

use gatewright_types::api::Outcome;
use harness::chat::request_id;
use harness::sse::{self, DONE, content, finish, usage};
use harness::upstream::{Ending, Script, Upstream};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{last_error, one_model, with_timeouts};

#[tokio::test]
async fn a_silent_stream_is_kept_alive_before_the_first_token_and_between_tokens() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let pause = Duration::from_millis(1_000);
    let slow = Script::stream::<&str>([])
        .after(pause)
        .send(content("a"))
        .wait(pause)
        .send(content("b"));
    upstream.on("m", slow.send(finish()).send(usage(9, 2)).send(DONE));

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    let text = answer.text();
    let (before, rest) = text.split_once("\"a\"").expect("the first token");
    let (between, _) = rest.split_once("\"b\"").expect("the second token");
    for (place, silence) in [("before the first token", before), ("between tokens", between)] {
        let count = silence.matches(": keepalive\n\n").count();
        assert!((2..=4).contains(&count), "{count} comments {place}: {text}");
    }
    assert_eq!(sse::text(&answer.body), "ab");
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(row.outcome, Outcome::Complete);
    assert!(row.first_token_ms.is_some_and(|millis| millis >= 1_000), "{row:?}");
}

#[tokio::test]
async fn an_error_after_keepalives_is_told_in_the_stream() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let error = Script::json(
        429,
        &json!({"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}),
    );
    upstream.on("m", error.after(Duration::from_millis(700)));

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    assert!(answer.text().starts_with(": keepalive\n\n"), "{}", answer.text());
    assert_eq!(last_error(&answer).get("code"), Some(&json!("rate_limit_exceeded")));
    assert_eq!(answer.headers.need("x-gw-provider"), "none");
    let named = ": x-gw-provider: up\n: x-gw-model: m\n: x-gw-attempts: 1\n";
    assert!(answer.text().contains(named), "{}", answer.text());
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!((row.outcome, row.status), (Outcome::Failed, 429));
}

#[tokio::test]
async fn a_stream_without_a_first_token_in_time_ends_with_a_timeout() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_timeouts(&upstream, &json!({"first_token": "800ms"})).await;
    upstream.on("m", Script::silent());

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    assert_eq!(last_error(&answer).get("code"), Some(&json!("upstream_timeout")));
    assert_eq!(upstream.ending().await, Ending::PeerGone);
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.outcome, row.status, row.code.as_deref()),
        (Outcome::Failed, 504, Some("upstream_timeout"))
    );
}

#[tokio::test]
async fn a_stream_that_stalls_between_tokens_ends_with_a_timeout_despite_keepalives() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_timeouts(&upstream, &json!({"between_tokens": "900ms"})).await;
    upstream.on("m", Script::stream([content("a")]).stall());
    let began = Instant::now();

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    let took = began.elapsed();
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(10)).contains(&took),
        "{took:?}"
    );
    assert!(answer.text().contains(": keepalive\n\n"));
    assert_eq!(last_error(&answer).get("code"), Some(&json!("upstream_timeout")));
    assert_eq!(upstream.ending().await, Ending::PeerGone);
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!((row.outcome, row.status, row.estimated), (Outcome::Cut, 504, true));
}

#[tokio::test]
async fn a_stream_that_flows_is_not_cut_by_the_limit_of_the_whole() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_timeouts(&upstream, &json!({"total": "900ms"})).await;
    let long = (0..40).fold(Script::stream::<&str>([]), |script, _| {
        script.send(content("a")).wait(Duration::from_millis(50))
    });
    upstream.on("m", long.send(finish()).send(usage(9, 40)).send(DONE));
    let began = Instant::now();

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(sse::text(&answer.body), "a".repeat(40));
    assert_eq!(
        organization.usage(&request_id(&answer)).await.outcome,
        Outcome::Complete
    );
}

#[tokio::test]
async fn a_stream_has_its_first_token_within_the_limit_of_the_whole() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_timeouts(&upstream, &json!({"total": "900ms"})).await;
    upstream.on("m", Script::silent());

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    let error = last_error(&answer);
    assert_eq!(error.get("code"), Some(&json!("upstream_timeout")));
    let told = error.get("message").and_then(Value::as_str).expect("a message");
    assert!(
        told.contains("within 900ms, the limit timeouts.total of the model"),
        "{told}"
    );
    assert_eq!(upstream.ending().await, Ending::PeerGone);
}
