//! Ending in order: what runs is finished, what comes is refused, what was used is counted.

use std::time::Duration;

use harness::chat::{Chat, question, sandbox};
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::Organization;
use harness::wait::{SOON, eventually};
use serde_json::Value;

fn slow_stream() -> Value {
    let mut body = sandbox("echo", "chunks=12 chunk_delay=250ms");
    body.as_object_mut()
        .expect("an object")
        .insert("stream".to_owned(), Value::Bool(true));
    body
}

#[tokio::test]
async fn a_node_that_is_told_to_end_finishes_its_streams_refuses_new_work_and_ships_everything() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let first = installation.first_data_plane();
    let chat = organization.chat(&key);
    let mut stream = chat.begin(&slow_stream()).await;
    let request = stream.head.headers.need("x-gw-request-id").to_owned();
    stream.until("content\":\"You").await;

    let node = installation.nodes.get_mut(first).expect("there is a data plane");
    node.process.signal(rustix::process::Signal::TERM);
    eventually("the node takes no more work", SOON, async || {
        refuses(&chat).await.then_some(())
    })
    .await;
    let rest = stream.connection.rest().await.expect("the stream goes on to its end");

    assert!(String::from_utf8_lossy(&rest).ends_with("data: [DONE]\n\n"));
    let status = node.process.exit(Duration::from_secs(30)).await;
    assert_eq!(status.code(), Some(0), "{}", node.process.log());
    if installation.redis.is_none() {
        installation
            .nodes
            .get_mut(first)
            .expect("there is a data plane")
            .restart()
            .await;
    }
    assert_eq!(organization.usage(&request).await.status, 200);
}

/// Whether the node turns new requests away, by an answer or by not listening any more.
async fn refuses(chat: &Chat) -> bool {
    match chat.try_send(&question("echo")).await {
        Ok(answer) if answer.status == 503 => {
            harness::chat::refused(&answer, 503, "not_ready");
            true
        }
        Ok(answer) => {
            assert_eq!(answer.status, 200, "{}", answer.text());
            false
        }
        Err(_) => true,
    }
}

#[tokio::test]
async fn a_node_that_drains_says_that_it_is_not_ready() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let first = installation.first_data_plane();
    let mut stream = organization.chat(&key).begin(&slow_stream()).await;
    stream.until("content\":\"You").await;
    let node = installation.nodes.get_mut(first).expect("there is a data plane");

    node.process.signal(rustix::process::Signal::TERM);

    let address = node.address;
    eventually("readiness ends", Duration::from_secs(2), async || {
        match Request::new("GET", "/readyz").send(address).await {
            Ok(answer) => (answer.status == 503).then_some(()),
            Err(_) => Some(()),
        }
    })
    .await;
    stream.connection.rest().await.expect("the stream goes on to its end");
    assert_eq!(node.process.exit(Duration::from_secs(30)).await.code(), Some(0));
}

#[tokio::test]
async fn every_node_ends_at_once_when_it_has_nothing_to_do() {
    let mut installation = Installation::fresh().await;

    for node in &mut installation.nodes {
        node.process.signal(rustix::process::Signal::TERM);
        let status = node.process.exit(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(0), "{}", node.process.log());
    }
}

#[tokio::test]
async fn an_interrupt_ends_a_node_in_order_too() {
    let mut installation = Installation::fresh().await;
    let node = installation.control_node_mut();

    node.process.signal(rustix::process::Signal::INT);

    assert_eq!(
        node.process.exit(Duration::from_secs(10)).await.code(),
        Some(0),
        "{}",
        node.process.log()
    );
}
