//! Images and documents that callers give by their addresses, for providers that want the files themselves.

use harness::chat;
use harness::http::{Answer, Request};
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization, bedrock, provider};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PNG_IN_BASE64: &str = "iVBORw0KGgoAAAANSUhEUg==";
const PDF: &[u8] = b"%PDF-1.7\n";
const PDF_IN_BASE64: &str = "JVBERi0xLjcK";

/// An organization whose model `m` is one of such a provider.
async fn organization(installation: &Installation, upstream: &Upstream, kind: &str) -> (Organization, Key) {
    let provider = match kind {
        "bedrock" => bedrock(&upstream.origin()),
        _ => provider(kind, &upstream.base_url()),
    };
    let (organization, key) = Organization::with_model(installation, &provider, "m").await;
    upstream.on("/model/m/converse", converse());
    upstream.on("/v1/models/m:generateContent", generated());
    upstream.on("/v1/models/m:streamGenerateContent?alt=sse", generated_stream());
    (organization, key)
}

async fn post(organization: &Organization, key: &Key, path: &str, body: &Value) -> Answer {
    let request = Request::new("POST", path).header("x-api-key", &key.secret).json(body);
    request
        .send(organization.chat(key).address)
        .await
        .expect("the data plane answers")
}

fn converse() -> Script {
    let answer = json!({"output": {"message": {"role": "assistant", "content": [{"text": "A cat."}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}});
    Script::json(200, &answer)
}

fn generated_answer() -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "A cat."}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}})
}

fn generated() -> Script {
    Script::json(200, &generated_answer())
}

fn generated_stream() -> Script {
    Script::stream([format!("data: {}\n\n", generated_answer())])
}

fn in_anthropic(parts: &Value) -> Value {
    json!({"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": parts}]})
}

fn image_in_anthropic(url: &str) -> Value {
    in_anthropic(
        &json!([{"type": "image", "source": {"type": "url", "url": url}}, {"type": "text", "text": "What is it?"}]),
    )
}

fn image_in_openai(url: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]}]})
}

fn targets(host: &Upstream) -> Vec<String> {
    host.seen().into_iter().map(|seen| seen.target).collect()
}

/// What the refusal says.
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let error = chat::refused(answer, status, code);
    let message = error.get("message").and_then(Value::as_str);
    message.expect("it says why").to_owned()
}

/// What the provider was sent last.
fn sent(upstream: &Upstream) -> Value {
    upstream.seen().last().expect("it was asked").json()
}

#[tokio::test]
async fn a_file_given_by_its_address_is_in_the_request_to_who_wants_bytes() {
    let host = Upstream::start().await;
    // Its type is told by its bytes, whatever its host says.
    host.on("/cat.jpg?sig=a", Script::body(200, "text/html", PNG));
    host.on(
        "/cat",
        Script::body(302, "text/plain", "").header("location", "/cat.jpg?sig=a"),
    );
    host.on("/report", Script::body(200, "application/octet-stream", PDF));
    let (cat, report) = (format!("{}/cat", host.origin()), format!("{}/report", host.origin()));
    let asked = in_anthropic(&json!([
        {"type": "image", "source": {"type": "url", "url": cat}},
        {"type": "document", "source": {"type": "url", "url": report}},
        {"type": "text", "text": "What is it?"}]));
    let check = async |kind, place: &str, expected: Value| {
        let upstream = Upstream::start().await;
        let (organization, key) = organization(Installation::shared().await, &upstream, kind).await;
        post(&organization, &key, "/v1/messages", &asked).await.expect(200);
        let sent = sent(&upstream);
        assert_eq!(sent.pointer(place), Some(&expected), "{kind}: {sent}");
    };

    check(
        "bedrock",
        "/messages/0/content",
        json!([{"image": {"format": "png", "source": {"bytes": PNG_IN_BASE64}}},
            {"document": {"format": "pdf", "name": "document", "source": {"bytes": PDF_IN_BASE64}}},
            {"text": "What is it?"}]),
    )
    .await;
    check(
        "gemini",
        "/contents/0/parts",
        json!([{"inlineData": {"mimeType": "image/png", "data": PNG_IN_BASE64}},
            {"inlineData": {"mimeType": "application/pdf", "data": PDF_IN_BASE64}}, {"text": "What is it?"}]),
    )
    .await;
    check(
        "openai",
        "/messages/0/content",
        json!([{"type": "image_url", "image_url": {"url": cat}},
            {"type": "file", "file": {"filename": "document", "file_data": format!("data:application/pdf;base64,{PDF_IN_BASE64}")}},
            {"type": "text", "text": "What is it?"}]),
    )
    .await;
}

