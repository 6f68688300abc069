//! What the control API is sent that it must not take.

use gatewright_types::ProblemCode;
use harness::api::{self, Api};
use harness::http::Request;
use harness::installation::{Installation, Options};
use harness::organization::Organization;
use serde_json::json;

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
