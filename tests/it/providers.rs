//! How providers are called, and what their failures become.

use std::time::Duration;

use gatewright_types::ProblemCode;
use gatewright_types::api::{Outcome, Provider};
use harness::api::refused;
use harness::chat::{self, request_id};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::Organization;
use harness::upstream::{Ending, Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

/// What no answer may ever hold: the provider's secret and how the provider is reached.
fn tells_nothing_internal(text: &str, upstream: &Upstream) {
    for secret in ["sk-upstream-secret-0001", &upstream.base_url(), "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn the_callers_own_mistake_comes_back_as_the_provider_told_it() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let body = json!({"error": {"message": "temperature must be at most 2", "type": "invalid_request_error",
        "param": "temperature", "code": null, "vendor": 1}});
    upstream.on("m", Script::json(422, &body));

    let answer = organization.chat(&key).ask("m").await.expect(422);

    assert_eq!(answer.json(), body);
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!((row.outcome, row.status, row.attempts), (Outcome::Failed, 422, 1));
}

#[tokio::test]
async fn a_context_that_is_too_long_keeps_its_code() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let body = json!({"error": {"message": "too long", "type": "invalid_request_error", "param": "messages",
        "code": "context_length_exceeded"}});
    upstream.on("m", Script::json(400, &body));

    let answer = organization.chat(&key).ask("m").await;

    chat::refused(&answer, 400, "context_length_exceeded");
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(row.code.as_deref(), Some("context_length_exceeded"));
}

#[tokio::test]
async fn a_providers_failures_become_gateway_errors_that_tell_nothing_internal() {
    let upstream = Upstream::start().await;
    let secret = "sk-upstream-secret-0001";
    let told = |code: &str| json!({"error": {"message": format!("bad key {secret} for org-Abc123456789"), "type": "t", "param": null, "code": code}});
    let cases: Vec<(&str, Script, u16, &str)> = vec![
        (
            "auth",
            Script::json(401, &told("invalid_api_key")),
            502,
            "upstream_auth",
        ),
        ("forbidden", Script::json(403, &told("forbidden")), 502, "upstream_auth"),
        ("payment", Script::json(402, &told("payment")), 502, "upstream_auth"),
        (
            "quota",
            Script::json(429, &told("insufficient_quota")),
            502,
            "upstream_auth",
        ),
        (
            "missing",
            Script::json(404, &told("model_not_found")),
            404,
            "model_not_found",
        ),
        ("overloaded", Script::json(503, &told("overloaded")), 503, "overloaded"),
        ("error", Script::json(500, &told("boom")), 502, "upstream_error"),
        (
            "page",
            Script::body(
                500,
                "text/html",
                "<html><title>Oops</title><body>stack trace</body></html>",
            ),
            502,
            "upstream_error",
        ),
        (
            "page200",
            Script::body(200, "text/html", "<html><title>Sign in</title></html>"),
            502,
            "upstream_error",
        ),
        (
            "error200",
            Script::json(200, &told("server_error")),
            502,
            "upstream_error",
        ),
        (
            "malformed",
            Script::body(200, "application/json", "{\"id\":\"x\",\"choices\":[{"),
            502,
            "upstream_error",
        ),
        (
            "empty",
            Script::body(200, "application/json", ""),
            502,
            "upstream_error",
        ),
        ("late", Script::json(504, &told("timeout")), 504, "upstream_timeout"),
        ("truncated", Script::answer("Hello", 1, 1).cut(), 502, "upstream_error"),
        ("garbage", Script::raw("NOT HTTP AT ALL\r\n\r\n"), 502, "upstream_error"),
        ("hangup", Script::raw(""), 502, "upstream_error"),
        (
            "redirect",
            Script::body(302, "text/plain", "").header("location", &format!("{}/elsewhere", upstream.base_url())),
            502,
            "upstream_error",
        ),
        ("nothing", Script::body(204, "text/plain", ""), 502, "upstream_error"),
    ];
    let models: Vec<&str> = cases.iter().map(|(model, ..)| *model).collect();
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &models).await;

    for (model, script, status, code) in cases {
        upstream.on(model, script);
        let answer = organization.chat(&key).ask(model).await;
        assert_eq!(answer.status, status, "{model}: {}", answer.text());
        chat::refused(&answer, status, code);
        tells_nothing_internal(&answer.text(), &upstream);
        assert!(!answer.text().contains("org-Abc"), "{}", answer.text());
        assert!(!answer.text().contains("stack trace"), "{}", answer.text());
        let row = organization.usage(&request_id(&answer)).await;
        assert_eq!(
            (row.outcome, row.status, row.code.as_deref()),
            (Outcome::Failed, status, Some(code)),
            "{model}"
        );
        assert_eq!(row.provider.as_ref().map(|slug| slug.as_str()), Some("up"), "{model}");
    }
    assert!(
        upstream.seen().iter().all(|seen| seen.target == "/v1/chat/completions"),
        "a redirect was followed"
    );
}

