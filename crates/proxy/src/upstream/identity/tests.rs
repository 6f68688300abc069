//! Against a tiny server that gives out what it was told to and remembers what it was asked.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use gatewright_contract::{AddressPolicy, Keyring, Secret};
use gatewright_llm::FailureKind;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};

use super::*;
use crate::upstream::ways::Ways;

/// Made for these tests and known to nobody else.
const PRIVATE_KEY: &str = include_str!("tests/service_account.pem");

struct Cloud {
    url: BaseUrl,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Cloud {
    /// Answers one connection after the other.
    fn giving(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        std::thread::spawn(move || {
            for (status, body) in answers {
                let (mut connection, _) = listener.accept().expect("a connection");
                let request = read_request(&mut connection);
                seen.lock().expect("nobody panicked").push(request);
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                connection
                    .write_all(format!("{head}{body}").as_bytes())
                    .expect("the answer is taken");
            }
        });
        let url = url.parse().expect("an address");
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    /// What this cloud gives tokens for.
    fn entra(&self, secret: &str) -> EntraIdentity {
        EntraIdentity {
            tenant_id: "the-tenant".to_owned(),
            client_id: "the-client".to_owned(),
            client_secret: Secret::new(secret.to_owned()),
            token_url: Some(self.url.clone()),
        }
    }

    fn role(&self, arn: Option<&str>) -> AwsIdentity {
        AwsIdentity {
            token_url: Some(self.url.clone()),
            ..role(arn)
        }
    }
}

fn read_request(connection: &mut std::net::TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let count = connection.read(&mut buffer).expect("a request");
        text.push_str(std::str::from_utf8(buffer.get(..count).expect("within")).expect("text"));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn identities() -> Identities {
    // Another test may have been first.
    let _there = rustls::crypto::ring::default_provider().install_default();
    Identities::new()
}

/// Straight to wherever the policy lets it.
fn straight(policy: AddressPolicy) -> Endpoint {
    let keyring = Keyring::parse(Keyring::mint().expose()).expect("a keyring");
    let ways = Ways::new(policy.into(), keyring).expect("a client");
    Endpoint {
        way: ways.way(None, std::time::Duration::from_secs(5)).expect("a client"),
        egress: policy.into(),
    }
}

fn token_of(text: &str, seconds: u32) -> (u16, String) {
    let body = format!(r#"{{"access_token": "{text}", "expires_in": {seconds}, "token_type": "Bearer"}}"#);
    (200, body)
}

fn role(arn: Option<&str>) -> AwsIdentity {
    AwsIdentity {
        access_key_id: "AKIAEXAMPLE".to_owned(),
        secret_access_key: Secret::new("canary-secret".to_owned()),
        session_token: None,
        role_arn: arn.map(str::to_owned),
        token_url: None,
    }
}

fn region() -> Region {
    "eu-central-1".parse().expect("a region")
}

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token_and_later_ones_for_none() {
    let cloud = Cloud::giving(vec![
        token_of("one", 3600),
        token_of("two", 3600),
        token_of("three", 3600),
    ]);
    let identities = identities();
    let identity = cloud.entra("canary&secret");

    let calls = (0..20).map(|_| identities.entra(straight(AddressPolicy::AllowPrivate), &identity, EntraScope::V1));
    let together = futures_util::future::join_all(calls).await;
    let later = identities
        .entra(straight(AddressPolicy::AllowPrivate), &identity, EntraScope::V1)
        .await;
    let classic = identities
        .entra(straight(AddressPolicy::AllowPrivate), &identity, EntraScope::Classic)
        .await;
    let replaced = identities
        .entra(
            straight(AddressPolicy::AllowPrivate),
            &cloud.entra("another"),
            EntraScope::V1,
        )
        .await;

    assert!(
        together
            .into_iter()
            .all(|token| token.is_ok_and(|token| token == "Bearer one"))
    );
    assert_eq!(later.expect("a token"), "Bearer one");
    assert_eq!(classic.expect("a token"), "Bearer two");
    assert_eq!(replaced.expect("a token"), "Bearer three");
    let asked = cloud.asked();
    assert_eq!(asked.len(), 3);
    let first = asked.first().expect("a request");
    assert!(
        first.starts_with("POST /the-tenant/oauth2/v2.0/token HTTP/1.1\r\n"),
        "{first}"
    );
    assert!(
        first.ends_with(
            "grant_type=client_credentials&client_id=the-client&client_secret=canary%26secret\
             &scope=https%3A%2F%2Fai.azure.com%2F.default"
        ),
        "{first}"
    );
}

#[tokio::test]
async fn a_role_is_taken_on_with_a_signed_call() {
    let answer = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIATEMP</AccessKeyId>\
        <SecretAccessKey>canary-temporary</SecretAccessKey><SessionToken>canary+session/==</SessionToken>\
        <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    let cloud = Cloud::giving(vec![(200, answer.to_owned())]);
    let identities = identities();

    let own = identities
        .aws(straight(AddressPolicy::AllowPrivate), &role(None), &region())
        .await
        .expect("keys");
    let taken = identities
        .aws(
            straight(AddressPolicy::AllowPrivate),
            &cloud.role(Some("arn:aws:iam::1:role/r")),
            &region(),
        )
        .await
        .expect("keys");

    assert_eq!(own.for_signing().access_key_id, "AKIAEXAMPLE");
    let keys = taken.for_signing();
    assert_eq!(
        (keys.access_key_id, keys.secret_access_key, keys.session_token),
        ("ASIATEMP", "canary-temporary", Some("canary+session/=="))
    );
    let asked = cloud.asked();
    let [request] = asked.as_slice() else {
        panic!("own keys are used without asking: {asked:?}")
    };
    assert!(
        request.contains("/eu-central-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date"),
        "{request}"
    );
    assert!(request.contains("Action=AssumeRole&") && request.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"));
    assert!(!format!("{identities:?} {own:?} {taken:?}").contains("canary"));
}

#[tokio::test]
async fn a_service_account_states_who_it_is() {
    let cloud = Cloud::giving(vec![token_of("google", 3599)]);
    let identities = identities();
    let identity = GoogleIdentity {
        client_email: "gateway@p.iam.gserviceaccount.com".to_owned(),
        private_key: Secret::new(PRIVATE_KEY.to_owned()),
        private_key_id: Some("kid-1".to_owned()),
        token_url: Some(cloud.url.clone()),
    };

    let token = identities
        .google(straight(AddressPolicy::AllowPrivate), &identity)
        .await
        .expect("a token");

    assert_eq!(token, "Bearer google");
    assert!(token.is_sensitive());
    let asked = cloud.asked();
    let request = asked.first().expect("a request");
    let (_, assertion) = request.split_once("&assertion=").expect("an assertion");
    let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
    let (header, claims) = signed.split_once('.').expect("three parts");
    let json = |part: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    };
    assert_eq!(
        json(header),
        serde_json::json!({"typ": "JWT", "alg": "RS256", "kid": "kid-1"})
    );
    let claims = json(claims);
    assert_eq!(claims.get("iss"), Some(&"gateway@p.iam.gserviceaccount.com".into()));
    assert_eq!(claims.get("aud"), Some(&cloud.url.as_str().into()));
    let time = |name: &str| claims.get(name).and_then(serde_json::Value::as_i64).expect("a time");
    assert_eq!(time("exp") - time("iat"), 3600);
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(PRIVATE_KEY.as_bytes()).expect("a key");
    let pair = RsaKeyPair::from_der(key.as_bytes()).expect("a key");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    public.verify(signed.as_bytes(), &signature).expect("its own signature");
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_kind_and_without_secrets() {
    let refused = r#"{"error": "invalid_client", "error_description": "canary secret is wrong"}"#;
    let cloud = Cloud::giving(vec![
        (401, refused.to_owned()),
        (503, "busy".to_owned()),
        (200, "<html>".to_owned()),
        token_of("gone", 0),
        (
            403,
            "<Error><Code>AccessDenied</Code><Message>canary</Message></Error>".to_owned(),
        ),
    ]);
    let identities = identities();
    let mut errors = Vec::new();

    for _ in 0..4 {
        let asked = identities
            .entra(
                straight(AddressPolicy::AllowPrivate),
                &cloud.entra("canary"),
                EntraScope::V1,
            )
            .await;
        errors.push(asked.expect_err("no token"));
    }
    let asked = identities
        .aws(
            straight(AddressPolicy::AllowPrivate),
            &cloud.role(Some("arn:aws:iam::1:role/r")),
            &region(),
        )
        .await;
    errors.push(asked.expect_err("no keys"));
    let broken = GoogleIdentity {
        client_email: "a@b".to_owned(),
        private_key: Secret::new("-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----".to_owned()),
        private_key_id: None,
        token_url: Some(cloud.url.clone()),
    };
    errors.push(
        identities
            .google(straight(AddressPolicy::AllowPrivate), &broken)
            .await
            .expect_err("no key"),
    );

    let told = |status, code: &str| IdentityError::Refused {
        status,
        code: code.to_owned(),
    };
    assert_eq!(
        errors,
        [
            told(401, "invalid_client"),
            IdentityError::Unavailable(503),
            IdentityError::Malformed,
            IdentityError::Malformed,
            told(403, "AccessDenied"),
            IdentityError::PrivateKey,
        ]
    );
    let kinds: Vec<_> = errors.iter().map(|error| error.failure().kind).collect();
    assert_eq!(kinds.first(), Some(&FailureKind::Credential));
    assert_eq!(kinds.get(1), Some(&FailureKind::Server));
    assert!(!format!("{errors:?} {identities:?}").contains("canary"));
}

#[tokio::test]
async fn addresses_of_tokens_are_checked_like_those_of_providers() {
    let cloud = Cloud::giving(vec![token_of("never", 3600)]);
    let identities = identities();

    let refused = identities
        .entra(straight(AddressPolicy::PublicOnly), &cloud.entra("s"), EntraScope::V1)
        .await;

    assert!(matches!(refused, Err(IdentityError::Address(_))), "{refused:?}");
    assert!(cloud.asked().is_empty());
}

#[tokio::test]
async fn what_is_about_to_expire_is_renewed_and_a_failure_to_do_so_does_no_harm() {
    let cache = Cache::<&'static str>::default();
    let key = Key::of(&["it"]);
    let now = Utc::now();
    let old = Granted {
        value: "old",
        at: now - chrono::Duration::minutes(58),
        expires_at: now + chrono::Duration::minutes(2),
    };
    let new = Granted {
        value: "new",
        at: now,
        expires_at: now + chrono::Duration::minutes(60),
    };
    let gives =
        |given: Result<Granted<&'static str>, IdentityError>| cache.get(key, move || Box::pin(async move { given }));

    let first = gives(Ok(old)).await;
    let failed = gives(Err(IdentityError::Late)).await;
    let renewed = gives(Ok(new)).await;
    let kept = gives(Err(IdentityError::Late)).await;

    assert_eq!(
        [first, failed, renewed, kept],
        [Ok("old"), Ok("old"), Ok("new"), Ok("new")]
    );
}

#[tokio::test]
async fn a_caller_who_leaves_takes_nothing_from_the_others() {
    let cache = Cache::<&'static str>::default();
    let key = Key::of(&["it"]);
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let now = Utc::now();
    let slow = async move {
        receive.await.expect("it is sent");
        Ok(Granted {
            value: "it",
            at: now,
            expires_at: now + chrono::Duration::minutes(60),
        })
    };
    let never = || -> futures_util::future::BoxFuture<'static, _> { unreachable!("somebody asked already") };

    let mut leaver = Box::pin(cache.get(key, || Box::pin(slow)));
    assert!(leaver.as_mut().now_or_never().is_none());
    let mut stayer = Box::pin(cache.get(key, never));
    assert!(stayer.as_mut().now_or_never().is_none());
    drop(leaver);
    send.send(()).expect("somebody waits");

    assert_eq!(stayer.await, Ok("it"));
}
