//! Embeddings of providers in their own dialects, for callers who know OpenAI's or Gemini's: the same numbers in any
//! notation, in the order of the texts however many calls they take, and metered as the provider counts.

use std::time::Duration;

use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, Outcome};
use harness::chat::{refused, request_id};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

/// An organization whose model `m` leads to a model of a provider of this kind.
async fn organization(upstream: &Upstream, provider: &Value, model: &str) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    let mut body = json!({"name": "up", "base_url": upstream.origin(),
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}]});
    for (name, value) in provider.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let made = organization.owner.post(&organization.path("/providers"), &body).await;
    made.expect(201);
    organization.model("m", &format!("up/{model}"), &json!({})).await;
    organization.price("up", model, &json!({"input": "1000"})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (organization, key)
}

async fn embed(organization: &Organization, key: &Key, body: &Value) -> Answer {
    let request = Request::new("POST", "/v1/embeddings").header("x-api-key", &key.secret);
    let sent = request.json(body).send(organization.chat(key).address).await;
    sent.expect("the data plane answers")
}

fn member<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// What a provider is asked and answers, and what the caller gets.
struct Case {
    provider: Value,
    model: &'static str,
    target: &'static str,
    sent: Value,
    said: Value,
    tokens: u64,
    estimated: bool,
}

async fn check(case: Case) {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &case.provider, case.model).await;
    let scripted = if case.target.ends_with("/embed") {
        case.model
    } else {
        case.target
    };
    upstream.on(scripted, Script::json(200, &case.said));
    let asked = json!({"model": "m", "input": "Say hello.", "dimensions": 2, "user": "u"});
    let mut in_base64 = asked.clone();
    in_base64["encoding_format"] = json!("base64");

    let floats = embed(&organization, &key, &asked).await.expect(200);
    let base64 = embed(&organization, &key, &in_base64).await.expect(200);

    let model = case.model;
    for (answer, written) in [(&floats, json!([0.5, -1.25])), (&base64, json!("AAAAPwAAoL8="))] {
        let usage = json!({"prompt_tokens": case.tokens, "total_tokens": case.tokens});
        assert_eq!(
            answer.json(),
            json!({"object": "list", "model": model, "usage": usage,
                "data": [{"object": "embedding", "index": 0, "embedding": written}]}),
            "{model}"
        );
        assert_eq!(answer.headers.need("x-gw-dropped-params"), "user", "{model}");
        let flag = case.estimated.then_some("true");
        assert_eq!(answer.headers.get("x-gw-estimated"), flag, "{model}");
        let row = organization.usage(&request_id(answer)).await;
        let lines: Vec<_> = row.lines.iter().map(|line| (line.unit, line.quantity)).collect();
        assert_eq!(lines, [(UsageUnit::InputUncached, case.tokens)], "{model}");
        assert_eq!(
            (row.dialect, row.estimated),
            (Dialect::OpenaiEmbeddings, case.estimated)
        );
        assert!(row.cost.is_some(), "{row:?}");
    }
    for seen in upstream.seen() {
        assert_eq!(
            (seen.target.as_str(), seen.json()),
            (case.target, case.sent.clone()),
            "{model}"
        );
    }
}

#[tokio::test]
async fn gemini_embeds_for_callers_of_openais_dialect() {
    check(Case {
        provider: json!({"kind": "gemini"}),
        model: "gemini-embedding-001",
        target: "/models/gemini-embedding-001:batchEmbedContents",
        sent: json!({"requests": [{"model": "models/gemini-embedding-001", "outputDimensionality": 2,
            "content": {"parts": [{"text": "Say hello."}]}}]}),
        said: json!({"embeddings": [{"values": [0.5, -1.25]}]}),
        // The provider tells no count.
        tokens: 3,
        estimated: true,
    })
    .await;
}

#[tokio::test]
async fn vertex_embeds_for_callers_of_openais_dialect() {
    check(Case {
        provider: json!({"kind": "vertex"}),
        model: "text-embedding-005",
        target: "/v1/publishers/google/models/text-embedding-005:predict",
        sent: json!({"instances": [{"content": "Say hello."}], "parameters": {"outputDimensionality": 2}}),
        said: json!({"predictions": [{"embeddings": {"values": [0.5, -1.25], "statistics": {"token_count": 4}}}]}),
        tokens: 4,
        estimated: false,
    })
    .await;
}

