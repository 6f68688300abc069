//! Input that no good client sends. Every case ends in a clear 4xx in the shape of the address it was sent to, never in a
//! 5xx, a hang or memory without bound.

use std::time::Duration;

use gatewright_types::ProblemCode;
use harness::api::{self, Api};
use harness::chat::{self, question};
use harness::http::{Connection, Request};
use harness::installation::{Installation, Options};
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

#[tokio::test]
async fn a_body_that_breaks_off_costs_nothing_and_is_counted() {
    let (organization, key, upstream) = one_model().await;
    let request = chat_request(&key, question("m").to_string().into_bytes());
    let mut connection = Connection::open(organization.chat(&key).address)
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
    drop(connection);

    let row = organization.only_usage().await;
    assert!(matches!(row.status, 400 | 499), "{row:?}");
    assert_eq!((row.attempts, row.lines), (0, vec![]));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_body_without_progress_is_given_up() {
    let (organization, key, _upstream) = one_model().await;
    let request = chat_request(&key, question("m").to_string().into_bytes());
    let mut connection = Connection::open(organization.chat(&key).address)
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
async fn the_control_api_refuses_bad_bodies_with_the_path_of_each_mistake() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let owner = &organization.owner;

    let wrong = json!({"name": "", "kind": "opnai", "base_url": 7, "credentials": [{"name": "a"}], "extra": 1});
    let answer = owner.post(&organization.path("/providers"), &wrong).await;
    let problem = api::refused(&answer, 422, ProblemCode::Invalid);
    let fields: Vec<_> = problem.fields.keys().map(String::as_str).collect();
    assert_eq!(fields, ["base_url", "credentials[0].api_key", "extra", "kind", "name"]);

    let wrong = json!({"name": "a", "kind": "azure", "base_url": "https://r.openai.azure.com", "region": "a/b",
        "headers": {"Authorization": "x", "x-a": "b\r\nhost: c"}, "deployments": {"m": "../n"}, "credentials": [
            {"name": "a", "api_key": "k", "entra": {"tenant_id": "t", "client_id": "c"}}]});
    let answer = owner.post(&organization.path("/providers"), &wrong).await;
    let problem = api::refused(&answer, 422, ProblemCode::Invalid);
    let fields: Vec<_> = problem.fields.keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "credentials[0].entra",
            "credentials[0].entra.client_secret",
            "deployments.m",
            "headers.Authorization",
            "headers.x-a",
            "region"
        ]
    );
    let wrong = json!({"name": "a", "kind": "openai", "project": "p", "credentials": [
        {"name": "a", "aws": {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s"}}]});
    let answer = owner.post(&organization.path("/providers"), &wrong).await;
    let problem = api::refused(&answer, 422, ProblemCode::Invalid);
    let fields: Vec<_> = problem.fields.keys().map(String::as_str).collect();
    assert_eq!(fields, ["credentials[0].aws", "project"]);

    let send = |body: Vec<u8>| {
        let request = Request::new("POST", &format!("/api/v1{}", organization.path("/teams")));
        let request = owner.caller.sign(request.bytes("application/json", body));
        async move { request.send(owner.address).await.expect("an answer") }
    };
    for body in [b"".to_vec(), b"{".to_vec(), vec![0xff, 0xfe], b"[".repeat(100_000)] {
        api::refused(&send(body).await, 400, ProblemCode::BadRequest);
    }
    for body in [
        &b"[]"[..],
        b"null",
        b"\"x\"",
        b"{}",
        b"{\"name\":7}",
        b"{\"name\":\"\\u0000\"}",
    ] {
        api::refused(&send(body.to_vec()).await, 422, ProblemCode::Invalid);
    }
    let large = json!({"name": "x".repeat(2 << 20)}).to_string().into_bytes();
    api::refused(&send(large).await, 413, ProblemCode::PayloadTooLarge);
}

#[tokio::test]
async fn identifiers_and_cursors_that_play_tricks_find_nothing() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let owner = &organization.owner;
    let long = "k".repeat(5_000);
    for id in [
        "key_1",
        "..",
        "%2e%2e",
        "..%2fteams",
        "key_%00",
        "team_0198c0de00007000800000000000002a",
        "%ff",
        "'%20or%201=1",
        &long,
    ] {
        let answer = owner.get(&organization.path(&format!("/keys/{id}"))).await;
        assert!(
            matches!(answer.status, 404 | 414),
            "{id}: {} {}",
            answer.status,
            answer.text()
        );
        if answer.status == 404 {
            api::refused(&answer, 404, ProblemCode::NotFound);
        }
    }
    for slug in ["..", "%2e%2e", "nobody", "ROOT", "a%00b", "%ff", "'%20or%201=1"] {
        api::refused(
            &owner.get(&format!("/organizations/{slug}")).await,
            404,
            ProblemCode::NotFound,
        );
    }
    for query in [
        "limit=x",
        "limit=-1",
        "limit=99999999999",
        "cursor=%00",
        "cursor=nonsense",
        "nonsense=1",
        "limit=1&limit=%ff",
    ] {
        let answer = owner.get(&organization.path(&format!("/keys?{query}"))).await;
        assert!(
            matches!(answer.status, 400 | 422),
            "{query}: {} {}",
            answer.status,
            answer.text()
        );
        api::problem(&answer);
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

#[tokio::test]
async fn provider_addresses_that_would_reach_into_the_network_are_refused() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    for url in [
        "http://169.254.169.254/latest",
        "http://[fd00:ec2::254]/",
        "http://metadata@169.254.169.254/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "//example.com",
        "https://user:secret@example.com/v1",
        "https://example.com/v1?key=1",
        "not a url",
    ] {
        let body = json!({"name": "up", "kind": "openai-compatible", "base_url": url, "credentials": []});
        let answer = organization.owner.post(&organization.path("/providers"), &body).await;
        let problem = api::refused(&answer, 422, ProblemCode::Invalid);
        assert!(problem.fields.contains_key("base_url"), "{url}: {problem:?}");
    }
}

#[tokio::test]
async fn a_cluster_takes_private_provider_addresses_only_when_it_was_told_so() {
    let options = Options {
        environment: vec![("GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS", "false".to_owned())],
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let root: Api = installation.root_token();

    for url in [
        "http://127.0.0.1:9/v1",
        "http://localhost:9/v1",
        "http://10.0.0.1/v1",
        "https://192.168.1.1/v1",
        "http://[::1]/v1",
    ] {
        let body = json!({"name": "up", "kind": "openai-compatible", "base_url": url, "credentials": []});
        let answer = root.post("/organizations/root/providers", &body).await;
        let problem = api::refused(&answer, 422, ProblemCode::Invalid);
        assert!(problem.fields.contains_key("base_url"), "{url}: {problem:?}");
    }
}
