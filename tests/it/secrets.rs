//! Secrets are where they have to be and nowhere else: after a workout with secrets that would be recognised anywhere,
//! every answer, log line, file, database and Redis is searched for them.

use std::path::{Path, PathBuf};

use harness::api::{Api, Caller};
use harness::chat::{Chat, question, streaming};
use harness::environment::Topology;
use harness::http::Request;
use harness::installation::{Installation, Role};
use harness::organization::Organization;
use harness::postgres;
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

use crate::walk;

const PROVIDER_SECRET: &str = "sk-canaryProviderSecret0123456789";
const SECOND_PROVIDER_SECRET: &str = "plainCanaryWithoutPrefix9876543210";
const PROXY_PASSWORD: &str = "canaryProxyPassword0123456789";
const IMPORTED_KEY: &str = "canary-imported-data-plane-key-0123";
const PASSWORD: &str = "canary passphrase 0123456789";
const NEW_PASSWORD: &str = "canary passphrase number two";
const PROMPT: &str = "canaryPromptThatNobodyMayLog";
const COMPLETION: &str = "canaryCompletionThatNobodyMayLog";

/// What has been gathered from all over, with where it came from.
#[derive(Default)]
struct Haystack {
    places: Vec<(String, Vec<u8>)>,
}

impl Haystack {
    fn add(&mut self, place: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.places.push((place.into(), content.into()));
    }

    fn add_files(&mut self, directory: &Path) {
        for entry in std::fs::read_dir(directory).expect("the directory is there").flatten() {
            let path: PathBuf = entry.path();
            if path.is_dir() {
                self.add_files(&path);
            } else if !path.ends_with("bootstrap.yaml") {
                self.add(path.display().to_string(), std::fs::read(&path).unwrap_or_default());
            }
        }
    }