#[tokio::test]
async fn cohere_embeds_for_callers_of_openais_dialect() {
    check(Case {
        provider: json!({"kind": "cohere"}),
        model: "embed-v4.0",
        target: "/embed",
        sent: json!({"model": "embed-v4.0", "input_type": "search_document", "texts": ["Say hello."],
            "output_dimension": 2, "embedding_types": ["float"]}),
        said: json!({"id": "1", "embeddings": {"float": [[0.5, -1.25]]}, "texts": ["Say hello."],
            "meta": {"billed_units": {"input_tokens": 5}}}),
        tokens: 5,
        estimated: false,
    })
    .await;
}

#[tokio::test]
async fn models_on_bedrock_embed_in_the_dialects_of_their_makers() {
    let provider = json!({"kind": "bedrock", "region": "eu-central-1"});
    check(Case {
        provider: provider.clone(),
        model: "amazon.titan-embed-text-v2:0",
        target: "/model/amazon.titan-embed-text-v2:0/invoke",
        sent: json!({"inputText": "Say hello.", "dimensions": 2}),
        said: json!({"embedding": [0.5, -1.25], "inputTextTokenCount": 6}),
        tokens: 6,
        estimated: false,
    })
    .await;
    check(Case {
        provider,
        model: "cohere.embed-v4:0",
        target: "/model/cohere.embed-v4:0/invoke",
        sent: json!({"input_type": "search_document", "texts": ["Say hello."], "output_dimension": 2,
            "embedding_types": ["float"]}),
        said: json!({"embeddings": {"float": [[0.5, -1.25]]}, "response_type": "embeddings_by_type"}),
        tokens: 3,
        estimated: true,
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_ignores_the_notation_is_corrected_and_one_that_does_not_is_left_alone() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({"kind": "openai-compatible"}), "m").await;
    let said = r#"{"object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.50,-1.25]}],"model":"m","usage":{"prompt_tokens":6,"total_tokens":6},"x":1}"#;
    upstream.on("m", Script::body(200, "application/json", said));
    let asked = json!({"model": "m", "input": ["Say hello."], "encoding_format": "base64"});

    let corrected = embed(&organization, &key, &asked).await.expect(200);
    let left = embed(&organization, &key, &json!({"model": "m", "input": "Say hello."}))
        .await
        .expect(200);

    let told = corrected.json();
    assert_eq!(member(&told, "/data/0/embedding"), "AAAAPwAAoL8=");
    assert_eq!(member(&told, "/usage/prompt_tokens"), &json!(6));
    assert_eq!(left.text(), said);
    for answer in [&corrected, &left] {
        let row = organization.usage(&request_id(answer)).await;
        let lines: Vec<_> = row.lines.iter().map(|line| (line.unit, line.quantity)).collect();
        assert_eq!(
            (lines.as_slice(), row.estimated),
            (&[(UsageUnit::InputUncached, 6)][..], false)
        );
    }
}

#[tokio::test]
async fn what_a_provider_cannot_embed_is_refused_before_it_is_asked() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({"kind": "gemini"}), "gemini-embedding-001").await;

    let tokens = embed(&organization, &key, &json!({"model": "m", "input": [[1, 2]]})).await;
    let many = embed(&organization, &key, &json!({"model": "m", "input": vec!["a"; 2_049]})).await;
    let strictly = Request::new("POST", "/v1/embeddings")
        .header("x-api-key", &key.secret)
        .header("x-gw-strict", "true")
        .json(&json!({"model": "m", "input": "a", "user": "u"}));
    let strictly = strictly.send(organization.chat(&key).address).await.expect("an answer");

    for (answer, param) in [(&tokens, "input"), (&many, "input")] {
        let error = refused(answer, 400, "invalid_request");
        assert_eq!(member(&error, "/param"), param, "{error}");
    }
    let error = refused(&strictly, 400, "invalid_request");
    assert!(
        member(&error, "/message")
            .as_str()
            .is_some_and(|text| text.ends_with(": user")),
        "{error}"
    );
    assert!(upstream.seen().is_empty());
}

