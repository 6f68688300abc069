//! Clouds, from one end to the other: who gives out tokens and keys is asked once for many calls and again before they
//! expire, with proofs that are checked here as the clouds check them, and what it refuses is not the caller's fault.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use gatewright_types::ProblemCode;
use harness::api::refused;
use harness::chat;
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sigv4;
use harness::upstream::{Script, Seen, Upstream};
use harness::wait::{SOON, eventually};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

/// Made for tests and known to nobody else.
const SERVICE_ACCOUNT_KEY: &str = include_str!("../../crates/proxy/src/upstream/identity/tests/service_account.pem");
const ENTRA: &str = "/acme-tenant/oauth2/v2.0/token";
const GOOGLE: &str = "/token";
const STS: &str = "/";
const ROLE: &str = "arn:aws:iam::123456789012:role/gateway";
/// Renewed after three quarters of it.
const SHORT_LIFE: Duration = Duration::from_secs(4);

/// A cloud that gives out tokens at one address and answers at others.
struct Cloud {
    upstream: Upstream,
    tokens_at: &'static str,
}

impl Cloud {
    async fn start(tokens_at: &'static str) -> Self {
        Self {
            upstream: Upstream::start().await,
            tokens_at,
        }
    }

    /// Takes its time, so that calls have to wait for it together.
    fn gives(&self, token: &Script) {
        let slow = token.clone().after(Duration::from_millis(300));
        self.upstream.on(self.tokens_at, slow);
    }

    /// Who was asked for tokens, and who for answers.
    fn seen(&self) -> (Vec<Seen>, Vec<Seen>) {
        let seen = self.upstream.seen().into_iter();
        seen.partition(|seen| seen.target == self.tokens_at)
    }

    fn authorizations(&self) -> Vec<String> {
        let (_, calls) = self.seen();
        let shown = |seen: &Seen| seen.headers.need("authorization").to_owned();
        calls.iter().map(shown).collect()
    }
}

/// An organization with this provider and models that lead to the given ones there.
async fn with_cloud(provider: &Value, models: &[&str]) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    let path = organization.path("/providers");
    organization.owner.post(&path, provider).await.expect(201);
    for model in models {
        organization.model(model, &format!("cloud/{model}"), &json!({})).await;
    }
    let key = organization.key("main").await;
    organization.settled(&key, models).await;
    (organization, key)
}

/// Calls of one node at the same time; all of them are answered.
async fn all_at_once(organization: &Organization, key: &Key, model: &'static str) {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let chat = organization.chat(key);
        calls.spawn(async move { chat.ask(model).await });
    }
    for answer in calls.join_all().await {
        answer.expect(200);
    }
}

/// What a cloud is asked while its first token expires: `renewed` tells the calls that were made with the second one.
async fn renews_once(cloud: &Cloud, organization: &Organization, key: &Key, model: &'static str, next: &Script) {
    cloud.gives(next);
    let asked = || cloud.seen().0.len();
    eventually("what is about to expire is renewed", SOON, async || {
        all_at_once(organization, key, model).await;
        (asked() == 2).then_some(())
    })
    .await;
    tokio::time::timeout(Duration::from_secs(1), all_at_once(organization, key, model))
        .await
        .expect("nobody waits for a token any more");
    assert_eq!(asked(), 2, "renewed once, however many calls came meanwhile");
}

fn token(text: &str, lives: Duration) -> Script {
    Script::json(
        200,
        &json!({"access_token": text, "token_type": "Bearer", "expires_in": lives.as_secs()}),
    )
}

/// A form as it was sent.
fn form(seen: &Seen) -> BTreeMap<String, String> {
    assert_eq!(seen.headers.need("content-type"), "application/x-www-form-urlencoded");
    let body = String::from_utf8(seen.body.clone()).expect("text");
    let decoded = |text: &str| {
        let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            match (first, others) {
                (b'+', _) => bytes.push(b' '),
                (b'%', [high, low, ..]) => {
                    let digits = String::from_utf8(vec![*high, *low]).expect("digits");
                    bytes.push(u8::from_str_radix(&digits, 16).expect("digits"));
                    rest = &others[2..];
                }
                (other, _) => bytes.push(*other),
            }
        }
        String::from_utf8(bytes).expect("text")
    };
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn azure(cloud: &Cloud) -> Value {
    let entra = json!({
        "tenant_id": "acme-tenant", "client_id": "acme-client", "client_secret": "entra&secret=0001",
        "token_url": cloud.upstream.origin(),
    });
    json!({
        "name": "cloud", "kind": "azure", "base_url": cloud.upstream.origin(),
        "credentials": [{"name": "a", "entra": entra}],
    })
}

