//! What is wrong with a request before it is read: its size, its pace, its head.

use std::time::Duration;

use harness::chat::{self, question};
use harness::http::{Connection, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::Upstream;
use serde_json::json;

use super::{chat_request, one_model};

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_without_being_kept() {
    let installation = Installation::fresh().await;
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(&installation, &upstream, &["m"]).await;
    let node = installation
        .nodes
        .get(installation.first_data_plane())
        .expect("there is a data plane");
    let before = node.process.peak_memory_kb();
    let mut body = br#"{"model":"m","messages":[{"role":"user","content":""#.to_vec();
    body.resize(50 << 20, b'x');
    body.extend_from_slice(br#""}]}"#);

    let mut uploads = tokio::task::JoinSet::new();
    for announced in [true, false, true, false] {
        let (key, body, address) = (key.clone(), body.clone(), node.address);
        uploads.spawn(async move {
            let request = chat_request(&key, body);
            let mut connection = Connection::open(address).await.expect("the node listens");
            if announced {
                connection
                    .write(&request.encode_head(Some(request.body.len())))
                    .await
                    .expect("the head is read");
            } else {
                let head = request.header("transfer-encoding", "chunked");
                connection
                    .write(&head.encode_head(None))
                    .await
                    .expect("the head is read");
                let body = &head.body;
                for piece in body.chunks(1 << 20) {
                    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
                    if connection.write(&chunk).await.is_err() {
                        break;
                    }
                }
            }
            connection.answer().await.ok()
        });
    }
    let mut answered = 0;
    while let Some(answer) = uploads.join_next().await {
        // A peer that closes while the body still comes may cut its own answer off.
        if let Some(answer) = answer.expect("an upload ends") {
            chat::refused(&answer, 413, "request_too_large");
            answered += 1;
        }
    }

    assert!(answered >= 2, "whoever announces the length gets the answer");
    let grown = node.process.peak_memory_kb().saturating_sub(before);
    assert!(grown < 150 << 10, "four bodies of 50 MB cost {grown} kB");
    organization.chat(&key).ask("m").await.expect(200);
}

#[tokio::test]
async fn a_large_body_within_the_limit_passes() {
    let (organization, key, upstream) = one_model().await;
    let text = "x".repeat(20 << 20);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": text}]});

    organization.chat(&key).send(&body).await.expect(200);

    assert_eq!(upstream.only().body.len(), body.to_string().len());
}

/// A request of whose body only the beginning was sent.
async fn half_sent(organization: &Organization, key: &Key) -> Connection {
    let request = chat_request(key, question("m").to_string().into_bytes());
    let mut connection = Connection::open(organization.chat(key).address)
        .await
        .expect("the node listens");
    connection
        .write(&request.encode_head(Some(10_000)))
        .await
        .expect("the head is read");
    connection
        .write(b"{\"model\":")
        .await
        .expect("some of the body is read");
    connection
}

#[tokio::test]
async fn a_body_that_breaks_off_costs_nothing_and_is_counted() {
    let (organization, key, upstream) = one_model().await;

    drop(half_sent(&organization, &key).await);

    let row = organization.only_usage().await;
    assert!(matches!(row.status, 400 | 499), "{row:?}");
    assert_eq!((row.attempts, row.lines), (0, vec![]));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_body_without_progress_is_given_up() {
    let (organization, key, _upstream) = one_model().await;

    let mut connection = half_sent(&organization, &key).await;
    let answer = tokio::time::timeout(Duration::from_secs(45), connection.answer()).await;

    let answer = answer
        .expect("within 30 seconds and a little")
        .expect("an answer before the end");
    chat::refused(&answer, 408, "request_timeout");
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let installation = Installation::shared().await;
    let address = *installation.data_planes().first().expect("there is a data plane");
    let mut connection = Connection::open(address).await.expect("the node listens");

    connection
        .write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ")
        .await
        .expect("the node reads");

    let ended = tokio::time::timeout(Duration::from_secs(45), connection.closed()).await;
    ended.expect("the connection is closed within 30 seconds and a little");
}

#[tokio::test]
async fn heads_beyond_all_measure_are_refused() {
    let installation = Installation::shared().await;
    let address = *installation.data_planes().first().expect("there is a data plane");
    let many: String = (0..2_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "y".repeat(1 << 20));
    let mut outcomes = Vec::new();
    for flood in [many, long] {
        let mut connection = Connection::open(address).await.expect("the node listens");
        // The node may close before it has read everything.
        let _ = connection
            .write(format!("GET /v1/models HTTP/1.1\r\nhost: x\r\n{flood}\r\n").as_bytes())
            .await;
        outcomes.push(connection.answer().await.map(|answer| answer.status).ok());
    }

    for outcome in outcomes {
        assert!(outcome.is_none_or(|status| (400..500).contains(&status)), "{outcome:?}");
    }
    Request::new("GET", "/livez")
        .send(address)
        .await
        .expect("the node lives on")
        .expect(200);
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let installation = Installation::shared().await;
    let address = *installation.data_planes().first().expect("there is a data plane");
    for nonsense in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
    ] {
        let mut connection = Connection::open(address).await.expect("the node listens");
        connection.write(nonsense.as_bytes()).await.expect("the node reads");
        let answer = tokio::time::timeout(Duration::from_secs(45), connection.answer())
            .await
            .expect("no hang");
        let status = answer.map(|answer| answer.status).ok();
        assert!(
            status.is_none_or(|status| (400..500).contains(&status)),
            "{nonsense:?}: {status:?}"
        );
    }
}
