//! What a key may be used for, and from where: each scope by what it lets through and what it refuses, in the caller's
//! dialect.

use gatewright_types::ProblemCode;
use harness::api::refused as api_refused;
use harness::chat::{Chat, question, refused};
use harness::http::{Answer, Request};
use harness::installation::{Installation, Options};
use harness::organization::{EFFECT, Key, Organization, names};
use harness::upstream::{Script, Upstream};
use harness::wait::eventually;
use serde_json::{Value, json};

use crate::traces::trace;

/// Two providers at one upstream, in regions of their own, with prices: `cheap` leads to the first, `dear` to the second,
/// and `both` to the second one with the first to stand in.
async fn organization(upstream: &Upstream) -> Organization {
    let organization = Organization::make(Installation::shared().await).await;
    for (name, region) in [("near", "eu"), ("far", "us")] {
        let body = json!({
            "name": name, "kind": "openai-compatible", "base_url": upstream.base_url(), "residency": [region],
            "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}],
        });
        organization
            .owner
            .post(&organization.path("/providers"), &body)
            .await
            .expect(201);
    }
    organization.model("cheap", "near/a", &json!({})).await;
    organization.model("dear", "far/b", &json!({})).await;
    let route = json!({"fallback": [{"target": "far/b"}, {"target": "near/a"}]});
    let both = json!({"name": "both", "route": route, "retries": {"attempts": 0}});
    organization
        .owner
        .post(&organization.path("/models"), &both)
        .await
        .expect(201);
    organization
        .price("near", "a", &json!({"input": "1", "output": "2"}))
        .await;
    organization
        .price("far", "b", &json!({"input": "10", "output": "20"}))
        .await;
    for model in ["a", "b"] {
        upstream.on(model, Script::answer(model, 1, 1));
    }
    organization
}

/// A key with these scopes, known to the first node.
async fn key(organization: &Organization, name: &str, scopes: Value, lists: &[&str]) -> Key {
    let key = organization.key_as(&json!({"name": name, "scopes": scopes})).await;
    organization.settled(&key, lists).await;
    key
}

async fn send(organization: &Organization, key: &Key, request: Request) -> Answer {
    let request = request.header("authorization", &format!("Bearer {}", key.secret));
    request.send(organization.chat(key).address).await.expect("an answer")
}

async fn native(organization: &Organization, key: &Key, provider: &str, body: &Value) -> Answer {
    let request = Request::new("POST", &format!("/native/{provider}/chat/completions")).json(body);
    send(organization, key, request).await
}

fn says(error: &Value, words: &str) {
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    assert!(message.contains(words), "{message:?} does not say {words:?}");
}

#[tokio::test]
async fn a_key_calls_its_endpoints_only() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    let chats = key(
        &organization,
        "chats",
        json!({"endpoints": ["chat", "models"]}),
        &["cheap"],
    )
    .await;
    let messages = json!({"model": "cheap", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});

    organization.chat(&chats).ask("cheap").await.expect(200);
    for (method, path, body) in [
        ("POST", "/v1/responses", json!({"model": "cheap", "input": "hi"})),
        ("POST", "/v1/embeddings", json!({"model": "cheap", "input": "hi"})),
        ("POST", "/v1/completions", json!({"model": "cheap", "prompt": "hi"})),
        ("POST", "/v1/messages", messages.clone()),
        ("POST", "/v1/messages/count_tokens", messages),
        ("POST", "/v1beta/models/cheap:generateContent", json!({"contents": []})),
        ("POST", "/v1beta/models/cheap:countTokens", json!({"contents": []})),
        ("POST", "/native/near/chat/completions", question("a")),
        ("GET", "/v1/responses/resp_1", json!({})),
    ] {
        let answer = send(&organization, &chats, Request::new(method, path).json(&body)).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        assert!(
            answer.text().contains("is not among its endpoints"),
            "{path}: {}",
            answer.text()
        );
    }
    let unlisted = organization
        .key_as(&json!({"name": "unlisted", "scopes": {"endpoints": ["chat"]}}))
        .await;
    let listed = eventually("the key is known", EFFECT, async || {
        let answer = organization.chat(&unlisted).models().await;
        (answer.status != 401).then_some(answer)
    })
    .await;
    refused(&listed, 403, "endpoint_not_allowed");
}

