//! Input that no good client sends. Every case ends in a clear 4xx in the shape of the address it was sent to, never in a
//! 5xx, a hang or memory without bound.

mod control_api;
mod wire;

use std::time::Duration;

use gatewright_types::ProblemCode;
use harness::api;
use harness::chat;
use harness::http::{Connection, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::Upstream;
use serde_json::{Value, json};

async fn one_model() -> (Organization, Key, Upstream) {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    (organization, key, upstream)
}

fn chat_request(key: &Key, body: Vec<u8>) -> Request {
    let request =
        Request::new("POST", "/v1/chat/completions").header("authorization", &format!("Bearer {}", key.secret));
    request.bytes("application/json", body)
}

#[tokio::test]
async fn bodies_that_are_no_chat_request_are_refused_in_openais_envelope() {
    let (organization, key, upstream) = one_model().await;
    let messages = r#""messages":[{"role":"user","content":"x"}]"#;
    let cases: Vec<(Vec<u8>, u16, Option<&str>)> = vec![
        (b"".to_vec(), 400, None),
        (b"   ".to_vec(), 400, None),
        (b"null".to_vec(), 400, None),
        (b"[]".to_vec(), 400, None),
        (b"{".to_vec(), 400, None),
        (b"{}".to_vec(), 400, Some("model")),
        (b"{\"model\":\"m\"}".to_vec(), 400, Some("messages")),
        (format!("{{{messages}}}").into_bytes(), 400, Some("model")),
        (format!("{{\"model\":\"m\",{messages}").into_bytes(), 400, None),
        (format!("{{\"model\":\"m\",{messages}}}}}").into_bytes(), 400, None),
        (format!("{{\"model\":\"m\",{messages},}}").into_bytes(), 400, None),
        (format!("{{'model':\"m\",{messages}}}").into_bytes(), 400, None),
        (format!("{{\"model\":7,{messages}}}").into_bytes(), 400, Some("model")),
        (
            format!("{{\"model\":null,{messages}}}").into_bytes(),
            400,
            Some("model"),
        ),
        (
            format!("{{\"model\":\"\",{messages}}}").into_bytes(),
            400,
            Some("model"),
        ),
        (
            format!("{{\"model\":\"m\",\"model\":\"n\",{messages}}}").into_bytes(),
            400,
            Some("model"),
        ),
        (
            format!("{{\"model\":\"m\",\"stream\":\"yes\",{messages}}}").into_bytes(),
            400,
            Some("stream"),
        ),
        (
            b"{\"model\":\"m\",\"messages\":\"hello\"}".to_vec(),
            400,
            Some("messages"),
        ),
        (b"{\"model\":\"m\",\"messages\":[]}".to_vec(), 400, Some("messages")),
        (
            format!("{{\"model\":\"m\",\"stream\":true,\"stream_options\":7,{messages}}}").into_bytes(),
            400,
            Some("stream_options"),
        ),
        (
            format!("{{\"model\":\"m\",{messages},\"x\":\"\u{1}\"}}").into_bytes(),
            400,
            None,
        ),
        (
            [
                b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"".as_slice(),
                &[0xff, 0xfe],
                b"\"}]}",
            ]
            .concat(),
            400,
            None,
        ),
        (
            [b"{\"model\":\"m\",\"x\":".as_slice(), &b"[".repeat(100_000)].concat(),
            400,
            None,
        ),
        (
            [
                b"{\"model\":\"m\",\"x\":".as_slice(),
                &b"{\"a\":".repeat(100_000),
                b"1",
                &b"}".repeat(100_000),
                b"}",
            ]
            .concat(),
            400,
            None,
        ),
    ];

    for (body, status, param) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = chat_request(&key, body)
            .send(organization.chat(&key).address)
            .await
            .expect(&shown);
        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
        let error = chat::refused(&answer, status, "invalid_request");
        assert_eq!(error.get("param").and_then(Value::as_str), param, "{shown}: {error}");
        assert_eq!(error.get("type"), Some(&json!("invalid_request_error")));
    }
    assert!(upstream.seen().is_empty(), "nothing of it reached the provider");
}