#[tokio::test]
async fn a_rate_limit_of_the_provider_is_passed_on_with_its_time() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let body =
        json!({"error": {"message": "slow down", "type": "requests", "param": null, "code": "rate_limit_exceeded"}});
    upstream.on(
        "m",
        Script::json(429, &body)
            .header("retry-after", "7")
            .header("x-ratelimit-limit-requests", "3"),
    );

    let answer = organization.chat(&key).ask("m").await;

    chat::refused(&answer, 429, "rate_limit_exceeded");
    assert_eq!(answer.headers.get("retry-after"), Some("7"));
    assert_eq!(
        answer.headers.get("x-ratelimit-limit-requests"),
        None,
        "limits of our account are not the caller's"
    );
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_a_bad_gateway() {
    let organization = Organization::make(Installation::shared().await).await;
    let nobody = format!("http://127.0.0.1:{}/v1", harness::process::free_port());
    organization.provider("up", "openai-compatible", Some(&nobody)).await;
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;

    let answer = organization.chat(&key).ask("m").await;

    chat::refused(&answer, 502, "upstream_error");
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
}

#[tokio::test]
async fn a_provider_that_is_silent_for_too_long_is_a_gateway_timeout() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    organization
        .model("first", "up/first", &json!({"first_token": "200ms"}))
        .await;
    organization
        .model("total", "up/total", &json!({"total": "200ms"}))
        .await;
    let key = organization.key("main").await;
    organization.settled(&key, &["first", "total"]).await;

    for (model, limit) in [("first", "first_token"), ("total", "total")] {
        upstream.on(model, Script::silent());
        let answer = organization.chat(&key).ask(model).await;
        chat::refused(&answer, 504, "upstream_timeout");
        let told = format!("within 200ms, the limit timeouts.{limit} of the model");
        assert!(answer.text().contains(&told), "{}", answer.text());
        assert_eq!(upstream.ending().await, Ending::PeerGone, "the call was given up on");
    }
}

#[tokio::test]
async fn a_providers_time_limits_apply_where_the_model_has_none() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    let provider = organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    let path = organization.path(&format!("/providers/{}", provider.id));
    let patient = json!({"base_url": upstream.base_url(), "timeouts": {"first_token": "30s"}});
    organization.owner.patch(&path, &patient).await.expect(200);
    organization.model("plain", "up/plain", &json!({})).await;
    organization
        .model("own", "up/own", &json!({"first_token": "250ms"}))
        .await;
    let key = organization.key("main").await;
    organization.settled(&key, &["plain", "own"]).await;
    let late = |answer: &Answer, limit: &str| {
        chat::refused(answer, 504, "upstream_timeout");
        assert!(answer.text().contains(limit), "{}", answer.text());
    };

    upstream.on("own", Script::silent());
    let answer = organization.chat(&key).ask("own").await;
    late(&answer, "within 250ms, the limit timeouts.first_token of the model");

    let hasty =
        json!({"base_url": upstream.base_url(), "timeouts": {"first_token": "300ms", "between_tokens": "400ms"}});
    let changed: Provider = organization.owner.patch(&path, &hasty).await.expect(200).read();
    assert_eq!(
        json!(changed.settings.timeouts),
        json!({"first_token": "300ms", "between_tokens": "400ms"})
    );
    upstream.on(
        "plain",
        Script::answer("late", 1, 1).after(Duration::from_millis(1_500)),
    );
    let told = eventually("the provider's limit takes effect", SOON, async || {
        let answer = organization.chat(&key).ask("plain").await;
        (answer.status == 504).then_some(answer)
    })
    .await;
    late(&told, "within 300ms, the limit timeouts.first_token of the provider");

    let native = Request::new("POST", "/native/up/chat/completions")
        .header("authorization", &format!("Bearer {}", key.secret))
        .json(&json!({"model": "plain", "messages": []}));
    let answer = native.send(organization.nodes[0]).await.expect("an answer");
    late(&answer, "within 300ms, the limit timeouts.first_token of the provider");
}

