//! `/native/{provider}/…`: a provider's own addresses through the gateway, byte for byte, and metered all the same.

use std::time::Duration;

use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, NativeDialect, Outcome, UsageRow};
use harness::chat::request_id;
use harness::http::{Answer, Connection, PATIENCE, Request};
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization};
use harness::sse;
use harness::upstream::{Ending, Script, Upstream};
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
async fn errors_of_the_provider_pass_but_those_about_our_credential() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic").await;
    let said = "{ \"type\":\"error\", \"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow\"} }";
    let limited = Script::body(429, "application/json", said).header("retry-after", "7");
    upstream.on("m", limited);
    let limited = post(&organization, &key, "/native/up/messages", r#"{"model":"m"}"#).await;
    upstream.on(
        "m",
        Script::json(401, &json!({"error": {"message": format!("{SECRET} is wrong")}})),
    );
    let refused = post(&organization, &key, "/native/up/messages", r#"{"model":"m"}"#).await;

    assert_eq!((limited.status, limited.text().as_str()), (429, said));
    assert_eq!(limited.headers.need("retry-after"), "7");
    let row = organization.usage(&request_id(&limited)).await;
    assert_eq!(
        (row.outcome, row.status, row.code.as_deref()),
        (Outcome::Failed, 429, Some("rate_limit_exceeded"))
    );
    assert_eq!(refused.status, 502);
    assert_eq!(refused.json().pointer("/type"), Some(&json!("error")));
    assert!(!refused.text().contains(SECRET));
}

#[tokio::test]
async fn who_is_no_caller_and_what_is_no_provider_of_its_is_refused() {
    let upstream = Upstream::start().await;
    let (organization_, key) = organization(&upstream, "openai-compatible").await;
    let (_, foreign) = organization(&upstream, "openai-compatible").await;
    let theirs = organization_
        .provider("theirs", "openai-compatible", Some(&upstream.base_url()))
        .await;
    organization_.settled(&key, &["m"]).await;
    let stranger = Key {
        secret: "gw-nobody-knows-this-one".to_owned(),
        ..key.clone()
    };

    let foreign = post(&organization_, &foreign, &format!("/native/{}/x", theirs.name), "{}").await;
    let unknown = post(&organization_, &key, "/native/nope/chat/completions", "{}").await;
    let stranger = post(&organization_, &stranger, "/native/up/chat/completions", "{}").await;
    let traced = send(&organization_, &key, request(&key, "TRACE", "/native/up/chat", "")).await;

    for answer in [&foreign, &unknown] {
        assert_eq!(
            (answer.status, error_code(answer)),
            (404, json!("provider_not_found")),
            "{}",
            answer.text()
        );
        assert_eq!(answer.headers.need("x-gw-provider"), "none");
    }
    assert_eq!(
        (stranger.status, error_code(&stranger)),
        (401, json!("invalid_api_key"))
    );
    assert_eq!(traced.status, 405);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn no_path_leads_out_of_the_base_address() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;

    for path in [
        "../admin",
        "%2e%2e/admin",
        "a/..%2f../admin",
        "a/%252e%252e/b",
        "..%5cadmin",
        "..;/admin",
    ] {
        let answer = post(&organization, &key, &format!("/native/up/{path}"), "{}").await;
        assert_eq!(
            (answer.status, error_code(&answer)),
            (400, json!("invalid_request")),
            "{path}: {}",
            answer.text()
        );
    }
    let told = post(
        &organization,
        &key,
        &format!("/native/up/models?key={}", key.secret),
        "{}",
    )
    .await;
    assert_eq!(told.status, 400, "{}", told.text());
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_key_for_some_models_reaches_only_what_they_lead_to() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let bound = organization.key_as(&json!({"name": "bound", "models": ["m"]})).await;
    organization.settled(&bound, &["m"]).await;
    let ask = async |body: &str, path: &str| post(&organization, &bound, path, body).await;
    let chat = "/native/up/chat/completions";

    let allowed = ask(r#"{"model":"m"}"#, chat).await.expect(200);
    for (body, path) in [
        (r#"{"model":"apart"}"#, chat),
        (r#"{"model":"m","model":"apart"}"#, chat),
        (r#"{"model":"m","Model":"apart"}"#, chat),
        (r#"{"messages":[]}"#, chat),
        ("not JSON", chat),
        (r#"{"model":"m"}"#, "/native/up/files"),
        (r#"{"model":"m"}"#, "/native/up/chat//completions/"),
        (r#"{"model":"m"}"#, "/native/up/chat%2Fcompletions"),
    ] {
        let refused = ask(body, path).await;
        assert_eq!(
            (refused.status, error_code(&refused)),
            (403, json!("model_not_allowed")),
            "{body} {path}"
        );
    }

    assert_eq!(upstream.seen().len(), 1);
    assert_eq!(allowed.headers.need("x-gw-model"), "m");
    // The other key may ask for anything.
    post(&organization, &key, chat, r#"{"model":"apart"}"#)
        .await
        .expect(200);
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

#[tokio::test]
async fn calls_to_bedrock_are_signed_as_they_are_sent() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    let keys = json!({"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG"});
    let provider = json!({"name": "up", "kind": "bedrock", "region": "eu-central-1", "base_url": upstream.origin(),
        "credentials": [{"name": "a", "aws": keys}]});
    organization
        .owner
        .post(&organization.path("/providers"), &provider)
        .await
        .expect(201);
    organization.model("m", "up/amazon.nova-lite-v1:0", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let target = "/model/amazon.nova-lite-v1:0/converse";
    let said = json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {}});
    upstream.on(target, Script::json(200, &said));
    let listed = "/guardrails?maxResults=5&a=b";
    upstream.on(listed, Script::json(200, &json!({})));
    let converse = request(&key, "POST", &format!("/native/up{target}"), "{ \"messages\": [] }")
        .header("x-amzn-bedrock-trace", "ENABLED")
        .header("x-amz-date", "20200101T000000Z");
    let list = Request::new("GET", &format!("/native/up{listed}")).header("x-api-key", &key.secret);

    let answer = send(&organization, &key, converse).await.expect(200);
    send(&organization, &key, list).await.expect(200);

    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(lines(&row), [(UsageUnit::InputUncached, 5), (UsageUnit::OutputText, 2)]);
    assert!(row.cost.is_some(), "{row:?}");
    assert_eq!(row.dialect, Dialect::Native(NativeDialect::BedrockConverse));
    for seen in upstream.seen() {
        let authorization = seen.headers.need("authorization").to_owned();
        assert_eq!(authorization, signature(&seen), "{} {}", seen.method, seen.target);
        assert_ne!(seen.headers.need("x-amz-date"), "20200101T000000Z");
    }
}

/// What AWS would compute of a request, by its own words in it and the secret.
fn signature(seen: &harness::upstream::Seen) -> String {
    use sha2::{Digest as _, Sha256};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hmac = |key: &[u8], text: &str| {
        let padded = |with: u8| -> Vec<u8> {
            let filled = key.iter().copied().chain(std::iter::repeat(0)).take(64);
            filled.map(|byte| byte ^ with).collect()
        };
        let inner = Sha256::digest([padded(0x36), text.as_bytes().to_vec()].concat());
        Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
    };
    let time = seen.headers.need("x-amz-date");
    let date = time.get(..8).expect("a date");
    let given = seen.headers.need("authorization");
    let (_, rest) = given.split_once("SignedHeaders=").expect("a list");
    let (signed, _) = rest.split_once(',').expect("a list");
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let headers: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", seen.headers.need(name)))
        .collect();
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        seen.method,
        path.replace('%', "%25").replace(':', "%3A"),
        pairs.join("&"),
        hex(&Sha256::digest(&seen.body))
    );
    let scope = format!("{date}/eu-central-1/bedrock/aws4_request");
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = b"AWS4wJalrXUtnFEMI/K7MDENG".to_vec();
    for step in [date, "eu-central-1", "bedrock", "aws4_request"] {
        key = hmac(&key, step);
    }
    let signature = hex(&hmac(&key, &to_sign));
    format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}")
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

#[tokio::test]
async fn models_of_bedrock_in_their_makers_words_are_priced_by_what_bedrock_tells() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    let provider = json!({"name": "up", "kind": "bedrock", "region": "eu-central-1", "base_url": upstream.origin(),
        "credentials": [{"name": "a", "api_key": SECRET}]});
    let made = organization
        .owner
        .post(&organization.path("/providers"), &provider)
        .await;
    made.expect(201);
    organization
        .price("up", "meta.llama", &json!({"input": "1000", "output": "2000"}))
        .await;
    organization.model("m", "up/meta.llama", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let target = "/model/meta.llama/invoke";
    let said = json!({"generation": "Hello.", "prompt_token_count": 999});
    let told = Script::json(200, &said)
        .header("x-amzn-bedrock-input-token-count", "11")
        .header("x-amzn-bedrock-output-token-count", "4");
    upstream.on(target, told);

    let told = post(&organization, &key, &format!("/native/up{target}"), r#"{"prompt":"a"}"#).await;
    upstream.on(target, Script::json(200, &said));
    let untold = post(&organization, &key, &format!("/native/up{target}"), r#"{"prompt":"a"}"#).await;

    assert_eq!(told.headers.need("x-gw-cost-usd"), "0.019");
    let row = organization.usage(&request_id(&told)).await;
    assert_eq!(
        lines(&row),
        [(UsageUnit::InputUncached, 11), (UsageUnit::OutputText, 4)]
    );
    assert_eq!(
        (row.dialect, row.estimated),
        (Dialect::Native(NativeDialect::BedrockInvoke), false)
    );
    let row = organization.usage(&request_id(&untold)).await;
    assert_eq!((row.estimated, row.cost), (true, None), "it may be a picture");
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
