//! What would become of a request is what becomes of it; drafts are tried without being saved.

use gatewright_types::api::{
    AttemptEnd, AttemptReason, Decision, Explanation, FailureClass, Model, ModelCheck, SampleHealth,
};
use harness::chat::request_id;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

use crate::traces::trace;

/// Free callers get the cheap model, others the small one as long as their requests fit, and then the large one.
async fn with_rules(upstream: &Upstream) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    let base_url = upstream.base_url();
    organization.provider("up", "openai-compatible", Some(&base_url)).await;
    let facts = json!({"kind": "openai-compatible", "model": "small", "facts": {"context": 100}});
    let overlays = organization.path("/catalog/overlays");
    organization.owner.post(&overlays, &facts).await.expect(201);
    let route = json!({
        "when": [{"if": "request.headers[\"x-tier\"] == \"free\"", "route": {"target": "up/cheap"}}],
        "otherwise": {"fallback": [{"target": "up/small"}, {"target": "up/large"}]}
    });
    let models = organization.path("/models");
    let new = json!({"name": "smart", "route": route, "retries": {"attempts": 0}});
    organization.owner.post(&models, &new).await.expect(201);
    let key = organization.key("main").await;
    organization.settled(&key, &["smart"]).await;
    (organization, key)
}

async fn explain(organization: &Organization, asked: &Value) -> Answer {
    organization.owner.post(&organization.path("/explain"), asked).await
}

#[tokio::test]
async fn what_is_explained_is_what_happens() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_rules(&upstream).await;
    let chat = organization.chat(&key);
    let mut seen = std::collections::BTreeSet::new();

    for number in 0..50 {
        let tier = ["free", "paid", ""][number % 3];
        let content = "word ".repeat(1 + 150 * (number % 4));
        let body = json!({"model": "smart", "messages": [{"role": "user", "content": content}]});
        let request = json!({"headers": {"x-tier": tier}, "body": body, "key": "main"});
        let explained: Explanation = explain(&organization, &json!({ "request": request }))
            .await
            .expect(200)
            .read();
        let request = chat.request(&body).header("x-tier", tier).header("x-gw-trace", "1");
        let answer = request.send(chat.address).await.expect("an answer").expect(200);

        let first = explained
            .decision
            .route
            .kept()
            .next()
            .expect("a target")
            .target
            .to_string();
        let went = format!(
            "{}/{}",
            answer.headers.need("x-gw-provider"),
            answer.headers.need("x-gw-model")
        );
        assert_eq!(first, went, "{explained:?}");
        if number % 5 == 0 {
            let traced = trace(&organization, &answer).await.expect("it was asked for");
            assert_eq!(traced.route, explained.decision.route);
            assert_eq!(traced.needs, explained.decision.needs);
        }
        seen.insert(went);
    }

    assert_eq!(seen.len(), 3, "all ways were taken: {seen:?}");
}

#[tokio::test]
async fn a_failover_is_traced_with_all_its_attempts() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_rules(&upstream).await;
    upstream.on(
        "small",
        Script::body(500, "application/json", "{\"error\":{\"message\":\"broken\"}}"),
    );

    let answer = organization.chat(&key).ask("smart").await.expect(200);

    let decision = trace(&organization, &answer)
        .await
        .expect("more than one call is kept by default");
    let [first, second] = decision.attempts.as_slice() else {
        panic!("two attempts: {decision:?}")
    };
    assert_eq!(
        (first.target.to_string().as_str(), first.reason),
        ("up/small", AttemptReason::First)
    );
    assert!(
        matches!(
            first.ended,
            AttemptEnd::Failed {
                status: Some(500),
                failure: Some(FailureClass::Error),
                ..
            }
        ),
        "{first:?}"
    );
    assert_eq!(
        (second.target.to_string().as_str(), second.reason),
        ("up/large", AttemptReason::Failover)
    );
    assert_eq!(second.ended, AttemptEnd::Answered { status: 200 });
    assert!(second.began_us >= first.began_us + first.took_us, "{decision:?}");
}