#[tokio::test]
async fn a_key_reaches_its_providers_regions_and_prices_only() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    for (name, scopes, reason) in [
        (
            "by provider",
            json!({"providers": ["near"]}),
            "not on this API key's list",
        ),
        ("by region", json!({"regions": ["eu"]}), "region of this API key's list"),
        (
            "by price",
            json!({"highest_price": {"input": "5"}}),
            "costs $10.00 per million input tokens",
        ),
    ] {
        let key = key(&organization, name, scopes, &["cheap"]).await;
        let chat = organization.chat(&key);

        chat.ask("cheap").await.expect(200);
        let error = refused(&chat.ask("dear").await, 403, "model_not_allowed");
        says(&error, reason);
        // Who stands in for the target that is out of reach may be asked.
        let answer = chat.ask("both").await.expect(200);
        assert_eq!(answer.headers.need("x-gw-provider"), "near");
        assert_eq!(names(&chat.models().await.json()), ["both", "cheap"], "{name}");
        native(&organization, &key, "near", &question("a")).await.expect(200);
        let error = refused(
            &native(&organization, &key, "far", &question("b")).await,
            403,
            "model_not_allowed",
        );
        says(&error, reason);
    }
    // What nobody knows the price of may cost anything.
    let bound = key(
        &organization,
        "bound",
        json!({"highest_price": {"output": "50"}}),
        &["dear"],
    )
    .await;
    organization.model("unpriced", "near/c", &json!({})).await;
    let free = organization.key("free").await;
    organization.settled(&free, &["unpriced"]).await;
    let error = refused(
        &organization.chat(&bound).ask("unpriced").await,
        403,
        "model_not_allowed",
    );
    says(&error, "no known price");
    refused(
        &native(&organization, &bound, "near", &question("c")).await,
        403,
        "model_not_allowed",
    );
    assert!(upstream.seen().iter().all(|seen| seen.json()["model"] != json!("c")));
}

#[tokio::test]
async fn why_a_key_reaches_no_target_is_in_the_decision() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    let near = key(&organization, "near only", json!({"providers": ["near"]}), &["cheap"]).await;
    let request = organization
        .chat(&near)
        .request(&question("both"))
        .header("x-gw-trace", "1");

    let answer = request
        .send(organization.chat(&near).address)
        .await
        .expect("an answer")
        .expect(200);

    let decision = trace(&organization, &answer).await.expect("it was asked for");
    let decision = serde_json::to_string(&decision).expect("a text");
    assert!(
        decision.contains("is at a provider that is not on this API key's list"),
        "{decision}"
    );
}

#[tokio::test]
async fn a_request_declares_tools_of_the_keys_list_only() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    let some = key(&organization, "some", json!({"tools": ["look_*"]}), &["cheap"]).await;
    let none = key(&organization, "none", json!({"tools": []}), &["cheap"]).await;
    let with = |tool: &str| {
        let mut body = question("cheap");
        body["tools"] = json!([{"type": "function", "function": {"name": tool, "parameters": {}}}]);
        body
    };
    let chat = |key: &Key| organization.chat(key);

    chat(&some).send(&with("look_up")).await.expect(200);
    chat(&some).ask("cheap").await.expect(200);
    let error = refused(&chat(&some).send(&with("delete_all")).await, 403, "tool_not_allowed");
    says(&error, "`delete_all`");
    assert_eq!(error.get("param"), Some(&json!("tools")));
    chat(&none).ask("cheap").await.expect(200);
    refused(&chat(&none).send(&with("look_up")).await, 403, "tool_not_allowed");

    let mut natively = with("delete_all");
    natively["model"] = json!("a");
    refused(
        &native(&organization, &some, "near", &natively).await,
        403,
        "tool_not_allowed",
    );
    natively["tools"][0]["function"]["name"] = json!("look_up");
    native(&organization, &some, "near", &natively).await.expect(200);
    let upload = Request::new("POST", "/native/near/files").bytes("multipart/form-data", b"tools".to_vec());
    let answer = send(&organization, &some, upload).await;
    says(&refused(&answer, 403, "tool_not_allowed"), "cannot be told");

    let claude = json!({
        "model": "cheap", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "web_search_20250305", "name": "web_search"}],
    });
    let answer = send(&organization, &some, Request::new("POST", "/v1/messages").json(&claude)).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.json().pointer("/error/type"), Some(&json!("permission_error")));
    assert!(answer.text().contains("`web_search`"), "{}", answer.text());
}