#[tokio::test]
async fn time_limits_that_nothing_can_keep_to_are_refused_by_field() {
    let organization = Organization::make(Installation::shared().await).await;
    let provider = |timeouts: Value| json!({"name": "up", "kind": "openai", "timeouts": timeouts, "credentials": [{"name": "a", "api_key": "sk-0001"}]});
    let cases = [
        (json!({"connect": "0s"}), "timeouts.connect", "longer than nothing"),
        (json!({"first_token": "soon"}), "timeouts.first_token", "like 250ms"),
        (json!({"totl": "2s"}), "timeouts.totl", "total"),
    ];
    for (timeouts, field, problem) in cases {
        let answer = organization
            .owner
            .post(&organization.path("/providers"), &provider(timeouts))
            .await;
        let fields = refused(&answer, 422, ProblemCode::Invalid).fields;
        assert!(
            fields.get(field).is_some_and(|told| told.contains(problem)),
            "{field}: {fields:?}"
        );
    }
    let sandbox = json!({"name": "toy", "kind": "sandbox", "timeouts": {"total": "2s"}});
    let answer = organization
        .owner
        .post(&organization.path("/providers"), &sandbox)
        .await;
    let fields = refused(&answer, 422, ProblemCode::Invalid).fields;
    assert!(fields.contains_key("timeouts"), "{fields:?}");
}

#[tokio::test]
async fn connections_to_a_provider_are_used_again() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;

    for _ in 0..10 {
        organization.chat(&key).ask("m").await.expect(200);
    }

    let last = upstream
        .seen()
        .last()
        .map(|seen| seen.connection)
        .expect("ten were seen");
    assert!(last <= 2, "{last} connections for ten calls in a row");
}

#[tokio::test]
async fn credentials_take_turns_by_weight() {
    let upstream = Upstream::start().await;
    let body = json!({"name": "up", "kind": "openai-compatible", "base_url": upstream.base_url(), "credentials": [
        {"name": "a", "api_key": "sk-of-weight-three-0001", "weight": 3}, {"name": "b", "api_key": "sk-of-weight-one-00001"}]});
    let (organization, key) = Organization::with_model(Installation::shared().await, &body, "m").await;

    for _ in 0..8 {
        organization.chat(&key).ask("m").await.expect(200);
    }

    let heavy = upstream
        .seen()
        .iter()
        .filter(|seen| seen.headers.need("authorization").contains("three"))
        .count();
    assert_eq!((heavy, upstream.seen().len()), (6, 8));
}

#[tokio::test]
async fn a_credential_that_is_limited_rests_while_the_other_works() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    let provider = organization.provider("up", "openai", Some(&upstream.base_url())).await;
    organization.credential(&provider, "sk-upstream-secret-0002").await;
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let used = || {
        let seen = upstream.seen();
        seen.last().map(|last| last.headers.need("authorization").to_owned())
    };
    let limited = json!({"error": {"message": "slow down", "type": "t", "param": null, "code": "rate_limit_exceeded"}});
    let chat = organization.chat_at(0, &key);

    let first = "Bearer sk-upstream-secret-0001";
    upstream.on(first, Script::json(429, &limited).header("retry-after", "60"));
    for _ in 0..6 {
        // Whoever gets the limited one is served by the other in the same request.
        chat.ask("m").await.expect(200);
        assert_ne!(used().as_deref(), Some(first));
    }

    let limited: Vec<_> = upstream
        .seen()
        .into_iter()
        .filter(|seen| seen.headers.need("authorization") == first)
        .collect();
    assert_eq!(limited.len(), 1, "it rests once it is known to be limited");
}