#[tokio::test]
async fn a_refusal_is_explained_with_the_code_the_caller_gets() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_rules(&upstream).await;
    let models = organization.path("/models");
    let new = json!({"name": "tiny", "route": {"target": "up/small"}});
    organization.owner.post(&models, &new).await.expect(201);
    organization.settled(&key, &["tiny"]).await;
    let body = json!({"model": "tiny", "messages": [{"role": "user", "content": "word ".repeat(2_000)}]});

    let explained: Explanation = explain(&organization, &json!({"request": {"body": body}}))
        .await
        .expect(200)
        .read();
    let answer = organization.chat(&key).send(&body).await;

    assert_eq!(answer.status, 400, "{}", answer.text());
    let error = explained.decision.error.expect("it goes nowhere");
    assert_eq!(answer.json()["error"]["code"], json!(error.code));
    let traced = trace(&organization, &answer).await.expect("refusals are kept");
    assert_eq!(traced.route, explained.decision.route);
    assert_eq!(traced.error.map(|error| error.code), Some(error.code));
    assert!(upstream.seen().is_empty(), "nobody was asked");
}

#[tokio::test]
async fn a_route_is_tried_without_being_saved() {
    let upstream = Upstream::start().await;
    let (organization, _) = with_rules(&upstream).await;
    let price = json!({"input": "1", "output": "2"});
    organization.price("up", "priced", &price).await;
    let before: Vec<Model> = organization.all("/models").await;

    let draft = json!({"route": {"fallback": [{"target": "up/priced"}, {"target": "up/free"}]}, "request": {}});
    let explained: Explanation = explain(&organization, &draft).await.expect(200).read();

    let costs: Vec<_> = explained
        .costs
        .iter()
        .map(|known| (known.target.to_string(), known.cost.is_some()))
        .collect();
    assert_eq!(costs, [("up/priced".to_owned(), true), ("up/free".to_owned(), false)]);
    let instead = json!({"route": {"target": "up/other"}, "request": {"model": "smart"}});
    let explained: Explanation = explain(&organization, &instead).await.expect(200).read();
    let kept: Vec<_> = explained
        .decision
        .route
        .kept()
        .map(|kept| kept.target.to_string())
        .collect();
    assert_eq!(kept, ["up/other"]);

    let wrong = json!({"route": {"target": "nowhere/x"}, "request": {}});
    let refused = explain(&organization, &wrong).await.expect(422).json();
    assert!(refused["error"]["fields"]["route.target"].is_string(), "{refused}");
    let unknown = json!({"request": {"model": "smart", "key": "nobody's"}});
    let refused = explain(&organization, &unknown).await.expect(422).json();
    assert!(refused["error"]["fields"]["request.key"].is_string(), "{refused}");
    assert_eq!(organization.all::<Model>("/models").await, before);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_draft_is_checked_at_its_places() {
    let upstream = Upstream::start().await;
    let (organization, _) = with_rules(&upstream).await;
    let check = async |draft: Value| -> Vec<String> {
        let path = organization.path("/models/check");
        let check: ModelCheck = organization.owner.post(&path, &draft).await.expect(200).read();
        check.problems.into_iter().map(|problem| problem.place).collect()
    };

    assert!(check(json!({"route": {"target": "up/x"}})).await.is_empty());
    assert!(
        check(json!({"name": "smart", "route": {"target": "up/x"}}))
            .await
            .is_empty()
    );
    let wrong = json!({
        "route": {"fallback": [{"target": "up/x"}, {"when": [{"if": "1 +", "route": {"target": "nowhere/x"}}]}]},
        "retries": {"attempts": 200}
    });
    let places = check(wrong).await;
    for place in [
        "route.fallback[1].when[0].if",
        "route.fallback[1].when[0].route.target",
        "retries.attempts",
    ] {
        assert!(places.iter().any(|found| found == place), "{place}: {places:?}");
    }
}

#[tokio::test]
async fn a_sample_is_explained_by_what_nodes_see_of_targets_unless_it_is_to_be_ideal() {
    let upstream = Upstream::start().await;
    upstream.on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    let organization = Organization::make(Installation::shared().await).await;
    let provider = json!({"name": "up", "kind": "openai-compatible", "base_url": upstream.base_url(),
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001", "weight": 1}],
        "breaker": {"min_requests": 2, "window": "120s", "open_for": "120s"}});
    let path = organization.path("/providers");
    organization.owner.post(&path, &provider).await.expect(201);
    let route = json!({"fallback": [{"target": "up/m"}, {"target": "up/other"}]});
    let model = json!({"name": "m", "route": route, "retries": {"attempts": 0}});
    organization
        .owner
        .post(&organization.path("/models"), &model)
        .await
        .expect(201);
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let told = async |health: Value| {
        let mut asked = json!({"request": {"model": "m"}});
        if !health.is_null() {
            asked["health"] = health;
        }
        let explained: Explanation = explain(&organization, &asked).await.expect(200).read();
        let kept: Vec<_> = explained
            .decision
            .route
            .kept()
            .map(|it| it.target.to_string())
            .collect();
        (explained.health, kept)
    };
    assert_eq!(told(Value::Null).await.1, ["up/m", "up/other"], "nothing failed yet");

    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Say hello."}]});
    for _ in 0..2 {
        organization.chat(&key).send(&body).await.expect(200);
    }

    eventually("the breaker is reported", SOON, async || {
        let (health, kept) = told(Value::Null).await;
        assert_eq!(health, SampleHealth::Current);
        (kept == ["up/other", "up/m"]).then_some(())
    })
    .await;
    let ideal = told(json!("ideal")).await;
    assert_eq!(
        ideal,
        (SampleHealth::Ideal, vec!["up/m".to_owned(), "up/other".to_owned()])
    );
}

/// A request that was made, explained by what was kept of it.
async fn again(organization: &Organization, answer: &Answer) -> Explanation {
    let asked = json!({"request": request_id(answer)});
    explain(organization, &asked).await.expect(200).read()
}

fn kept(decision: &Decision) -> Vec<String> {
    let kept = decision.route.kept().map(|candidate| candidate.target.to_string());
    kept.collect()
}

#[tokio::test]
async fn a_request_that_was_made_is_decided_again_by_what_was_kept_of_it() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_rules(&upstream).await;
    let chat = organization.chat(&key);
    for (tier, words, first) in [
        (Some("free"), 1, "up/cheap"),
        (Some("paid"), 1, "up/small"),
        (None, 400, "up/large"),
    ] {
        let content = "secret-word ".repeat(words);
        let body = json!({"model": "smart", "messages": [{"role": "user", "content": content}]});
        let mut request = chat.request(&body).header("x-gw-trace", "1");
        if let Some(tier) = tier {
            request = request.header("x-tier", tier);
        }
        let answer = request.send(chat.address).await.expect("an answer").expect(200);
        let traced = trace(&organization, &answer).await.expect("it was asked for");

        let explained = again(&organization, &answer).await;

        assert_eq!(explained.decision.route, traced.route, "{tier:?}");
        assert_eq!(explained.decision.needs, traced.needs);
        assert_eq!(kept(&explained.decision).first().map(String::as_str), Some(first));
        assert_eq!(explained.not_kept, ["what its messages, tools and files say"]);
        let json = serde_json::to_string(&explained).expect("JSON");
        assert!(!json.contains("secret-word"), "{json}");
        assert_eq!(explained.then, Some(traced));
    }
    assert_eq!(upstream.seen().len(), 3, "nobody was called for that");
}

