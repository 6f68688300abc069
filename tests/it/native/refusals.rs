//! Native calls that are not made, and the provider's errors of those that are.

use gatewright_types::api::Outcome;
use harness::chat::request_id;
use harness::organization::Key;
use harness::upstream::{Script, Upstream};
use serde_json::json;

use super::{SECRET, error_code, organization, post, request, send};

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
