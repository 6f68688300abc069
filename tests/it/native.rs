//! `/native/{provider}/…`: a provider's own addresses through the gateway, byte for byte, and metered all the same.

mod bedrock;
mod refusals;
mod streams;

use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, NativeDialect, Outcome, UsageRow};
use harness::chat::request_id;
use harness::http::{Answer, Connection, PATIENCE, Request};
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

const SECRET: &str = "sk-upstream-secret-0001";

async fn organization(upstream: &Upstream, kind: &str) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    organization.provider("up", kind, Some(&upstream.base_url())).await;
    organization.model("m", "up/m", &json!({})).await;
    // One that no name of the organization leads to.
    for model in ["m", "apart"] {
        organization
            .price("up", model, &json!({"input": "1000", "output": "2000"}))
            .await;
    }
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (organization, key)
}

fn request(key: &Key, method: &str, target: &str, body: &str) -> Request {
    Request::new(method, target)
        .header("authorization", &format!("Bearer {}", key.secret))
        .bytes("application/json", body.as_bytes().to_vec())
}

async fn send(organization: &Organization, key: &Key, request: Request) -> Answer {
    let sent = request.send(organization.chat(key).address).await;
    sent.expect("the data plane answers")
}

async fn post(organization: &Organization, key: &Key, target: &str, body: &str) -> Answer {
    send(organization, key, request(key, "POST", target, body)).await
}

fn lines(row: &UsageRow) -> Vec<(UsageUnit, u64)> {
    row.lines.iter().map(|line| (line.unit, line.quantity)).collect()
}

fn error_code(answer: &Answer) -> Value {
    answer.json().pointer("/error/code").cloned().unwrap_or_default()
}

#[tokio::test]
async fn request_and_answer_pass_byte_for_byte_and_are_priced() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let said = "{ \"id\":\"x\",\"usage\" : {\"prompt_tokens\":11, \"completion_tokens\":4},\"x\":1.50, \"x\":2 }\n";
    let script = Script::body(200, "application/json", said);
    upstream.on("apart", script.header("x-vendor", "1").header("set-cookie", "a=b"));
    let body = " {\"x\":1,\"x\":1.0, \"model\":\"apart\",\n\"messages\":[ ],\"future\":{\"a\":[null]}}";
    let request = request(&key, "POST", "/native/up/chat/completions?beta=true&x=%2F", body)
        .header("x-own", "kept")
        .header("x-gw-strict", "true");

    let answer = send(&organization, &key, request).await.expect(200);

    assert_eq!(answer.text(), said);
    assert_eq!(answer.headers.need("content-type"), "application/json");
    assert_eq!(
        (answer.headers.get("x-vendor"), answer.headers.get("set-cookie")),
        (Some("1"), None)
    );
    assert_eq!(answer.headers.need("x-gw-provider"), "up");
    assert_eq!(answer.headers.need("x-gw-model"), "apart");
    assert_eq!(answer.headers.need("x-gw-cost-usd"), "0.019");
    let seen = upstream.only();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("POST", "/v1/chat/completions?beta=true&x=%2F")
    );
    assert_eq!(String::from_utf8_lossy(&seen.body), body);
    assert_eq!(seen.headers.need("authorization"), format!("Bearer {SECRET}"));
    assert_eq!(
        (seen.headers.get("x-own"), seen.headers.get("x-gw-strict")),
        (Some("kept"), None)
    );
    assert!(seen.headers.0.iter().all(|(_, value)| !value.contains(&key.secret)));
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        lines(&row),
        [(UsageUnit::InputUncached, 11), (UsageUnit::OutputText, 4)]
    );
    assert_eq!(
        (row.outcome, row.estimated, row.dialect),
        (Outcome::Complete, false, Dialect::OpenaiChat)
    );
    assert_eq!(
        row.upstream_model.map(|model| model.to_string()).as_deref(),
        Some("apart")
    );
    assert_eq!(row.cost.map(|cost| cost.amount.to_string()).as_deref(), Some("0.019"));
}

#[tokio::test]
async fn any_method_and_path_passes_and_what_is_not_known_is_never_free() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let odd: Vec<u8> = (0..=255).collect();
    upstream.on(
        "/v1/files/a%2Fb//c?x=1",
        Script::body(201, "application/octet-stream", odd.clone()),
    );
    upstream.on("/v1/files", Script::body(200, "application/json", "[]"));
    let put = Request::new("PUT", "/native/up/files/a%2Fb//c?x=1")
        .header("x-api-key", &key.secret)
        .bytes("application/odd", odd.clone());
    let list = Request::new("GET", "/native/up/files").header("api-key", &key.secret);

    let put = send(&organization, &key, put).await.expect(201);
    let list = send(&organization, &key, list).await.expect(200);

    assert_eq!((put.body, list.text().as_str()), (odd.clone(), "[]"));
    assert_eq!(put.headers.need("content-type"), "application/octet-stream");
    let seen = upstream.seen();
    let [first, second] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!((first.method.as_str(), &first.body), ("PUT", &odd));
    assert_eq!(first.headers.need("content-type"), "application/odd");
    assert_eq!((second.method.as_str(), second.target.as_str()), ("GET", "/v1/files"));
    assert_eq!(second.headers.get("api-key"), None);
    organization.usage_settles().await;
    for row in organization.rows().await {
        assert_eq!((row.outcome, row.estimated, row.cost), (Outcome::Complete, true, None));
        assert_eq!(row.dialect, Dialect::Native(NativeDialect::Unknown));
        assert_eq!(
            (row.provider.map(|slug| slug.to_string()).as_deref(), row.upstream_model),
            (Some("up"), None)
        );
    }
}