    fn must_not_hold(&self, needles: &[(&str, String)]) {
        let mut found = Vec::new();
        for (name, needle) in needles {
            let hex: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
            for form in [needle.as_bytes(), hex.as_bytes()] {
                let holding = self.places.iter().filter(|(_, content)| contains(content, form));
                found.extend(holding.map(|(place, _)| format!("{name} in {place}")));
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}

fn contains(content: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    let starts = content.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts
        .into_iter()
        .any(|(at, _)| content.get(at..at + needle.len()) == Some(needle))
}

fn minted(answer: &Value) -> String {
    answer
        .get("secret")
        .and_then(Value::as_str)
        .expect("it was minted")
        .to_owned()
}

/// A provider that tells the secrets it was given, as careless ones do.
fn script_leaks(upstream: &Upstream) {
    let leak = json!({"error": {"message": format!("Incorrect API key provided: {PROVIDER_SECRET} for Bearer {SECOND_PROVIDER_SECRET}"),
        "type": "invalid_request_error", "param": null, "code": "invalid_api_key"}});
    upstream.on("refused", Script::json(401, &leak));
    upstream.on("broken", Script::json(500, &leak));
    upstream.on(
        "page",
        Script::body(500, "text/html", format!("<title>key {PROVIDER_SECRET}</title>")),
    );
    upstream.on("event", Script::stream([format!("data: {leak}\n\n")]));
    upstream.on("good", Script::answer(COMPLETION, 3, 3));
}

#[tokio::test]
async fn no_secret_is_in_any_answer_log_file_database_or_redis() {
    let installation = Installation::fresh().await;
    let upstream = Upstream::start().await;
    script_leaks(&upstream);
    let organization = Organization::make(&installation).await;
    let owner = &organization.owner;
    let mut haystack = Haystack::default();

    let credentials =
        json!([{"name": "a", "api_key": PROVIDER_SECRET}, {"name": "b", "api_key": SECOND_PROVIDER_SECRET}]);
    let body =
        json!({"name": "up", "kind": "openai-compatible", "base_url": upstream.base_url(), "credentials": credentials});
    let proxied = json!({"name": "proxied", "kind": "openai", "network": {"proxy": {"url": upstream.origin(),
        "username": "somebody", "password": PROXY_PASSWORD}}});
    let made = owner.post(&organization.path("/providers"), &proxied).await.expect(201);
    haystack.add("the answer that made a provider behind a proxy", made.body);
    let provider = owner.post(&organization.path("/providers"), &body).await.expect(201);
    haystack.add("the answer that made a provider", provider.body.clone());
    let models = ["good", "refused", "broken", "page", "event"];
    for model in models {
        organization.model(model, &format!("up/{model}"), &json!({})).await;
    }
    let imported = owner
        .post(
            &organization.path("/keys"),
            &json!({"name": "imported", "secret": IMPORTED_KEY}),
        )
        .await
        .expect(201);
    haystack.add("the answer that imported a key", imported.body.clone());
    let key = organization.key("minted").await;
    let token = minted(
        &owner
            .post(&organization.path("/tokens"), &json!({"name": "t", "role": "admin"}))
            .await
            .expect(201)
            .json(),
    );
    let somebody = walk_in(&organization).await;
    organization.settled(&key, &models).await;

    for node in 0..organization.nodes.len() {
        for secret in [&key.secret, IMPORTED_KEY] {
            let chat = Chat {
                secret: secret.to_owned(),
                ..organization.chat_at(node, &key)
            };
            for model in models {
                for body in [question(model), streaming(model)] {
                    let text = body.to_string().replace("Say hello.", PROMPT);
                    let body: Value = serde_json::from_str(&text).expect("JSON");
                    let answer = chat.send(&body).await;
                    if model != "good" {
                        haystack.add(format!("an answer of {model}"), answer.body);
                    }
                }
            }
        }
    }
    let test = owner
        .post(
            &organization.path(&format!(
                "/providers/{}/test",
                provider.json().get("id").and_then(Value::as_str).expect("an id")
            )),
            &json!({}),
        )
        .await;
    haystack.add("the self-test", test.body);
    let document = json!({"version": 1, "organization": organization.slug, "providers": [{"name": "up", "kind": "openai-compatible",
        "base_url": upstream.base_url(), "credentials": [{"name": "a", "api_key": {"value": PROVIDER_SECRET}}, {"name": "b", "api_key": {"value": SECOND_PROVIDER_SECRET}}]},
        {"name": "proxied", "kind": "openai", "network": {"proxy": {"url": upstream.origin(), "username": "somebody",
            "password": {"value": PROXY_PASSWORD}}}}]});
    for action in ["plan", "apply"] {
        let answer = owner
            .post(&organization.path(&format!("/configuration/{action}")), &document)
            .await
            .expect(200);
        haystack.add(action, answer.body);
    }
    let wrong = json!({"email": somebody.email, "password": NEW_PASSWORD});
    haystack.add(
        "a refused sign-in",
        Api::anonymous(owner.address)
            .post("/session", &wrong)
            .await
            .expect(401)
            .body,
    );
    let change = json!({"current": PASSWORD, "new": NEW_PASSWORD});
    somebody.api.post("/session/password", &change).await.expect(204);
    let mangled = Request::new("POST", &format!("/api/v1{}", organization.path("/keys")));
    let mangled = owner.caller.sign(mangled.bytes(
        "application/json",
        format!("{{\"secret\": \"{IMPORTED_KEY}\", oops").into_bytes(),
    ));
    haystack.add(
        "a refused body",
        mangled.send(owner.address).await.expect("an answer").expect(400).body,
    );
    organization.usage_settles().await;

    for route in walk::routes(&installation).await {
        if route.method == "GET" && route.places().iter().all(|place| *place == "organization") {
            let path = route.path.replace("{organization}", &organization.slug);
            haystack.add(format!("GET {path}"), owner.get(&path).await.body);
        }
    }
    for node in &installation.nodes {
        for page in ["/metrics", "/fleet", "/debug/config", "/readyz"] {
            let answer = Request::new("GET", page)
                .send(node.admin)
                .await
                .expect("the admin listener answers");
            haystack.add(format!("{page} of {:?}", node.role), answer.body);
        }
    }
    haystack.add("the logs", installation.logs());
    if let Some(redis) = &installation.redis {
        haystack.add("Redis", redis.everything().await);
    }
    if let Some(database) = &installation.database {
        haystack.add("PostgreSQL", postgres::dump(database));
    }
    haystack.add_files(installation.directory());
    if installation.topology == Topology::Cluster {
        let proxy = installation
            .nodes
            .iter()
            .find(|node| node.role == Role::Proxy)
            .expect("there are two");
        assert!(
            haystack
                .places
                .iter()
                .any(|(place, content)| place.starts_with(&proxy.data.display().to_string()) && !content.is_empty())
        );
    }

    let Caller::Person { cookie, .. } = &owner.caller else {
        panic!("the owner has a session")
    };
    haystack.must_not_hold(&[
        ("a provider's secret", PROVIDER_SECRET.to_owned()),
        ("the other provider secret", SECOND_PROVIDER_SECRET.to_owned()),
        ("a proxy's password", PROXY_PASSWORD.to_owned()),
        ("an imported key", IMPORTED_KEY.to_owned()),
        ("a minted key", key.secret.clone()),
        ("a token", token),
        ("a password", PASSWORD.to_owned()),
        ("a new password", NEW_PASSWORD.to_owned()),
        ("a session", cookie.clone()),
        ("an invitation", somebody.invitation),
        ("a prompt", PROMPT.to_owned()),
        ("a completion", COMPLETION.to_owned()),
    ]);
    assert!(
        haystack.places.len() > 30,
        "{} places were searched",
        haystack.places.len()
    );
}

struct Newcomer {
    email: String,
    invitation: String,
    api: Api,
}

async fn walk_in(organization: &Organization) -> Newcomer {
    let email = format!("canary@{}.test", organization.slug);
    let invited = organization
        .owner
        .post(
            &organization.path("/invitations"),
            &json!({"email": email, "role": "viewer"}),
        )
        .await;
    let link = invited
        .expect(201)
        .json()
        .get("link")
        .and_then(Value::as_str)
        .expect("a link")
        .to_owned();
    let (_, invitation) = link.split_once("#token=").expect("a token");
    let body = json!({"token": invitation, "name": "Canary", "password": PASSWORD});
    let answer = Api::anonymous(organization.owner.address)
        .post("/invitations/accept", &body)
        .await
        .expect(200);
    Newcomer {
        email,
        invitation: invitation.to_owned(),
        api: Api::of_session(organization.owner.address, &answer),
    }
}

#[tokio::test]
async fn a_rotated_master_key_opens_what_the_old_one_sealed() {
    const NEWER: &str = "HxwdHhsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
    let mut installation = Installation::fresh().await;
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(&installation, &upstream, &["m"]).await;
    let old = match installation.topology {
        Topology::Cluster => harness::installation::MASTER_KEY.to_owned(),
        Topology::Solo => generated_key(&installation.control_node().data),
    };

    for node in &mut installation.nodes {
        node.terminate().await;
        node.set("GATEWRIGHT_MASTER_KEY", &format!("{NEWER},{old}"));
    }
    for node in &mut installation.nodes {
        node.restart().await;
    }
    organization.chat(&key).ask("m").await.expect(200);

    for node in &mut installation.nodes {
        node.terminate().await;
        node.set("GATEWRIGHT_MASTER_KEY", NEWER);
    }
    for node in &mut installation.nodes {
        node.restart().await;
    }
    organization.chat(&key).ask("m").await.expect(200);
    let sent = upstream.seen();
    assert!(
        sent.iter()
            .all(|seen| seen.headers.need("authorization") == "Bearer sk-upstream-secret-0001")
    );
}

fn generated_key(data: &Path) -> String {
    let entries = std::fs::read_dir(data).expect("the data directory is there").flatten();
    let file = entries
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("key"));
    std::fs::read_to_string(file.expect("the generated key is kept"))
        .expect("it is text")
        .trim()
        .to_owned()
}