#[tokio::test]
async fn a_request_that_was_made_is_decided_by_the_configuration_as_it_is_by_now() {
    let upstream = Upstream::start().await;
    let (organization, key) = with_rules(&upstream).await;
    let chat = organization.chat(&key);
    let body = json!({"model": "smart", "messages": [{"role": "user", "content": "Hi"}], "metadata": {"app": "one"}});
    let sent = [("x-tier", "free"), ("x-plan", "gold"), ("x-gw-trace", "1")];
    let request = sent.iter().fold(chat.request(&body), |request, (name, value)| {
        request.header(name, value)
    });
    let answer = request.send(chat.address).await.expect("an answer").expect(200);
    let without = chat.send(&body).await.expect(200);
    assert_eq!(trace(&organization, &without).await, None);
    assert_eq!(kept(&again(&organization, &answer).await.decision), ["up/cheap"]);
    let models: Vec<Model> = organization.all("/models").await;
    let model = models.first().expect("the model");
    let route = json!({"when": [
        {"if": "request.headers[\"x-tier\"] == \"free\"", "route": {"target": "up/large"}},
        {"if": "request.headers[\"x-plan\"] == \"gold\"", "route": {"target": "up/small"}},
        {"if": "request.metadata[\"app\"] == \"one\" && budget.remaining_percent > 10.0", "route": {"target": "up/small"}},
    ], "otherwise": {"target": "up/cheap"}});
    let path = organization.path(&format!("/models/{}", model.id));
    let change = json!({"route": route, "retries": {"attempts": 0}});
    organization.owner.patch(&path, &change).await.expect(200);

    let explained = again(&organization, &answer).await;
    let unknown = again(&organization, &without).await;

    assert_eq!(kept(&explained.decision), ["up/large"]);
    assert_eq!(explained.then.as_ref().map(kept), Some(vec!["up/cheap".to_owned()]));
    assert_eq!(
        explained.not_kept,
        [
            "what its messages, tools and files say",
            "the header x-plan",
            "the label app of its metadata",
            "how its budgets stood"
        ]
    );
    assert_eq!(kept(&unknown.decision), ["up/cheap"], "as if it had said nothing");
    assert_eq!(unknown.then, None);
    let lost = [
        "how large it was and what it needed of a model",
        "its headers, labels and session",
    ];
    assert_eq!(unknown.not_kept[1..], lost);

    let stranger = Organization::make(Installation::shared().await).await;
    let asked = json!({"request": request_id(&answer)});
    explain(&stranger, &asked).await.expect(404);
    let wrong = explain(&organization, &json!({"request": "req_nothing"}))
        .await
        .expect(422);
    assert!(wrong.text().contains("request"), "{}", wrong.text());
    let wrong = explain(&organization, &json!({"request": {"modell": "smart"}}))
        .await
        .expect(422);
    assert!(wrong.text().contains("modell"), "{}", wrong.text());
}

