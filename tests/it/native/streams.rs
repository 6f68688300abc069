//! Native calls that are answered in a stream, or slowly.

use std::time::Duration;

use gatewright_types::UsageUnit;
use gatewright_types::api::Outcome;
use harness::chat::request_id;
use harness::http::Connection;
use harness::sse;
use harness::upstream::{Ending, Script, Upstream};

use super::{lines, organization, post, request};

#[tokio::test]
async fn streams_pass_as_they_come_and_are_metered_by_what_they_say() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let pieces = [
        ": a comment of the provider's\n\n".to_owned(),
        sse::content("Hel"),
        sse::content("lo."),
        sse::finish(),
        sse::usage(11, 4),
        sse::DONE.to_owned(),
    ];
    upstream.on("m", Script::stream(&pieces));

    let answer = post(
        &organization,
        &key,
        "/native/up/chat/completions",
        r#"{"model":"m","stream":true}"#,
    )
    .await;

    let answer = answer.expect(200);
    assert_eq!(answer.text(), pieces.concat());
    assert_eq!(answer.headers.need("content-type"), "text/event-stream");
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        lines(&row),
        [(UsageUnit::InputUncached, 11), (UsageUnit::OutputText, 4)]
    );
    assert_eq!(
        (row.stream, row.estimated, row.outcome),
        (true, false, Outcome::Complete)
    );
    assert!(row.first_token_ms.is_some());
}

#[tokio::test]
async fn a_stream_that_tells_no_usage_is_estimated_and_one_that_breaks_breaks_for_the_caller() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Say hello."}]}"#;
    let whole = Script::stream([sse::content("Hel"), sse::content("lo."), sse::finish()]);
    upstream.on("m", whole.send(sse::DONE));
    let untold = post(&organization, &key, "/native/up/chat/completions", body)
        .await
        .expect(200);
    upstream.on("m", Script::stream([sse::content("Hel")]).cut());
    let cut = request(&key, "POST", "/native/up/chat/completions", body);
    let cut = cut.send(organization.chat(&key).address).await;

    let row = organization.usage(&request_id(&untold)).await;
    assert_eq!(
        lines(&row),
        [(UsageUnit::InputUncached, 10), (UsageUnit::OutputText, 2)]
    );
    assert!(row.estimated && row.cost.is_some_and(|cost| cost.amount.get() > 0));
    assert!(cut.is_err(), "{cut:?}");
    organization.usage_settles().await;
    let rows = organization.rows().await;
    let row = rows
        .iter()
        .find(|row| row.outcome == Outcome::Cut)
        .expect("a row that was cut");
    assert_eq!(
        (row.code.as_deref(), lines(row)),
        (
            Some("upstream_error"),
            vec![(UsageUnit::InputUncached, 10), (UsageUnit::OutputText, 1)]
        )
    );
}

#[tokio::test]
async fn a_caller_who_hangs_up_ends_the_native_call() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    upstream.on("m", Script::stream([sse::content("Hel")]).stall());
    let request = request(
        &key,
        "POST",
        "/native/up/chat/completions",
        r#"{"model":"m","stream":true}"#,
    );

    let mut connection = Connection::open(organization.chat(&key).address)
        .await
        .expect("the node listens");
    connection.write(&request.encode()).await.expect("the node reads");
    connection.answer_head().await.expect("a head");
    connection.piece().await.expect("a piece");
    drop(connection);

    assert_eq!(upstream.ending().await, Ending::PeerGone);
    let row = organization.only_usage().await;
    assert_eq!((row.outcome, row.estimated), (Outcome::ClientGone, true));
    assert!(row.cost.is_some_and(|cost| cost.amount.get() > 0));
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_and_not_filled() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let said = Script::stream(["data: x\n\n"])
        .wait(Duration::from_millis(1500))
        .send("data: y\n\n");
    upstream.on("/v1/odd", said);

    let answer = post(&organization, &key, "/native/up/odd", "").await.expect(200);

    assert_eq!(answer.text(), "data: x\n\ndata: y\n\n");
}