const TITAN: &str = "amazon.titan-embed-text-v2:0";

fn bedrock() -> Value {
    json!({"kind": "bedrock", "region": "eu-central-1"})
}

/// A provider that takes one text at a time, and answers the first ones last.
async fn one_at_a_time(texts: usize) -> (Upstream, Vec<String>) {
    let upstream = Upstream::start().await;
    let texts: Vec<_> = (0..texts).map(|number| format!("text {number}")).collect();
    for (number, text) in texts.iter().enumerate() {
        let said = json!({"embedding": [number, 0.5], "inputTextTokenCount": 3});
        let delay = Duration::from_millis(if number % 8 == 0 { 120 } else { 5 });
        upstream.on(text, Script::json(200, &said).after(delay));
    }
    (upstream, texts)
}

#[tokio::test]
async fn more_texts_than_a_vendor_takes_are_shared_out_and_are_one_request_all_the_same() {
    let (upstream, texts) = one_at_a_time(20).await;
    let (organization, key) = organization(&upstream, &bedrock(), TITAN).await;

    let answer = embed(&organization, &key, &json!({"model": "m", "input": texts}))
        .await
        .expect(200);

    let told = answer.json();
    let firsts: Vec<_> = (0..20)
        .map(|number| member(&told, &format!("/data/{number}/embedding/0")).clone())
        .collect();
    assert_eq!(
        firsts,
        (0..20).map(|number| json!(f64::from(number))).collect::<Vec<_>>()
    );
    assert_eq!(member(&told, "/usage/prompt_tokens"), &json!(60));
    assert_eq!(upstream.seen().len(), 20);
    let row = organization.usage(&request_id(&answer)).await;
    let lines: Vec<_> = row.lines.iter().map(|line| (line.unit, line.quantity)).collect();
    assert_eq!((lines, row.estimated), (vec![(UsageUnit::InputUncached, 60)], false));
    assert_eq!((row.attempts, organization.rows().await.len()), (1, 1), "one bill");
}

#[tokio::test]
async fn a_call_that_fails_fails_all_of_a_request_that_was_shared_out() {
    let (upstream, texts) = one_at_a_time(20).await;
    upstream.on(
        "text 1",
        Script::json(400, &json!({"message": "Malformed input request."})),
    );
    let (organization, key) = organization(&upstream, &bedrock(), TITAN).await;

    let answer = embed(&organization, &key, &json!({"model": "m", "input": texts})).await;

    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("Malformed input request."), "{}", answer.text());
    assert!(upstream.seen().len() < 20, "nothing more is asked than was under way");
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!((row.outcome, row.lines.len()), (Outcome::Failed, 0));
}

async fn embed_contents(organization: &Organization, key: &Key, target: &str, body: &Value) -> Answer {
    let request = Request::new("POST", target).header("x-goog-api-key", &key.secret);
    let sent = request.json(body).send(organization.chat(key).address).await;
    sent.expect("the data plane answers")
}

