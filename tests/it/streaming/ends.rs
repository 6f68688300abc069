//! How streams end: broken off by the provider or by the caller, with an error, or at their mark.

use gatewright_types::UsageUnit;
use gatewright_types::api::Outcome;
use harness::chat::{self, request_id, streaming};
use harness::sse::{self, DONE, content, finish, usage};
use harness::upstream::{Ending, Script, Upstream};
use serde_json::{Value, json};

use super::{last_error, one_model, quantities};

#[tokio::test]
async fn a_stream_that_breaks_before_its_first_token_failed() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let role = sse::data(&json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}));
    let told = sse::data(&json!({"error": {"message": "overloaded", "type": "server_error", "code": 500}}));
    let scripts = [
        ("cut", Script::stream([role.as_str()]).cut(), "upstream_error"),
        ("ended", Script::stream([role.as_str()]), "upstream_error"),
        ("error", Script::stream([role.as_str(), &told]), "upstream_error"),
        (
            "malformed",
            Script::stream([role.as_str(), "data: {\"choices\":[{\"del\n\n"]),
            "upstream_error",
        ),
    ];

    for (name, script, code) in scripts {
        upstream.on("m", script);
        let answer = organization.chat(&key).ask_stream("m").await;
        chat::refused(&answer, 502, code);
        let row = organization.usage(&request_id(&answer)).await;
        assert_eq!(
            (row.outcome, row.status, row.code.as_deref()),
            (Outcome::Failed, 502, Some(code)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_breaks_in_its_answer_is_cut_and_estimated() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let told = sse::data(&json!({"error": {"message": "broke", "type": "server_error", "code": null}}));
    let scripts = [
        ("cut", Script::stream([content("a"), content("b")]).cut()),
        ("ended", Script::stream([content("a"), content("b")])),
        ("error", Script::stream([content("a"), content("b"), told])),
        (
            "malformed",
            Script::stream([content("a"), content("b"), "data: nonsense\n\n".to_owned()]),
        ),
        (
            "half an event",
            Script::stream([content("a"), content("b"), "data: {\"choices\":[{\"delta\":".to_owned()]).cut(),
        ),
    ];

    for (name, script) in scripts {
        upstream.on("m", script);
        let answer = organization.chat(&key).ask_stream("m").await.expect(200);
        assert!(
            answer.text().starts_with("data: "),
            "{name}: what came before the break is passed on"
        );
        let text: String = sse::chunks(&answer.body)
            .iter()
            .filter_map(|chunk| {
                chunk
                    .pointer("/choices/0/delta/content")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            })
            .collect();
        assert_eq!(text, "ab", "{name}");
        assert_eq!(
            last_error(&answer).get("code"),
            Some(&json!("upstream_error")),
            "{name}"
        );
        let row = organization.usage(&request_id(&answer)).await;
        assert_eq!((row.outcome, row.estimated), (Outcome::Cut, true), "{name}");
        let output = row
            .lines
            .iter()
            .find(|line| line.unit == UsageUnit::OutputText)
            .map(|line| line.quantity);
        assert_eq!(output, Some(1), "{name}: what came, \"ab\", is one token");
    }
}

#[tokio::test]
async fn an_error_before_the_stream_begins_is_a_plain_error_answer() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    upstream.on(
        "m",
        Script::json(500, &json!({"error": {"message": "boom", "type": "t", "code": null}})),
    );

    let answer = organization.chat(&key).ask_stream("m").await;

    chat::refused(&answer, 502, "upstream_error");
}

#[tokio::test]
async fn a_caller_who_hangs_up_ends_the_call_to_the_provider() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    upstream.on("m", Script::stream([content("a"), content("b")]).stall());

    let mut stream = organization.chat(&key).begin(&streaming("m")).await;
    stream.until("\"b\"").await;
    drop(stream);

    assert_eq!(upstream.ending().await, Ending::PeerGone);
    let row = organization.only_usage().await;
    assert_eq!(
        (row.outcome, row.status, row.estimated),
        (Outcome::ClientGone, 499, true)
    );
    let output = row
        .lines
        .iter()
        .find(|line| line.unit == UsageUnit::OutputText)
        .map(|line| line.quantity);
    // What came, "ab", is one token.
    assert_eq!(output, Some(1));
}

#[tokio::test]
async fn a_caller_who_hangs_up_before_the_first_token_ends_the_call_too() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    upstream.on("m", Script::silent());

    let mut stream = organization.chat(&key).begin(&streaming("m")).await;
    stream.until("keepalive").await;
    drop(stream);

    assert_eq!(upstream.ending().await, Ending::PeerGone);
    assert_eq!(organization.only_usage().await.outcome, Outcome::ClientGone);
}

/// Client libraries stop reading there, and some providers keep the answer open for a while.
#[tokio::test]
async fn a_stream_is_over_at_its_end_mark_however_long_the_provider_keeps_it_open() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let pieces = [content("a"), finish(), usage(9, 2), DONE.to_owned()];
    upstream.on("m", Script::stream(pieces).stall());

    let mut stream = organization.chat(&key).begin(&streaming("m")).await;
    stream.until(DONE).await;
    drop(stream);

    let row = organization.only_usage().await;
    assert_eq!(
        (row.outcome, row.status, row.estimated),
        (Outcome::Complete, 200, false)
    );
    assert_eq!(
        quantities(&row.lines),
        [(UsageUnit::InputUncached, 9), (UsageUnit::OutputText, 2)]
    );
}

#[tokio::test]
async fn a_provider_that_never_closes_an_answer_does_not_keep_the_caller_waiting() {
    let upstream = Upstream::start().await;
    let (organization, key) = one_model(&upstream).await;
    let pieces = [content("a"), finish(), DONE.to_owned()];
    upstream.on("m", Script::stream(pieces).stall());

    let answer = organization.chat(&key).ask_stream("m").await.expect(200);

    assert!(sse::is_done(&answer.body));
    assert_eq!(upstream.ending().await, Ending::PeerGone);
}