#[tokio::test]
async fn a_key_works_from_its_addresses_only_whatever_a_header_says() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    let here = key(
        &organization,
        "here",
        json!({"ip_ranges": ["127.0.0.0/8", "::1"]}),
        &["cheap"],
    )
    .await;
    let body = json!({"name": "elsewhere", "scopes": {"ip_ranges": ["192.0.2.0/24", "2001:db8::/32"]}});
    let elsewhere = organization.key_as(&body).await;
    eventually("the key is known", EFFECT, async || {
        (organization.chat(&elsewhere).models().await.status == 403).then_some(())
    })
    .await;

    organization.chat(&here).ask("cheap").await.expect(200);
    let spoofed = |request: Request| {
        request
            .header("x-forwarded-for", "192.0.2.1")
            .header("forwarded", "for=192.0.2.1")
            .header("x-real-ip", "192.0.2.1")
    };
    let chat = Request::new("POST", "/v1/chat/completions").json(&question("cheap"));
    let error = refused(
        &send(&organization, &elsewhere, spoofed(chat)).await,
        403,
        "ip_not_allowed",
    );
    says(&error, "127.0.0.1");
    for request in [
        Request::new("GET", "/v1/models"),
        Request::new("GET", "/v1/models/cheap"),
        Request::new("POST", "/native/near/chat/completions").json(&question("a")),
    ] {
        refused(
            &send(&organization, &elsewhere, spoofed(request)).await,
            403,
            "ip_not_allowed",
        );
    }
    let claude = Request::new("POST", "/v1/messages").json(&json!({}));
    let answer = send(&organization, &elsewhere, claude).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json().pointer("/error/type"), Some(&json!("permission_error")));
    let gemini = Request::new("POST", "/v1beta/models/cheap:generateContent").json(&json!({}));
    let answer = send(&organization, &elsewhere, gemini).await;
    assert_eq!(
        answer.json().pointer("/error/status"),
        Some(&json!("PERMISSION_DENIED")),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_teams_addresses_hold_for_all_of_its_keys() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    let team = json!({"name": "Search", "ip_ranges": ["127.0.0.1"]});
    let team = organization
        .owner
        .post(&organization.path("/teams"), &team)
        .await
        .expect(201)
        .json();
    let of_team = organization
        .key_as(&json!({"name": "of the team", "team": team["id"]}))
        .await;
    organization.settled(&of_team, &["cheap"]).await;
    organization.chat(&of_team).ask("cheap").await.expect(200);

    let path = organization.path(&format!("/teams/{}", team["id"].as_str().expect("an id")));
    let moved = json!({"name": "Search", "ip_ranges": ["192.0.2.0/24"]});
    organization.owner.patch(&path, &moved).await.expect(200);

    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, &of_team);
        let answer = eventually("the ranges hold", EFFECT, async || {
            let answer = chat.ask("cheap").await;
            (answer.status != 200).then_some(answer)
        })
        .await;
        refused(&answer, 403, "ip_not_allowed");
    }
    // A rename leaves them alone.
    organization
        .owner
        .patch(&path, &json!({"name": "Find"}))
        .await
        .expect(200);
    let team = organization.owner.get(&path).await.expect(200).json();
    assert_eq!(team["ip_ranges"], json!(["192.0.2.0/24"]));
}