#[tokio::test]
async fn a_request_in_any_dialect_is_decided_again() {
    let installation = Installation::shared().await;
    let (sandbox, sandbox_key) = Organization::with_sandbox(installation).await;
    let upstream = Upstream::start().await;
    let (embedding, embedding_key) = Organization::with_upstream(installation, &upstream, &["m"]).await;
    let vector = json!({"object": "embedding", "index": 0, "embedding": [0.5]});
    let vectors =
        json!({"object": "list", "model": "m", "data": [vector], "usage": {"prompt_tokens": 1, "total_tokens": 1}});
    upstream.on("m", Script::json(200, &vectors));
    let tools = json!([{"name": "f", "input_schema": {"type": "object"}}]);
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let message = json!({"model": "echo", "max_tokens": 9, "tools": tools, "messages": messages});
    let content = json!({"parts": [{"text": "Hi"}]});
    for (path, body) in [
        ("/v1/messages", message),
        ("/v1/responses", json!({"model": "echo", "input": "Hi", "stream": true})),
        (
            "/v1/completions",
            json!({"model": "echo", "prompt": "Hi", "max_tokens": 5}),
        ),
        (
            "/v1beta/models/echo:streamGenerateContent",
            json!({"contents": [content]}),
        ),
        ("/v1/embeddings", json!({"model": "m", "input": "Hi"})),
        ("/v1beta/models/m:embedContent", json!({"content": content})),
        (
            "/v1beta/models/m:batchEmbedContents",
            json!({"requests": [{"content": content}]}),
        ),
    ] {
        let (organization, key) = match path.contains("mbed") {
            true => (&embedding, &embedding_key),
            false => (&sandbox, &sandbox_key),
        };
        let request = Request::new("POST", path)
            .header("x-api-key", &key.secret)
            .header("x-gw-trace", "1");
        let sent = request.json(&body).send(organization.chat(key).address).await;
        let answer = sent.expect("an answer").expect(200);
        let traced = trace(organization, &answer).await.expect("it was asked for");

        let explained = again(organization, &answer).await;

        assert_eq!(explained.decision.route, traced.route, "{path}");
        assert_eq!(explained.decision.needs, traced.needs, "{path}");
        assert_eq!(explained.decision.error, None, "{path}");
    }
}
