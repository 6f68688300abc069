//! Embeddings of providers in their own dialects, for callers who know OpenAI's: the same numbers in either notation, and
//! metered as the provider counts.

use gatewright_types::UsageUnit;
use gatewright_types::api::Dialect;
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
    let many = embed(&organization, &key, &json!({"model": "m", "input": vec!["a"; 101]})).await;
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
