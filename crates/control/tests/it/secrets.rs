//! Secrets go in and do not come out: not in answers, not in the audit log, not in the log.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{Answer, Caller, PASSWORD, World};

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const CANARIES: [&str; 7] = [
    "sk-canary-provider-one",
    "sk-canary-provider-two",
    "canary-key-imported-01",
    "canary-token-imported",
    "sk-canary-configured-1",
    "canary-wrong-password",
    PASSWORD,
];

#[actix_web::test]
async fn no_secret_is_in_any_answer_audit_row_or_log_line() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let (world, owner) = World::with_owner().await;
    let mut answers: Vec<Answer> = Vec::new();
    let here = |path: &str| format!("/organizations/acme/{path}");

    let provider = json!({
        "name": "main", "kind": "openai", "credentials": [{"name": "a", "api_key": "sk-canary-provider-one"}],
    });
    let provider = owner.post(&world, &here("providers"), provider).await;
    let path = here(&format!("providers/{}", provider.text("id")));
    answers.push(provider);
    let credential = json!({"name": "b", "api_key": "sk-canary-provider-two"});
    answers.push(
        owner
            .post(&world, &format!("{path}/credentials"), credential.clone())
            .await,
    );
    answers.push(owner.post(&world, &format!("{path}/credentials"), credential).await);
    answers.push(owner.post(&world, &format!("{path}/test"), json!({})).await);
    let key = json!({"name": "k", "secret": "canary-key-imported-01"});
    answers.push(owner.post(&world, &here("keys"), key.clone()).await);
    answers.push(owner.post(&world, &here("keys"), key).await);
    let token = json!({"name": "t", "role": "owner", "secret": "canary-token-imported"});
    answers.push(owner.post(&world, &here("tokens"), token).await);
    let document = json!({
        "version": 1, "organization": "acme",
        "providers": [{"name": "main", "kind": "openai", "credentials": [
            {"name": "a", "api_key": {"value": "sk-canary-configured-1"}},
        ]}],
        "keys": [{"name": "k", "secret": {"value": "canary-key-imported-01"}, "models": []}],
    });
    for action in ["plan", "apply", "apply"] {
        answers.push(
            owner
                .post(&world, &here(&format!("configuration/{action}")), document.clone())
                .await,
        );
    }
    let wrong = json!({"email": "ada@example.com", "password": "canary-wrong-password"});
    answers.push(Caller::default().post(&world, "/session", wrong).await);
    let malformed = json!({"name": "t", "role": "owner", "secret": ["canary-token-imported"]});
    answers.push(owner.post(&world, &here("tokens"), malformed).await);
    let by_token = Caller::token("canary-token-imported");
    for path in [
        "",
        "keys",
        "tokens",
        "providers",
        "models",
        "members",
        "invitations",
        "audit?limit=200",
        "configuration",
    ] {
        let path = if path.is_empty() {
            "/organizations/acme".to_owned()
        } else {
            here(path)
        };
        let answer = by_token.get(&world, &path).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.body);
        answers.push(answer);
    }
    drop(guard);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/organizations/{organization}/keys"), "{log}");
    let cookie = owner.cookie.unwrap();
    for canary in CANARIES.iter().copied().chain([cookie.as_str()]) {
        for answer in &answers {
            let text = answer.body.to_string();
            assert!(!text.contains(canary), "{canary} is in {text}");
        }
        // The database driver's own lines hold statements without their values.
        assert!(!log.contains(canary), "{canary} is in the log");
    }
    assert!(!log.contains("ada@example.com"), "an e-mail address is in the log");
}
