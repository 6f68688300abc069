//! Every address of the data plane is covered by budgets and limits, or is known to cost nobody anything.

use std::path::Path;

use harness::http::Request;
use harness::installation::Installation;
use harness::repository;
use harness::spending::{CENT, Plan, Spending};
use serde_json::{Value, json};

/// What is known of an address.
enum Address {
    /// It asks a model, in each of these ways.
    Answers(Vec<Request>),
    /// It costs nothing, but is counted as a request.
    Counted(Vec<Request>),
    /// It asks nobody, and tells what somebody has to know who has nothing left.
    Free,
}

fn posts(path: &str, body: &Value) -> Request {
    Request::new("POST", path).json(body)
}

fn address(method: &str, path: &str) -> Address {
    let messages = json!([{"role": "user", "content": "Say hello."}]);
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]});
    let chat = json!({"model": "m", "max_tokens": 100, "messages": messages});
    let embed = json!({"content": {"parts": [{"text": "hello"}]}});
    let embed_all = json!({"requests": [{"model": "models/m", "content": {"parts": [{"text": "hello"}]}}]});
    let gemini = |prefix: &str| {
        [
            ("generateContent", &contents),
            ("streamGenerateContent", &contents),
            ("embedContent", &embed),
            ("batchEmbedContents", &embed_all),
        ]
        .map(|(verb, body)| posts(&format!("{prefix}/models/m:{verb}"), body))
        .to_vec()
    };
    match (method, path) {
        ("post", "/v1/chat/completions" | "/v1/messages") => Address::Answers(vec![posts(path, &chat)]),
        ("post", "/v1/responses") => Address::Answers(vec![
            posts(
                path,
                &json!({"model": "m", "input": "Say hello.", "max_output_tokens": 100}),
            ),
            posts(path, &json!({"model": "m", "input": "Say hello.", "background": true})),
        ]),
        ("post", "/v1/completions") => Address::Answers(vec![posts(
            path,
            &json!({"model": "m", "prompt": "Say", "max_tokens": 100}),
        )]),
        ("post", "/v1/embeddings") => {
            Address::Answers(vec![posts(path, &json!({"model": "m", "input": "Say hello."}))])
        }
        ("post", "/v1/models/{model:.*}") => Address::Answers(gemini("/v1")),
        ("post", "/v1beta/models/{model:.*}") => Address::Answers(gemini("/v1beta")),
        ("any", "/native/{tail:.*}") => Address::Answers(vec![
            posts("/native/up/chat/completions", &chat),
            posts("/native/up/nobody/knows", &chat),
            Request::new("GET", "/native/up/models"),
        ]),
        ("post", "/v1/messages/count_tokens") => Address::Counted(vec![
            posts(path, &chat),
            posts("/v1beta/models/m:countTokens", &contents),
        ]),
        ("get" | "delete", "/v1/responses/{id}") => {
            Address::Counted(vec![Request::new(&method.to_uppercase(), "/v1/responses/resp_1")])
        }
        ("get", "/v1/responses/{id}/input_items") => {
            Address::Counted(vec![Request::new("GET", "/v1/responses/resp_1/input_items")])
        }
        ("post", "/v1/responses/{id}/cancel") => {
            Address::Counted(vec![Request::new("POST", "/v1/responses/resp_1/cancel")])
        }
        (
            "get",
            "/v1/models" | "/v1/models/{model:.*}" | "/v1beta/models" | "/v1beta/models/{model:.*}" | "/v1/usage",
        ) => Address::Free,
        _ => panic!("{method} {path} is new: say here whether budgets and limits cover it, and how it is asked"),
    }
}

/// All addresses with their methods, as they are mounted.
fn addresses() -> Vec<(&'static str, String)> {
    let source = repository::read(Path::new("crates/proxy/src/edge/mod.rs"));
    let mut found = Vec::new();
    for mounted in source
        .split(".service(")
        .skip(1)
        .filter(|mounted| !mounted.starts_with("web::scope"))
    {
        let path = mounted.split('"').nth(1).expect("an address").to_owned();
        let methods = [
            ("get", "on(&Method::GET)"),
            ("post", "on(&Method::POST)"),
            ("delete", "on(&Method::DELETE)"),
        ];
        let before = found.len();
        for (method, _) in methods.iter().filter(|(_, word)| mounted.contains(word)) {
            found.push((*method, path.clone()));
        }
        if found.len() == before {
            found.push(("any", path));
        }
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

async fn spent() -> Spending {
    let installation = Installation::shared().await;
    let budget = json!({"scope": "organization", "amount": CENT, "window": "day", "unpriced": "block"});
    let spending = Spending::with_budget(installation, budget).await;
    spending.spend().await;
    spending
}

#[tokio::test]
async fn every_address_is_covered_by_budgets_and_limits() {
    let installation = Installation::shared().await;
    let nothing = Plan {
        budgets: vec![json!({"scope": "organization", "amount": "0", "window": "day"})],
        ..Plan::default()
    };
    let nothing = Spending::with(installation, nothing).await;
    let limited = Spending::with_limit(installation, json!({"scope": "organization", "rpm": 0})).await;
    let spent = spent().await;

    for (method, path) in addresses() {
        let (requests, costs) = match address(method, &path) {
            Address::Answers(requests) => (requests, true),
            Address::Counted(requests) => (requests, false),
            Address::Free => continue,
        };
        for request in requests {
            let told = format!("{} {}", request.method, request.target);
            let refusal = nothing.send(request.clone()).await;
            assert_eq!(refusal.status, 402, "with nothing, {told}: {}", refusal.text());
            let refusal = limited.send(request.clone()).await;
            assert_eq!(refusal.status, 429, "beyond the limit, {told}: {}", refusal.text());
            assert!(refusal.headers.get("retry-after").is_some(), "{told}");
            if costs {
                let refusal = spent.send(request).await;
                assert!(
                    matches!(refusal.status, 400 | 402),
                    "spent, {told}: {} {}",
                    refusal.status,
                    refusal.text()
                );
                assert!(
                    ["budget_exceeded", "unpriced"]
                        .iter()
                        .any(|code| refusal.text().contains(code)),
                    "spent, {told}: {}",
                    refusal.text()
                );
            }
        }
    }
    assert!(nothing.upstream.seen().is_empty() && limited.upstream.seen().is_empty());
    assert_eq!(spent.upstream.seen().len(), 1);
}