#[tokio::test]
async fn azure_is_called_with_a_token_of_entra() {
    let cloud = Cloud::start(ENTRA).await;
    cloud.gives(&token("first", SHORT_LIFE));
    let (organization, key) = with_cloud(&azure(&cloud), &["gpt-4o"]).await;

    all_at_once(&organization, &key, "gpt-4o").await;

    let (asked, calls) = cloud.seen();
    assert_eq!(asked.len(), 1, "one token for all of them");
    let expected = [
        ("client_id", "acme-client"),
        ("client_secret", "entra&secret=0001"),
        ("grant_type", "client_credentials"),
        ("scope", "https://ai.azure.com/.default"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(form(&asked[0]), BTreeMap::from(expected));
    assert!(
        calls
            .iter()
            .all(|call| call.target == "/openai/v1/chat/completions" && call.headers.get("api-key").is_none())
    );
    renews_once(
        &cloud,
        &organization,
        &key,
        "gpt-4o",
        &token("second", Duration::from_secs(3600)),
    )
    .await;
    let shown = cloud.authorizations();
    assert!(
        shown
            .iter()
            .all(|shown| shown == "Bearer first" || shown == "Bearer second"),
        "{shown:?}"
    );
    assert_eq!(shown.last().map(String::as_str), Some("Bearer second"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_no_fault_of_the_callers() {
    let cloud = Cloud::start(ENTRA).await;
    let answers = [
        (
            Script::json(
                401,
                &json!({"error": "invalid_client", "error_description": "AADSTS7000215 entra&secret=0001"}),
            ),
            "upstream_auth",
        ),
        (
            Script::json(400, &json!({"error": "unauthorized_client"})),
            "upstream_auth",
        ),
        (Script::body(200, "text/html", "<html>sign in</html>"), "upstream_error"),
    ];
    cloud.upstream.on(ENTRA, answers[0].0.clone());
    let (organization, key) = with_cloud(&azure(&cloud), &["gpt-4o"]).await;

    for (script, code) in answers {
        cloud.upstream.on(ENTRA, script);
        let answer = organization.chat(&key).ask("gpt-4o").await;
        chat::refused(&answer, 502, code);
        for internal in ["entra&secret", "AADSTS", "127.0.0.1", "acme-tenant"] {
            assert!(!answer.text().contains(internal), "{internal} is in {}", answer.text());
        }
    }
    let (_, calls) = cloud.seen();
    assert!(calls.is_empty(), "nothing is sent without a token");
}

/// Checks a service account's statement as Google does.
fn verify_statement(seen: &Seen, audience: &str) {
    let form = form(seen);
    assert_eq!(
        form.get("grant_type").map(String::as_str),
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer")
    );
    let statement = form.get("assertion").expect("a statement");
    let (signed, signature) = statement.rsplit_once('.').expect("a signature");
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64");
    let der: String = SERVICE_ACCOUNT_KEY
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).expect("base64")).expect("an RSA key");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
    public
        .verify(signed.as_bytes(), &decoded(signature))
        .expect("signed with the account's key");
    let parts: Vec<Value> = signed
        .split('.')
        .map(|part| serde_json::from_slice(&decoded(part)).expect("JSON"))
        .collect();
    let [head, claims] = parts.as_slice() else {
        panic!("a head and claims: {parts:?}")
    };
    assert_eq!((&head["alg"], &head["kid"]), (&json!("RS256"), &json!("acme-key-1")));
    assert_eq!(claims["iss"], "gateway@acme.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], audience);
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloud-platform");
    let (issued, expires) = (
        claims["iat"].as_i64().expect("a time"),
        claims["exp"].as_i64().expect("a time"),
    );
    assert!((Utc::now().timestamp() - issued).abs() < 60, "{claims}");
    assert!((1..=3600).contains(&(expires - issued)), "{claims}");
}

#[tokio::test]
async fn gemini_and_claude_at_vertex_are_called_with_one_token_of_a_service_account() {
    let cloud = Cloud::start(GOOGLE).await;
    let token_url = format!("{}{GOOGLE}", cloud.upstream.origin());
    cloud.gives(&token("first", SHORT_LIFE));
    let publishers = "/v1/projects/acme-prod/locations/europe-west4/publishers";
    let gemini = json!({
        "candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "of Gemini"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
    });
    let claude = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "of Claude"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 3, "output_tokens": 2},
    });
    let at_gemini = format!("{publishers}/google/models/gemini-2.5-flash:generateContent");
    let at_claude = format!("{publishers}/anthropic/models/claude-sonnet-4-5:rawPredict");
    cloud.upstream.on(&at_gemini, Script::json(200, &gemini));
    cloud.upstream.on(&at_claude, Script::json(200, &claude));
    let file = json!({
        "type": "service_account", "project_id": "acme-prod", "private_key_id": "acme-key-1",
        "private_key": SERVICE_ACCOUNT_KEY, "client_email": "gateway@acme.iam.gserviceaccount.com",
        "token_uri": token_url,
    });
    let provider = json!({
        "name": "cloud", "kind": "vertex", "base_url": cloud.upstream.origin(), "project": "acme-prod",
        "region": "europe-west4",
        "credentials": [{"name": "a", "google": {"service_account": file.to_string()}}],
    });
    let (organization, key) = with_cloud(&provider, &["gemini-2.5-flash", "claude-sonnet-4-5"]).await;

    all_at_once(&organization, &key, "gemini-2.5-flash").await;
    let answer = organization.chat(&key).ask("claude-sonnet-4-5").await.expect(200);

    assert!(answer.text().contains("of Claude"), "{}", answer.text());
    let (asked, calls) = cloud.seen();
    assert_eq!(asked.len(), 1, "one token for both publishers");
    verify_statement(&asked[0], &token_url);
    assert_eq!(calls.iter().filter(|call| call.target == at_gemini).count(), 12);
    assert_eq!(calls.iter().filter(|call| call.target == at_claude).count(), 1);
    renews_once(
        &cloud,
        &organization,
        &key,
        "gemini-2.5-flash",
        &token("second", Duration::from_secs(3600)),
    )
    .await;
    assert_eq!(cloud.authorizations().last().map(String::as_str), Some("Bearer second"));

    cloud
        .upstream
        .on(GOOGLE, Script::json(400, &json!({"error": "invalid_grant"})));
    let mut other = file;
    other["client_email"] = json!("another@acme.iam.gserviceaccount.com");
    let mut provider = provider;
    provider["credentials"] = json!([{"name": "a", "google": {"service_account": other.to_string()}}]);
    let (organization, key) = with_cloud(&provider, &["gemini-2.5-flash"]).await;
    chat::refused(
        &organization.chat(&key).ask("gemini-2.5-flash").await,
        502,
        "upstream_auth",
    );
}

/// What the Security Token Service gives out.
fn session(access_key_id: &str, secret: &str, token: &str, lives: Duration) -> Script {
    let end = (Utc::now() + lives).format("%Y-%m-%dT%H:%M:%SZ");
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/gateway/gatewright</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{access_key_id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{end}</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    Script::body(200, "text/xml", body)
}

fn bedrock(cloud: &Cloud, secret: &str) -> Value {
    let aws = json!({
        "access_key_id": "AKIAACMEGATEWAY", "secret_access_key": secret, "role_arn": ROLE,
        "token_url": cloud.upstream.origin(),
    });
    json!({
        "name": "cloud", "kind": "bedrock", "base_url": cloud.upstream.origin(), "region": "eu-central-1",
        "credentials": [{"name": "a", "aws": aws}],
    })
}

#[tokio::test]
async fn bedrock_is_called_with_the_keys_of_a_role() {
    let cloud = Cloud::start(STS).await;
    let lives = SHORT_LIFE + Duration::from_secs(1);
    cloud.gives(&session(
        "ASIAFIRST",
        "first-session-secret",
        "first-session-token",
        lives,
    ));
    let at = "/model/amazon.nova-lite-v1/converse";
    let answer = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "of Nova"}]}}, "stopReason": "end_turn",
        "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {"latencyMs": 1},
    });
    cloud.upstream.on(at, Script::json(200, &answer));
    let (organization, key) = with_cloud(&bedrock(&cloud, "own-secret/0001"), &["amazon.nova-lite-v1"]).await;

    all_at_once(&organization, &key, "amazon.nova-lite-v1").await;

    let (asked, _) = cloud.seen();
    assert_eq!(asked.len(), 1, "one session for all of them");
    let own = sigv4::Expected {
        access_key_id: "AKIAACMEGATEWAY",
        secret_access_key: "own-secret/0001",
        region: "eu-central-1",
        service: "sts",
    };
    assert_eq!(sigv4::verify(&asked[0], own), Ok(()));
    let form = form(&asked[0]);
    assert_eq!(form.get("Action").map(String::as_str), Some("AssumeRole"));
    assert_eq!(form.get("RoleArn").map(String::as_str), Some(ROLE));

    let next = session(
        "ASIASECOND",
        "second-session-secret",
        "second-session-token",
        Duration::from_secs(3600),
    );
    renews_once(&cloud, &organization, &key, "amazon.nova-lite-v1", &next).await;
    let (_, calls) = cloud.seen();
    let signed_with = |call: &Seen| match call.headers.need("x-amz-security-token") {
        "first-session-token" => ("ASIAFIRST", "first-session-secret"),
        _ => ("ASIASECOND", "second-session-secret"),
    };
    for call in &calls {
        let (access_key_id, secret_access_key) = signed_with(call);
        let expected = sigv4::Expected {
            access_key_id,
            secret_access_key,
            region: "eu-central-1",
            service: "bedrock",
        };
        assert_eq!((call.target.as_str(), sigv4::verify(call, expected)), (at, Ok(())));
    }
    let last = calls.last().map(signed_with).map(|(id, _)| id);
    assert_eq!(last, Some("ASIASECOND"));
}