#[tokio::test]
async fn a_local_model_gets_the_image_itself_and_a_text_as_text() {
    let (host, upstream) = (Upstream::start().await, Upstream::start().await);
    host.on("/cat", Script::body(200, "image/png", PNG));
    let (organization, key) = organization(Installation::shared().await, &upstream, "ollama").await;

    let asked = image_in_anthropic(&format!("{}/cat", host.origin()));
    post(&organization, &key, "/v1/messages", &asked).await.expect(200);

    let url = sent(&upstream).pointer("/messages/0/content/0/image_url/url").cloned();
    assert_eq!(url, Some(json!(format!("data:image/png;base64,{PNG_IN_BASE64}"))));
}

#[tokio::test]
async fn the_next_request_of_a_conversation_reads_no_file_again_but_another_organization_does() {
    let (host, upstream) = (Upstream::start().await, Upstream::start().await);
    host.on("/cat", Script::body(200, "image/png", PNG));
    let (ours, our_key) = organization(Installation::shared().await, &upstream, "gemini").await;
    let (theirs, their_key) = organization(Installation::shared().await, &upstream, "gemini").await;
    let address = format!("{}/cat", host.origin());
    let mut stream = image_in_openai(&address);
    stream["stream"] = json!(true);

    post(&ours, &our_key, "/v1/chat/completions", &image_in_openai(&address))
        .await
        .expect(200);
    post(&ours, &our_key, "/v1/chat/completions", &stream).await.expect(200);
    assert_eq!(targets(&host), ["/cat"]);
    post(&theirs, &their_key, "/v1/chat/completions", &image_in_openai(&address))
        .await
        .expect(200);
    assert_eq!(targets(&host), ["/cat", "/cat"]);

    for seen in upstream.seen() {
        let data = seen.json().pointer("/contents/0/parts/1/inlineData/data").cloned();
        assert_eq!(data, Some(json!(PNG_IN_BASE64)));
    }
}

#[tokio::test]
async fn who_speaks_the_callers_dialect_or_reads_addresses_is_given_the_address() {
    let host = Upstream::start().await;
    let address = format!("{}/cat", host.origin());
    let check = async |kind, path, asked: &Value, place: &str| {
        let upstream = Upstream::start().await;
        let (organization, key) = organization(Installation::shared().await, &upstream, kind).await;
        post(&organization, &key, path, asked).await;
        let sent = sent(&upstream);
        assert_eq!(sent.pointer(place), Some(&json!(address)), "{kind}: {sent}");
    };

    let (openai, anthropic) = (image_in_openai(&address), image_in_anthropic(&address));
    let openai_place = "/messages/0/content/1/image_url/url";
    check("ollama", "/v1/chat/completions", &openai, openai_place).await;
    check("openai", "/v1/chat/completions", &openai, openai_place).await;
    check(
        "anthropic",
        "/v1/messages",
        &anthropic,
        "/messages/0/content/0/source/url",
    )
    .await;
    check(
        "anthropic",
        "/v1/chat/completions",
        &openai,
        "/messages/0/content/1/source/url",
    )
    .await;
    let gemini = json!({"contents": [{"role": "user", "parts": [
        {"fileData": {"fileUri": address, "mimeType": "image/png"}}]}]});
    let place = "/contents/0/parts/0/fileData/fileUri";
    check("gemini", "/v1beta/models/m:generateContent", &gemini, place).await;
    check("gemini", "/v1beta/models/m:streamGenerateContent", &gemini, place).await;

    assert_eq!(targets(&host), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_cannot_be_had_is_refused_by_its_host_and_no_more_of_its_address() {
    let (host, upstream) = (Upstream::start().await, Upstream::start().await);
    host.on("/gone?token=secret", Script::body(404, "text/html", "nothing here"));
    host.on("/page", Script::body(200, "image/png", "<html>sign in</html>"));
    host.on(
        "/metadata",
        Script::body(302, "text/plain", "").header("location", "http://169.254.169.254/latest/meta-data"),
    );
    host.on("/down", Script::body(503, "text/plain", ""));
    host.on("/cut", Script::body(200, "image/png", PNG).cut());
    host.on("/large", Script::body(200, "image/png", vec![7; (20 << 20) + 1]));
    let (organization, key) = organization(Installation::shared().await, &upstream, "bedrock").await;
    let check = async |address: String, status, code: &str, problem: &str| {
        let answer = post(&organization, &key, "/v1/chat/completions", &image_in_openai(&address)).await;
        let message = refused(&answer, status, code);
        assert!(message.contains(problem), "{address}: {message}");
        assert!(!message.contains("secret"), "{message}");
    };
    let at = |path: &str| format!("{}{path}", host.origin());

    check(
        at("/gone?token=secret"),
        400,
        "invalid_request",
        "`127.0.0.1` could not be read: the host answered with status 404",
    )
    .await;
    check(
        at("/page"),
        400,
        "invalid_request",
        "is of the type 'text/html', where the request has an image",
    )
    .await;
    check(
        at("/metadata"),
        400,
        "invalid_request",
        "in a network from which no files may be read",
    )
    .await;
    check(
        "http://169.254.169.254/secret".into(),
        400,
        "invalid_request",
        "`169.254.169.254` is in a network",
    )
    .await;
    check(
        "http://u:secret@127.0.0.1/".into(),
        400,
        "invalid_request",
        "a user name or a password",
    )
    .await;
    check("https://files.invalid/".into(), 400, "invalid_request", "no such host").await;
    check(at("/down"), 502, "file_unavailable", "answered with status 503").await;
    check(at("/cut"), 502, "file_unavailable", "cannot be reached, or broke off").await;
    check(
        at("/large"),
        413,
        "request_too_large",
        "larger than the limit of 20971520 bytes",
    )
    .await;
    check(
        "s3://bucket/secret".into(),
        400,
        "invalid_request",
        "does not fetch from such addresses",
    )
    .await;

    let anthropic = post(&organization, &key, "/v1/messages", &image_in_anthropic(&at("/page"))).await;
    assert_eq!(anthropic.status, 400);
    assert_eq!(
        anthropic.json().pointer("/error/type"),
        Some(&json!("invalid_request_error"))
    );
    let gemini = json!({"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": at("/page"), "mimeType": "image/png"}}]}]});
    let gemini = post(&organization, &key, "/v1beta/models/m:generateContent", &gemini).await;
    assert_eq!(
        (gemini.status, gemini.json().pointer("/error/status")),
        (400, Some(&json!("INVALID_ARGUMENT")))
    );
    assert_eq!(
        targets(&upstream),
        Vec::<String>::new(),
        "the provider was asked nothing"
    );
}

