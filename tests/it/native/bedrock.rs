//! Bedrock's own addresses: signed anew, and priced by what Bedrock tells.

use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, NativeDialect};
use harness::chat::request_id;
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::{Organization, bedrock};
use harness::upstream::{Script, Upstream};
use serde_json::json;

use super::{lines, post, request, send};

#[tokio::test]
async fn calls_to_bedrock_are_signed_as_they_are_sent() {
    let upstream = Upstream::start().await;
    let keys = json!({"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG"});
    let mut provider = bedrock(&upstream.origin());
    provider["credentials"] = json!([{"name": "a", "aws": keys}]);
    let model = "amazon.nova-lite-v1:0";
    let (organization, key) = Organization::with_model(Installation::shared().await, &provider, model).await;
    let target = "/model/amazon.nova-lite-v1:0/converse";
    let said = json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {}});
    upstream.on(target, Script::json(200, &said));
    let listed = "/guardrails?maxResults=5&a=b";
    upstream.on(listed, Script::json(200, &json!({})));
    let converse = request(&key, "POST", &format!("/native/up{target}"), "{ \"messages\": [] }")
        .header("x-amzn-bedrock-trace", "ENABLED")
        .header("x-amz-date", "20200101T000000Z");
    let list = Request::new("GET", &format!("/native/up{listed}")).header("x-api-key", &key.secret);

    let answer = send(&organization, &key, converse).await.expect(200);
    send(&organization, &key, list).await.expect(200);

    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(lines(&row), [(UsageUnit::InputUncached, 5), (UsageUnit::OutputText, 2)]);
    assert!(row.cost.is_some(), "{row:?}");
    assert_eq!(row.dialect, Dialect::Native(NativeDialect::BedrockConverse));
    for seen in upstream.seen() {
        let authorization = seen.headers.need("authorization").to_owned();
        assert_eq!(authorization, signature(&seen), "{} {}", seen.method, seen.target);
        assert_ne!(seen.headers.need("x-amz-date"), "20200101T000000Z");
    }
}

/// What AWS would compute of a request, by its own words in it and the secret.
fn signature(seen: &harness::upstream::Seen) -> String {
    use sha2::{Digest as _, Sha256};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hmac = |key: &[u8], text: &str| {
        let padded = |with: u8| -> Vec<u8> {
            let filled = key.iter().copied().chain(std::iter::repeat(0)).take(64);
            filled.map(|byte| byte ^ with).collect()
        };
        let inner = Sha256::digest([padded(0x36), text.as_bytes().to_vec()].concat());
        Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
    };
    let time = seen.headers.need("x-amz-date");
    let date = time.get(..8).expect("a date");
    let given = seen.headers.need("authorization");
    let (_, rest) = given.split_once("SignedHeaders=").expect("a list");
    let (signed, _) = rest.split_once(',').expect("a list");
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let headers: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", seen.headers.need(name)))
        .collect();
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        seen.method,
        path.replace('%', "%25").replace(':', "%3A"),
        pairs.join("&"),
        hex(&Sha256::digest(&seen.body))
    );
    let scope = format!("{date}/eu-central-1/bedrock/aws4_request");
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = b"AWS4wJalrXUtnFEMI/K7MDENG".to_vec();
    for step in [date, "eu-central-1", "bedrock", "aws4_request"] {
        key = hmac(&key, step);
    }
    let signature = hex(&hmac(&key, &to_sign));
    format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}")
}

#[tokio::test]
async fn models_of_bedrock_in_their_makers_words_are_priced_by_what_bedrock_tells() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization.add("/providers", &bedrock(&upstream.origin())).await;
    organization
        .price("up", "meta.llama", &json!({"input": "1000", "output": "2000"}))
        .await;
    organization.model("m", "up/meta.llama", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let target = "/model/meta.llama/invoke";
    let said = json!({"generation": "Hello.", "prompt_token_count": 999});
    let told = Script::json(200, &said)
        .header("x-amzn-bedrock-input-token-count", "11")
        .header("x-amzn-bedrock-output-token-count", "4");
    upstream.on(target, told);

    let told = post(&organization, &key, &format!("/native/up{target}"), r#"{"prompt":"a"}"#).await;
    upstream.on(target, Script::json(200, &said));
    let untold = post(&organization, &key, &format!("/native/up{target}"), r#"{"prompt":"a"}"#).await;

    assert_eq!(told.headers.need("x-gw-cost-usd"), "0.019");
    let row = organization.usage(&request_id(&told)).await;
    assert_eq!(
        lines(&row),
        [(UsageUnit::InputUncached, 11), (UsageUnit::OutputText, 4)]
    );
    assert_eq!(
        (row.dialect, row.estimated),
        (Dialect::Native(NativeDialect::BedrockInvoke), false)
    );
    let row = organization.usage(&request_id(&untold)).await;
    assert_eq!((row.estimated, row.cost), (true, None), "it may be a picture");
}