#[tokio::test]
async fn a_role_that_is_refused_is_no_fault_of_the_callers() {
    let cloud = Cloud::start(STS).await;
    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    cloud.upstream.on(STS, Script::body(403, "text/xml", denied));
    let (organization, key) = with_cloud(&bedrock(&cloud, "own-secret/0002"), &["amazon.nova-lite-v1"]).await;

    let answer = organization.chat(&key).ask("amazon.nova-lite-v1").await;

    chat::refused(&answer, 502, "upstream_auth");
    assert!(!answer.text().contains("arn:aws"), "{}", answer.text());
    assert!(cloud.seen().1.is_empty(), "nothing is sent without keys");
}

#[tokio::test]
async fn where_tokens_are_given_out_is_checked_like_a_providers_address() {
    let organization = Organization::make(Installation::shared().await).await;
    let entra = |url: &str| {
        let entra = json!({"tenant_id": "t", "client_id": "c", "client_secret": "s", "token_url": url});
        json!({"name": "cloud", "kind": "azure", "base_url": "https://acme.openai.azure.com", "credentials": [{"name": "a", "entra": entra}]})
    };
    let aws = |url: &str, role: Option<&str>| {
        let aws = json!({"access_key_id": "AKIA", "secret_access_key": "s", "role_arn": role, "token_url": url});
        json!({"name": "cloud", "kind": "bedrock", "region": "eu-central-1", "credentials": [{"name": "a", "aws": aws}]})
    };
    let metadata = "http://169.254.169.254/latest/meta-data";
    let cases = [
        (entra(metadata), "credentials[0].entra.token_url", "may not have"),
        (
            entra("login.example.com"),
            "credentials[0].entra.token_url",
            "http or https",
        ),
        (
            aws(metadata, Some(ROLE)),
            "credentials[0].aws.token_url",
            "may not have",
        ),
        (
            aws("https://sts.example.com", None),
            "credentials[0].aws.token_url",
            "role",
        ),
    ];
    for (body, field, message) in cases {
        let answer = organization.owner.post(&organization.path("/providers"), &body).await;
        let fields = refused(&answer, 422, ProblemCode::Invalid).fields;
        let told = fields.get(field).unwrap_or_else(|| panic!("{field}: {fields:?}"));
        assert!(told.contains(message), "{told}");
    }
}