#[tokio::test]
async fn gemini_and_anthropic_are_known_by_their_addresses() {
    let upstream = Upstream::start().await;
    let (gemini, key) = organization(&upstream, "gemini").await;
    let used = json!({"promptTokenCount": 8, "candidatesTokenCount": 2});
    let said = format!("[{}\n,{}]", json!({"candidates": []}), json!({"usageMetadata": used}));
    upstream.on(
        "/v1/models/m:streamGenerateContent",
        Script::body(200, "application/json", said.clone()),
    );
    let array = post(
        &gemini,
        &key,
        "/native/up/models/m:streamGenerateContent",
        r#"{"contents":[]}"#,
    )
    .await;
    assert_eq!((array.status, array.text()), (200, said));
    let row = gemini.usage(&request_id(&array)).await;
    assert_eq!(lines(&row), [(UsageUnit::InputUncached, 8), (UsageUnit::OutputText, 2)]);
    assert_eq!((row.dialect, row.stream), (Dialect::GeminiGenerate, true));

    let (anthropic, key) = organization(&upstream, "anthropic").await;
    let said = json!({"content": [], "usage": {"input_tokens": 7, "cache_read_input_tokens": 30, "output_tokens": 3}});
    upstream.on("m", Script::json(200, &said));
    let request = request(&key, "POST", "/native/up/messages", r#"{"model":"m"}"#).header("anthropic-version", "x");
    let answer = send(&anthropic, &key, request).await.expect(200);
    let row = anthropic.usage(&request_id(&answer)).await;
    assert_eq!(
        lines(&row),
        [
            (UsageUnit::InputUncached, 7),
            (UsageUnit::InputCacheRead, 30),
            (UsageUnit::OutputText, 3)
        ]
    );
    assert_eq!(row.dialect, Dialect::AnthropicMessages);
    let seen = upstream.seen().pop().expect("it was asked");
    assert_eq!(
        (seen.headers.need("x-api-key"), seen.headers.need("anthropic-version")),
        (SECRET, "x")
    );
    let counted = post(&anthropic, &key, "/native/up/messages/count_tokens", r#"{"model":"m"}"#)
        .await
        .expect(200);
    assert_eq!(counted.headers.need("x-gw-cost-usd"), "0.00");
}

/// A provider of one request, which tells when some of its body is there, and the listener's address.
async fn takes_in(listener: &TcpListener, some: usize, there: &Notify) -> (Option<String>, Vec<u8>) {
    let (stream, _) = listener.accept().await.expect("a call");
    let mut connection = Connection::of(stream);
    let head = connection.request_head().await.expect("a head").expect("a request");
    let mut body = Vec::new();
    while let Some(piece) = connection.piece().await.expect("a body that does not break off") {
        body.extend_from_slice(&piece);
        if body.len() >= some {
            there.notify_one();
        }
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    connection.write(answer).await.expect("the gateway listens");
    (head.headers.get("content-length").map(str::to_owned), body)
}

#[tokio::test]
async fn a_large_body_is_passed_on_while_its_caller_still_sends_it() {
    const ALL: usize = 64 << 20;
    const SOME: usize = 2 << 20;
    let options = Options {
        environment: vec![("GATEWRIGHT_BODY_LIMIT", (ALL + 1).to_string())],
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let organization = Organization::make(&installation).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    organization.provider("up", "openai-compatible", Some(&base_url)).await;
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let address = organization.chat(&key).address;
    let bytes: Vec<u8> = (0..=250).cycle().take(ALL).collect();
    let there = Notify::new();

    let caller = async {
        let request =
            Request::new("POST", "/native/up/files").header("authorization", &format!("Bearer {}", key.secret));
        let mut connection = Connection::open(address).await.expect("the node listens");
        connection.write(&request.encode_head(Some(ALL))).await.expect("a head");
        let (first, rest) = bytes.split_at(2 * SOME);
        connection.write(first).await.expect("the node reads");
        // Who holds bodies whole waits for the rest here, and so does this.
        there.notified().await;
        connection.write(rest).await.expect("the node reads");
        connection.answer().await.expect("an answer")
    };
    let both = async { tokio::join!(takes_in(&listener, SOME, &there), caller) };
    let ((length, body), answer) = timeout(PATIENCE, both)
        .await
        .expect("some of it arrives before all was sent");

    assert_eq!(answer.expect(200).text(), "{}");
    assert_eq!(length, Some(ALL.to_string()));
    assert!(body == bytes, "another body arrives");
    let too_long = Request::new("POST", "/native/up/files").header("authorization", &format!("Bearer {}", key.secret));
    let mut connection = Connection::open(address).await.expect("the node listens");
    connection
        .write(&too_long.encode_head(Some(ALL + 2)))
        .await
        .expect("a head");
    connection.answer().await.expect("an answer").expect(413);
}