#[tokio::test]
async fn geminis_own_requests_for_embeddings_pass_to_gemini_as_they_are() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({"kind": "gemini"}), "gemini-embedding-001").await;
    let said = r#"{ "embedding": {"values":[0.50,-1.25]},"usageMetadata":{"promptTokenCount":6},"x":1 }"#;
    let there = "/models/gemini-embedding-001";
    upstream.on(
        &format!("{there}:embedContent"),
        Script::body(200, "application/json", said),
    );
    let many = json!({"embeddings": vec![json!({"values": [0.5]}); 2], "usageMetadata": {"promptTokenCount": 7}});
    // To this provider a body's model is the model it is scripted by.
    upstream.on(
        "models/gemini-embedding-001",
        Script::body(200, "application/json", said),
    );
    upstream.on(&format!("{there}:batchEmbedContents"), Script::json(200, &many));
    let content = json!({"parts": [{"text": "Say hello."}], "future": 1});
    let one = json!({"model": "models/m", "content": content, "taskType": "RETRIEVAL_QUERY", "x": null});
    let two = json!({"requests": [{"model": "models/m", "content": content}, {"content": content}]});

    let first = embed_contents(&organization, &key, "/v1beta/models/m:embedContent", &one)
        .await
        .expect(200);
    let second = embed_contents(&organization, &key, "/v1/models/m:batchEmbedContents", &two)
        .await
        .expect(200);

    assert_eq!(first.text(), said);
    assert_eq!(second.json(), many);
    let seen = upstream.seen();
    let named = json!("models/gemini-embedding-001");
    let (mut expected_one, mut expected_two) = (one, two);
    expected_one["model"] = named.clone();
    expected_two["requests"][0]["model"] = named;
    assert_eq!(
        seen.iter()
            .map(|seen| (seen.target.clone(), seen.json()))
            .collect::<Vec<_>>(),
        [
            (format!("{there}:embedContent"), expected_one),
            (format!("{there}:batchEmbedContents"), expected_two)
        ]
    );
    for (answer, dialect, tokens) in [
        (&first, Dialect::GeminiEmbed, 6),
        (&second, Dialect::GeminiBatchEmbed, 7),
    ] {
        let row = organization.usage(&request_id(answer)).await;
        let lines: Vec<_> = row.lines.iter().map(|line| (line.unit, line.quantity)).collect();
        assert_eq!(
            (row.dialect, lines),
            (dialect, vec![(UsageUnit::InputUncached, tokens)])
        );
    }
}

#[tokio::test]
async fn callers_of_geminis_dialect_embed_with_other_providers_and_hear_errors_in_it() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({"kind": "cohere"}), "embed-v4.0").await;
    let said = json!({"embeddings": {"float": [[0.5, -1.25], [2, 3]]}, "meta": {"billed_units": {"input_tokens": 5}}});
    upstream.on("embed-v4.0", Script::json(200, &said));
    let content = |text: &str| json!({"parts": [{"text": text}, {"text": "!"}]});
    let request =
        |text: &str| json!({"model": "models/m", "content": content(text), "taskType": "CLUSTERING", "title": "T"});
    let asked = json!({"requests": [request("a"), request("b")]});
    let target = "/v1beta/models/m:batchEmbedContents";

    let answer = embed_contents(&organization, &key, target, &asked).await.expect(200);

    assert_eq!(
        answer.json(),
        json!({"embeddings": [{"values": [0.5, -1.25]}, {"values": [2.0, 3.0]}], "usageMetadata": {"promptTokenCount": 5}})
    );
    assert_eq!(answer.headers.need("x-gw-dropped-params"), "title");
    assert_eq!(
        upstream.only().json(),
        json!({"model": "embed-v4.0", "input_type": "clustering", "texts": ["a\n!", "b\n!"], "embedding_types": ["float"]})
    );
    let error = |answer: &Answer| {
        let error = answer.json()["error"].clone();
        (
            answer.status,
            error["code"].clone(),
            error["status"].clone(),
            error["message"].to_string(),
        )
    };
    let picture = json!({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}});
    let (status, code, name, message) =
        error(&embed_contents(&organization, &key, "/v1/models/m:embedContent", &picture).await);
    assert_eq!((status, code, name), (400, json!(400), json!("INVALID_ARGUMENT")));
    assert!(message.contains("content.parts[0].inlineData"), "{message}");
    let (status, _, name, _) =
        error(&embed_contents(&organization, &key, "/v1/models/nobody:embedContent", &asked).await);
    assert_eq!(
        (status, name),
        (400, json!("INVALID_ARGUMENT")),
        "a batch is no content"
    );
    let (status, _, name, _) =
        error(&embed_contents(&organization, &key, "/v1beta/models/nobody:batchEmbedContents", &asked).await);
    assert_eq!((status, name), (404, json!("NOT_FOUND")));
    upstream.on("embed-v4.0", Script::json(429, &json!({"message": "slow down"})));
    let (status, _, name, _) = error(&embed_contents(&organization, &key, target, &asked).await);
    assert_eq!((status, name), (429, json!("RESOURCE_EXHAUSTED")));
}