#[tokio::test]
async fn model_names_that_play_tricks_are_models_that_do_not_exist() {
    let (organization, key, upstream) = one_model().await;
    let long = "m".repeat(100_000);
    for name in [
        "../m",
        "m/../m",
        "%2e%2e/m",
        "m%2f",
        "m\0",
        "m\r\nx-evil: 1",
        "m?x=1",
        "M",
        " m",
        "m ",
        "\u{1f600}",
        &long,
    ] {
        let answer = organization.chat(&key).ask(name).await;
        assert!(matches!(answer.status, 400 | 404), "{name:?}: {}", answer.text());
        let error = chat::error(&answer);
        assert_eq!(error.get("param"), Some(&json!("model")), "{name:?}");
        assert!(
            answer.body.len() < 2_000,
            "a long name is not echoed: {} bytes",
            answer.body.len()
        );
    }
    for tail in [
        "../m",
        "%2e%2e/m",
        "m%2f..",
        "m%00",
        "..%2f..%2fetc%2fpasswd",
        "%ff",
        &long[..6_000],
    ] {
        let request = Request::new("GET", &format!("/v1/models/{tail}")).header("x-api-key", &key.secret);
        let answer = request.send(organization.chat(&key).address).await.expect("an answer");
        assert!(
            matches!(answer.status, 400 | 404),
            "{tail:?}: {} {}",
            answer.status,
            answer.text()
        );
        if !answer.body.is_empty() {
            chat::error(&answer);
        }
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_told_in_the_shape_of_their_neighbours() {
    let (organization, key, _upstream) = one_model().await;
    let installation = Installation::shared().await;
    let data_plane = organization.chat(&key).address;
    let ask = |method: &'static str, target: &'static str| {
        let request = Request::new(method, target).header("authorization", &format!("Bearer {}", key.secret));
        async move { request.send(data_plane).await.expect("an answer") }
    };

    for (method, target) in [
        ("GET", "/v1/chat/completions"),
        ("DELETE", "/v1/chat/completions"),
        ("PUT", "/v1/models"),
        ("POST", "/v1/nothing"),
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/v1/chat/../models/../../api"),
        ("POST", "/v1/chat/completions/"),
        ("POST", "/v1//chat/completions"),
    ] {
        let answer = ask(method, target).await;
        assert!(
            matches!(answer.status, 404 | 405),
            "{method} {target}: {}",
            answer.status
        );
        let error = chat::error(&answer);
        let code = if answer.status == 404 {
            "not_found"
        } else {
            "method_not_allowed"
        };
        assert_eq!(
            error.get("code").and_then(Value::as_str),
            Some(code),
            "{method} {target}"
        );
        answer.headers.need("x-gw-request-id");
        assert_eq!(answer.headers.need("x-gw-cost-usd"), "0.00");
    }

    let root = installation.root().await;
    for path in [
        "/nothing",
        "/organizations/a/b/c",
        "/organizations//keys",
        "/../v1/models",
    ] {
        api::refused(&root.get(path).await, 404, ProblemCode::NotFound);
    }
    for (method, path) in [("PUT", "/setup"), ("DELETE", "/organizations"), ("POST", "/sessions")] {
        api::refused(&root.send(method, path, None).await, 405, ProblemCode::MethodNotAllowed);
    }
}

#[tokio::test]
async fn strangers_are_refused_before_their_body_is_read() {
    let installation = Installation::shared().await;
    let address = *installation.data_planes().first().expect("there is a data plane");
    let request = Request::new("POST", "/v1/chat/completions").header("content-type", "application/json");
    let mut connection = Connection::open(address).await.expect("the node listens");

    connection
        .write(&request.encode_head(Some(30 << 20)))
        .await
        .expect("the head is read");

    let answer = tokio::time::timeout(Duration::from_secs(10), connection.answer()).await;
    chat::refused(&answer.expect("at once").expect("an answer"), 401, "invalid_api_key");
}