#[tokio::test]
async fn a_request_names_a_hundred_files_and_no_more() {
    let (host, upstream) = (Upstream::start().await, Upstream::start().await);
    let (organization, key) = organization(Installation::shared().await, &upstream, "bedrock").await;
    let images = (0..101)
        .map(|number| json!({"type": "image_url", "image_url": {"url": format!("{}/{number}", host.origin())}}));
    let asked = json!({"model": "m", "messages": [{"role": "user", "content": images.collect::<Vec<_>>()}]});

    let answer = post(&organization, &key, "/v1/chat/completions", &asked).await;

    let message = refused(&answer, 400, "invalid_request");
    assert!(message.contains("more than 100 files"), "{message}");
    assert_eq!(targets(&host), Vec::<String>::new());
}

#[tokio::test]
async fn an_installation_for_the_public_internet_reads_no_file_of_its_own_network() {
    let options = Options {
        environment: vec![("GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS", "false".to_owned())],
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let host = Upstream::start().await;
    host.on("/cat", Script::body(200, "image/png", PNG));
    let organization = Organization::make(&installation).await;
    let provider = json!({"name": "up", "kind": "bedrock", "region": "eu-central-1",
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}]});
    let made = organization
        .owner
        .post(&organization.path("/providers"), &provider)
        .await;
    made.expect(201);
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let check = async |address: String, problem: &str| {
        let answer = post(&organization, &key, "/v1/chat/completions", &image_in_openai(&address)).await;
        let message = refused(&answer, 400, "invalid_request");
        assert!(message.contains(problem), "{address}: {message}");
    };
    let port = host.origin().rsplit(':').next().expect("a port").to_owned();

    check(format!("{}/cat", host.origin()), "in a network from which").await;
    check(format!("https://127.0.0.1:{port}/cat"), "in a network from which").await;
    check(format!("https://localhost:{port}/cat"), "in a network from which").await;
    check("https://10.0.0.1/cat".into(), "in a network from which").await;
    check("http://files.example.com/cat".into(), "only https is allowed").await;

    assert_eq!(targets(&host), Vec::<String>::new());
}
