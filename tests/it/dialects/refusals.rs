//! Errors of the gateway's own, in the words of the dialect that was spoken.

use harness::http::Request;
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use serde_json::json;

use super::{asked_in_anthropic, member, organization, post};

#[tokio::test]
async fn refusals_speak_the_callers_dialect() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible").await;
    let limited = json!({"error": {"message": "slow down", "type": "t", "param": null, "code": "rate_limit_exceeded"}});
    upstream.on("m", Script::json(429, &limited).header("retry-after", "7"));
    let asked = asked_in_anthropic(false);
    let mut unknown = asked.clone();
    unknown["model"] = json!("nope");
    let stranger = Key {
        secret: "gw-nobody-knows-this-one".to_owned(),
        ..key.clone()
    };

    let limited = post(&organization, &key, "/v1/messages", &asked).await;
    let unknown = post(&organization, &key, "/v1/messages", &unknown).await;
    let refused = post(&organization, &stranger, "/v1/messages", &asked).await;
    let gemini = json!({"contents": [{"parts": [{"text": "Say hello."}]}]});
    let gemini_unknown = post(&organization, &key, "/v1beta/models/nope:generateContent", &gemini).await;

    for (answer, status, kind) in [
        (&limited, 429, "rate_limit_error"),
        (&unknown, 404, "not_found_error"),
        (&refused, 401, "authentication_error"),
    ] {
        let body = answer.json();
        assert_eq!(
            (answer.status, member(&body, "/type")),
            (status, &json!("error")),
            "{body}"
        );
        assert_eq!(member(&body, "/error/type"), kind, "{body}");
        assert_eq!(member(&body, "/request_id"), answer.headers.need("x-gw-request-id"));
    }
    assert_eq!(limited.headers.need("retry-after"), "7");
    assert_eq!(gemini_unknown.status, 404);
    assert_eq!(member(&gemini_unknown.json(), "/error/status"), "NOT_FOUND");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_dialect_of_its_address() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let address = organization.chat(&key).address;
    let send = async |method: &str, path: &str, body: &str| {
        let request = Request::new(method, path)
            .header("x-api-key", &key.secret)
            .bytes("application/json", body.as_bytes().to_vec());
        request.send(address).await.expect("an answer")
    };
    let envelopes = [
        ("/v1/responses", "/error/code", json!("invalid_request")),
        ("/v1/completions", "/error/code", json!("invalid_request")),
        ("/v1/embeddings", "/error/code", json!("invalid_request")),
        ("/v1/messages", "/error/type", json!("invalid_request_error")),
        (
            "/v1beta/models/echo:generateContent",
            "/error/status",
            json!("INVALID_ARGUMENT"),
        ),
        (
            "/v1beta/models/echo:streamGenerateContent",
            "/error/status",
            json!("INVALID_ARGUMENT"),
        ),
    ];

    for (path, pointer, expected) in envelopes {
        let deep = format!("{{\"model\":\"echo\",\"x\":{}", "[".repeat(500));
        for body in [
            "",
            "{",
            "[]",
            "{\"model\":7}",
            "{\"model\":\"echo\",\"messages\":\"x\"",
            &deep,
        ] {
            let answer = send("POST", path, body).await;
            assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
            assert_eq!(
                member(&answer.json(), pointer),
                &expected,
                "{path} {body}: {}",
                answer.text()
            );
        }
    }
    let wrong_method = send("DELETE", "/v1/messages", "").await;
    assert_eq!(
        (wrong_method.status, member(&wrong_method.json(), "/type")),
        (405, &json!("error"))
    );
    let unknown = send("POST", "/v1beta/models/echo:dance", "{}").await;
    assert_eq!(
        (unknown.status, member(&unknown.json(), "/error/status")),
        (404, &json!("NOT_FOUND"))
    );
}
