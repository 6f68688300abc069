//! Where requests go: strategies, rules, regions, and requests that nothing can answer.

use std::collections::BTreeSet;

use gatewright_types::api::Model;
use harness::api;
use harness::chat::{question, refused};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

/// An organization with two providers, `one` and `other`, and a model `m` with this route.
async fn with_route(route: Value) -> (Organization, Key, Upstream) {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    for (name, residency) in [("one", json!([])), ("other", json!(["eu"]))] {
        let credentials = json!([{"name": "a", "api_key": "sk-upstream-secret-0001"}]);
        let provider = json!({
            "name": name, "kind": "openai", "base_url": upstream.base_url(), "credentials": credentials,
            "residency": residency,
        });
        let path = organization.path("/providers");
        organization.owner.post(&path, &provider).await.expect(201);
    }
    model(&organization, "m", &route).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    upstream.on("x", Script::answer("Hi", 9, 2));
    upstream.on("y", Script::answer("Ho", 9, 2));
    (organization, key, upstream)
}

async fn model(organization: &Organization, name: &str, route: &Value) -> Model {
    let body = json!({"name": name, "route": route});
    let path = organization.path("/models");
    organization.owner.post(&path, &body).await.expect(201).read()
}

async fn ask(organization: &Organization, key: &Key, body: &Value, headers: &[(&str, &str)]) -> Answer {
    let chat = organization.chat(key);
    let request = chat.request(body).headers(headers);
    request.send(chat.address).await.expect("an answer")
}

/// Provider and model, as the answer's headers tell them.
async fn target(organization: &Organization, key: &Key, headers: &[(&str, &str)]) -> String {
    let answer = ask(organization, key, &question("m"), headers).await.expect(200);
    format!(
        "{}/{}",
        answer.headers.need("x-gw-provider"),
        answer.headers.need("x-gw-model")
    )
}

#[tokio::test]
async fn requests_take_turns_and_a_weight_of_nothing_gets_none() {
    let route = json!({"weighted": [
        {"weight": 1, "route": {"round_robin": [{"target": "one/x"}, {"target": "other/x"}]}},
        {"weight": 0, "route": {"target": "one/y"}},
    ]});
    let (organization, key, _upstream) = with_route(route).await;

    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(target(&organization, &key, &[]).await);
    }

    assert_eq!(turns, ["one/x", "other/x", "one/x", "other/x"]);
}

#[tokio::test]
async fn those_who_stick_go_to_the_same_place_from_every_node() {
    let route = json!({"sticky": {"by": ["session", "user"], "routes": [{"target": "one/x"}, {"target": "other/y"}]}});
    let (organization, key, _upstream) = with_route(route).await;
    let mut places = BTreeSet::new();

    for user in 0..8 {
        let mut of_user = BTreeSet::new();
        for node in 0..organization.nodes.len() {
            let chat = organization.chat_at(node, &key);
            let mut body = question("m");
            body["user"] = json!(format!("user-{user}"));
            let answer = chat.send(&body).await.expect(200);
            of_user.insert(answer.headers.need("x-gw-model").to_owned());
        }
        assert_eq!(of_user.len(), 1, "{of_user:?}");
        places.extend(of_user);
        let session = target(&organization, &key, &[("x-gw-session", "the same for all")]).await;
        places.insert(session);
    }

    // Both models, and one place for the session.
    assert_eq!(places.len(), 3, "{places:?}");
}

#[tokio::test]
async fn conditions_and_tasks_read_the_request() {
    let route = json!({
        "when": [
            {"if": "request.headers['x-tier'] == 'free' && key.name == 'main'", "route": {"target": "one/x"}},
            {"if": "has(request.task)", "route": {
                "task": {"code": {"target": "other/x"}}, "otherwise": {"target": "other/y"}
            }},
        ],
        "otherwise": {"target": "one/y"},
    });
    let (organization, key, _upstream) = with_route(route).await;

    assert_eq!(target(&organization, &key, &[]).await, "one/y");
    assert_eq!(target(&organization, &key, &[("x-tier", "free")]).await, "one/x");
    assert_eq!(target(&organization, &key, &[("x-gw-task", "code")]).await, "other/x");
    assert_eq!(target(&organization, &key, &[("x-gw-task", "poetry")]).await, "other/y");
}