#[tokio::test]
async fn behind_a_proxy_of_ours_the_entry_it_wrote_counts_and_no_other() {
    let installation = Installation::start(Options {
        environment: vec![("GATEWRIGHT_TRUSTED_PROXY_HOPS", "1".to_owned())],
        ..Options::default()
    })
    .await;
    let (organization, _) = Organization::with_sandbox(&installation).await;
    let body = json!({"name": "bound", "scopes": {"ip_ranges": ["192.0.2.0/24"]}});
    let key = organization.key_as(&body).await;
    let ask = async |headers: &[(&str, &str)]| {
        let request = organization.chat(&key).request(&question("echo")).headers(headers);
        request.send(organization.chat(&key).address).await.expect("an answer")
    };
    eventually("the key is known", EFFECT, async || {
        (ask(&[]).await.status == 403).then_some(())
    })
    .await;

    ask(&[("x-forwarded-for", "192.0.2.7")]).await.expect(200);
    ask(&[("x-forwarded-for", "203.0.113.9, 192.0.2.7")]).await.expect(200);
    ask(&[("forwarded", "for=203.0.113.9, for=\"192.0.2.7:80\"")])
        .await
        .expect(200);
    for headers in [
        &[] as &[_],
        &[("x-forwarded-for", "192.0.2.7, 203.0.113.9")],
        &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "203.0.113.9")],
        &[("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=192.0.2.7")],
        &[("x-real-ip", "192.0.2.7")],
    ] {
        refused(&ask(headers).await, 403, "ip_not_allowed");
    }
}

#[tokio::test]
async fn an_answer_that_another_provider_made_is_not_for_a_key_that_may_not_reach_it() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    let route = json!({"fallback": [{"target": "far/b"}, {"target": "near/a"}]});
    let kept = json!({"name": "kept", "route": route, "cache": {"ttl": "1h", "scope": "organization"}});
    organization
        .owner
        .post(&organization.path("/models"), &kept)
        .await
        .expect(201);
    let free = organization.key("free").await;
    organization.settled(&free, &["kept"]).await;
    let near = key(&organization, "near", json!({"providers": ["near"]}), &["kept"]).await;
    let ask = async |chat: Chat| chat.ask("kept").await.expect(200);

    let first = ask(organization.chat(&free)).await;
    assert_eq!(first.headers.need("x-gw-provider"), "far");
    let other = ask(organization.chat(&near)).await;

    assert_eq!(other.headers.need("x-gw-provider"), "near");
}

#[tokio::test]
async fn scopes_that_name_nothing_are_refused_with_the_place() {
    let upstream = Upstream::start().await;
    let organization = organization(&upstream).await;
    for (scopes, field) in [
        (json!({"providers": ["nowhere"]}), "scopes.providers[0]"),
        (json!({"regions": ["mars"]}), "scopes.regions[0]"),
        (json!({"endpoints": ["chats"]}), "scopes.endpoints[0]"),
        (json!({"endpoints": []}), "scopes.endpoints"),
        (json!({"ip_ranges": ["10.1.2.3/8"]}), "scopes.ip_ranges[0]"),
        (json!({"tools": ["a b"]}), "scopes.tools[0]"),
        (json!({"highest_price": {"input": "-1"}}), "scopes.highest_price.input"),
        (json!({"model": ["x"]}), "scopes.model"),
    ] {
        let body = json!({"name": "wrong", "scopes": scopes});
        let answer = organization.owner.post(&organization.path("/keys"), &body).await;
        let problem = api_refused(&answer, 422, ProblemCode::Invalid);
        assert!(problem.fields.contains_key(field), "{field}: {:?}", problem.fields);
    }
    let body = json!({"name": "wrong", "models": ["cheap", "nothing"]});
    let answer = organization.owner.post(&organization.path("/keys"), &body).await;
    let problem = api_refused(&answer, 422, ProblemCode::Invalid);
    assert!(problem.fields.contains_key("models[1]"), "{:?}", problem.fields);
}
