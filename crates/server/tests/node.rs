//! A whole single node within the test's process, on free ports.

use std::path::Path;

use gatewright_proxy::Tracing;
use gatewright_server::env::{self, Settings, Strings};
use gatewright_server::{Running, StartError, Welcome, start};
use serde_json::{Value, json};

fn settings(data: &Path) -> Settings {
    let data = data.to_string_lossy();
    let strings = Strings::from([
        ("GATEWRIGHT_LISTEN", "127.0.0.1:0"),
        ("GATEWRIGHT_ADMIN_LISTEN", "127.0.0.1:0"),
        ("GATEWRIGHT_DATA_DIR", &*data),
        ("GATEWRIGHT_WORKERS", "1"),
    ]);
    env::read(&strings).expect("right")
}

async fn started(data: &Path) -> Running {
    Box::pin(start(settings(data), Tracing::default(), Welcome::Playground))
        .await
        .expect("it starts")
}

async fn get(url: String) -> (u16, String) {
    let response = reqwest::get(url).await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_gives_a_setup_link_and_a_key_that_works() {
    let data = tempfile::tempdir().expect("a directory");
    let node = started(data.path()).await;
    let link = node.setup_link.clone().expect("nobody has an account yet");
    let key = node.playground_key.clone().expect("it is the first run");

    assert!(
        link.starts_with(&format!("http://{}/setup#token=", node.public_address)),
        "{link}"
    );
    let body = json!({"model": "sandbox-small", "messages": [{"role": "user", "content": "Hello"}]});
    let answer = reqwest::Client::new()
        .post(format!("http://{}/v1/chat/completions", node.public_address))
        .bearer_auth(key.expose())
        .body(body.to_string())
        .send()
        .await
        .expect("an answer");
    let status = answer.status().as_u16();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(
        (status, &answer["object"]),
        (200, &json!("chat.completion")),
        "{answer}"
    );

    let (status, ready) = get(format!("http://{}/readyz", node.public_address)).await;
    assert_eq!(status, 200, "{ready}");
    let (status, metrics) = get(format!("http://{}/metrics", node.admin_address)).await;
    assert_eq!(status, 200);
    assert!(metrics.contains("\ngatewright_config_keys 1\n"), "{metrics}");
    let (status, fleet) = get(format!("http://{}/fleet", node.admin_address)).await;
    assert_eq!(status, 200);
    assert!(fleet.contains("\"role\":\"solo\""), "{fleet}");

    node.stop().await;
    let again = started(data.path()).await;
    assert!(again.setup_link.is_some_and(|second| second != link));
    assert!(again.playground_key.is_none(), "the playground's key exists already");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_is_refused() {
    let data = tempfile::tempdir().expect("a directory");
    let node = started(data.path()).await;

    let second = Box::pin(start(settings(data.path()), Tracing::default(), Welcome::Nothing)).await;

    assert!(matches!(second, Err(StartError::DataDirectory(_))), "{second:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_answers_nobody() {
    let data = tempfile::tempdir().expect("a directory");
    let node = started(data.path()).await;
    let (public, admin) = (node.public_address, node.admin_address);

    node.stop().await;

    for address in [public, admin] {
        assert!(
            tokio::net::TcpStream::connect(address).await.is_err(),
            "{address} still answers"
        );
    }
}