#[tokio::test]
async fn a_condition_with_a_mistake_is_refused_with_its_line_and_column() {
    let (organization, _, _upstream) = with_route(json!({"target": "one/x"})).await;
    let target = json!({"target": "one/x"});
    let route = json!({"when": [{"if": "request.stream &&\n request.modle == 'm'", "route": target.clone()}], "otherwise": target});

    let body = json!({"name": "wrong", "route": route});
    let answer = organization.owner.post(&organization.path("/models"), &body).await;

    assert_eq!(answer.status, 422, "{}", answer.text());
    let problem = api::problem(&answer);
    let message = problem.fields.get("route.when[0].if").expect("the place");
    assert!(message.starts_with("line 2, column 10: "), "{message}");
    assert!(message.contains("did you mean `model`?"), "{message}");
}

#[tokio::test]
async fn a_request_bound_to_a_region_goes_nowhere_else() {
    let route = json!({"fallback": [{"target": "one/x"}, {"target": "other/x"}]});
    let (organization, key, upstream) = with_route(route).await;
    model(&organization, "elsewhere", &json!({"target": "one/x"})).await;
    organization.settled(&key, &["elsewhere"]).await;

    assert_eq!(target(&organization, &key, &[]).await, "one/x");
    assert_eq!(target(&organization, &key, &[("x-gw-region", "eu")]).await, "other/x");
    let mut labelled = question("m");
    labelled["metadata"] = json!({"region": "eu"});
    let answer = ask(&organization, &key, &labelled, &[]).await.expect(200);
    assert_eq!(answer.headers.need("x-gw-provider"), "other");

    let asked = upstream.seen().len();
    let answer = ask(&organization, &key, &question("elsewhere"), &[("x-gw-region", "eu")]).await;
    let error = refused(&answer, 403, "residency_unsatisfied");
    assert!(error.to_string().contains("may only go to `eu`"), "{error}");
    let native = Request::new("POST", "/native/one/chat/completions")
        .header("authorization", &format!("Bearer {}", key.secret))
        .header("x-gw-region", "eu")
        .json(&question("x"));
    let native = native.send(organization.chat(&key).address).await.expect("an answer");
    refused(&native, 403, "residency_unsatisfied");
    assert_eq!(upstream.seen().len(), asked, "nothing was sent");
}

#[tokio::test]
async fn what_no_target_can_answer_is_refused_in_the_callers_dialect_with_the_reasons() {
    let route = json!({"fallback": [{"target": "one/gpt-3.5-turbo"}, {"target": "other/gpt-4"}]});
    let (organization, key, upstream) = with_route(route).await;
    let address = organization.chat(&key).address;
    let post = async |path: &str, body: &Value| {
        let request = Request::new("POST", path).header("authorization", &format!("Bearer {}", key.secret));
        request.json(body).send(address).await.expect("an answer")
    };
    let reasons = "one/gpt-3.5-turbo cannot take images; other/gpt-4 cannot take images";
    let told = |answer: &Answer, place: &str| {
        assert_eq!(answer.status, 400, "{}", answer.text());
        let message = answer.json().pointer(place).expect("a message").to_string();
        assert!(message.contains(reasons), "{message}");
    };

    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}});
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": [picture]}]});
    let chat = post("/v1/chat/completions", &chat).await;
    refused(&chat, 400, "no_feasible_target");
    told(&chat, "/error/message");
    let source = json!({"type": "base64", "media_type": "image/png", "data": "aGk="});
    let messages = json!({
        "model": "m", "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}],
    });
    let messages = post("/v1/messages", &messages).await;
    told(&messages, "/error/message");
    assert_eq!(
        messages.json().pointer("/error/type"),
        Some(&json!("invalid_request_error"))
    );
    let part = json!({"inlineData": {"mimeType": "image/png", "data": "aGk="}});
    let gemini = json!({"contents": [{"role": "user", "parts": [part]}]});
    let gemini = post("/v1beta/models/m:generateContent", &gemini).await;
    told(&gemini, "/error/message");
    assert_eq!(gemini.json().pointer("/error/status"), Some(&json!("INVALID_ARGUMENT")));
    let responses = json!({"model": "m", "store": false, "input": [{"role": "user", "content": [
        {"type": "input_image", "image_url": "data:image/png;base64,aGk="}
    ]}]});
    told(&post("/v1/responses", &responses).await, "/error/message");
    assert_eq!(upstream.seen().len(), 0, "nobody was asked");
}

#[tokio::test]
async fn a_target_that_cannot_take_the_request_is_passed_over() {
    let route = json!({"fallback": [{"target": "one/gpt-3.5-turbo"}, {"target": "other/x"}]});
    let (organization, key, _upstream) = with_route(route).await;
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}});

    let body = json!({"model": "m", "messages": [{"role": "user", "content": [picture]}]});
    let answer = ask(&organization, &key, &body, &[]).await.expect(200);

    assert_eq!(answer.headers.need("x-gw-provider"), "other");
    assert_eq!(answer.headers.need("x-gw-attempts"), "1");
}
