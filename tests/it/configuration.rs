//! Configuration as code: the commands, their exit codes, and that a file and an installation become equal.

mod exports;
mod mistakes;

use std::path::PathBuf;
use std::process::Output;

use gatewright_types::api::{ApplyReport, Document};
use harness::api::{Api, Caller};
use harness::chat::Chat;
use harness::installation::{Bootstrap, Installation, Options, command};
use harness::organization::Organization;
use harness::process::directory;
use harness::upstream::Upstream;
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory with files for the command line, and the installation that it talks to.
struct Desk {
    directory: TempDir,
    url: String,
}

impl Desk {
    fn new(installation: &Installation) -> Self {
        Self {
            directory: directory("desk"),
            url: format!("http://{}", installation.control()),
        }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).expect("the directory is ours");
        path
    }

    /// Runs a command and checks how it ends.
    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let output = command(arguments, &environment)
            .current_dir(&self.directory)
            .output()
            .expect("the binary runs");
        let told = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        output
    }

    /// Runs a command against the installation, as somebody with a token.
    #[track_caller]
    fn remote(&self, code: i32, token: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let whole = [arguments, &["--url", &self.url, "--token", token]].concat();
        self.run(code, &whole, environment)
    }

    #[track_caller]
    fn report(&self, code: i32, token: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Vec<ApplyReport> {
        let output = self.remote(code, token, &[arguments, &["--json"]].concat(), environment);
        let value: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
        serde_json::from_value(value.get("reports").expect("there are reports").clone()).expect("reports")
    }
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

fn whole_document(organization: &str, base_url: &str) -> String {
    format!(
        r#"
version: 1
organization: {organization}
name: Acme by file
providers:
  - name: up
    kind: openai-compatible
    base_url: {base_url}
    timeouts: {{first_token: 90s, total: 5m}}
    credentials:
      - {{name: a, api_key: {{env: UPSTREAM_KEY}}, weight: 2}}
      - {{name: b, api_key: {{file: second.txt}}}}
  - {{name: sandbox, kind: sandbox}}
models:
  - {{name: fast, route: {{target: up/real}}, timeouts: {{connect: 2s, first_token: 20s, between_tokens: 15s, total: 10m}}, cache: {{ttl: 1h}}, prompt_cache: auto}}
  - {{name: echo, route: {{target: sandbox/echo}}}}
prices:
  - {{provider: up, model: real, input: "0.15", output: "0.60", effective_from: "2026-01-01T00:00:00Z"}}
teams:
  - name: Search
keys:
  - {{name: imported, team: Search, secret: {{env: KEY_SECRET}}, models: [fast]}}
  - {{name: minted, expires_at: "2099-01-01T00:00:00Z"}}
"#
    )
}

#[tokio::test]
async fn a_file_is_planned_applied_and_then_nothing_is_left_to_do() {
    let installation = Installation::shared().await;
    let upstream = Upstream::start().await;
    let organization = Organization::make(installation).await;
    let Caller::Token(token) = organization.token("admin").await.caller else {
        panic!("it is a token")
    };
    let desk = Desk::new(installation);
    let document = whole_document(&organization.slug, &upstream.base_url());
    // The list of tokens is absent from the file, so the one in use stays.
    let file = desk.file("acme.yaml", &document);
    desk.file("second.txt", "sk-from-a-file-0001\n");
    let path = file.to_str().expect("a path of text");
    let secret = format!("imported-secret-of-{}", organization.slug);
    let environment = [
        ("UPSTREAM_KEY", "sk-from-the-environment-1"),
        ("KEY_SECRET", secret.as_str()),
    ];

    let planned = desk.report(2, &token, &["plan", "-f", path], &environment);
    let applied = desk.report(0, &token, &["apply", "-f", path], &environment);
    let planned_again = desk.report(0, &token, &["plan", "-f", path], &environment);
    let applied_again = desk.report(0, &token, &["apply", "-f", path], &environment);

    let [planned, applied, planned_again, applied_again] = [planned, applied, planned_again, applied_again]
        .map(|reports| reports.into_iter().next().expect("one document"));
    assert_eq!(planned.changes, applied.changes);
    let names: Vec<_> = applied
        .changes
        .iter()
        .map(|change| format!("{} {}", change.resource, change.name))
        .collect();
    for name in [
        "provider up",
        "provider sandbox",
        "model fast",
        "model echo",
        "team Search",
        "key imported",
        "key minted",
    ] {
        assert!(names.iter().any(|found| found == name), "{name} is not in {names:?}");
    }
    assert!(planned.minted.is_empty(), "a plan mints nothing");
    assert_eq!(applied.minted.keys().collect::<Vec<_>>(), ["key/minted"]);
    assert!(
        planned_again.changes.is_empty() && applied_again.changes.is_empty(),
        "{applied_again:?}"
    );
    assert!(applied_again.minted.is_empty());

    let chat = Chat {
        address: *organization.nodes.first().expect("there is a node"),
        secret,
    };
    eventually("the imported key works", SOON, async || {
        (chat.ask("fast").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(upstream.only().json().get("model"), Some(&json!("real")));
    let minted = applied.minted.get("key/minted").expect("it was minted").clone();
    let chat = Chat { secret: minted, ..chat };
    eventually("the minted key works", SOON, async || {
        (chat.ask("echo").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_file_no_longer_names_is_removed_and_what_it_leaves_out_is_left_alone() {
    let installation = Installation::shared().await;
    let (organization, key) = Organization::with_sandbox(installation).await;
    let owner = &organization.owner;
    owner
        .post(&organization.path("/teams"), &json!({"name": "Old"}))
        .await
        .expect(201);
    let apply = async |document: Value| -> ApplyReport {
        owner
            .post(&organization.path("/configuration/apply"), &document)
            .await
            .expect(200)
            .read()
    };

    let report = apply(json!({"version": 1, "organization": organization.slug, "teams": [{"name": "New"}]})).await;

    let changes: Vec<_> = report
        .changes
        .iter()
        .map(|change| (serde_json::to_value(change.kind).expect("a word"), change.name.as_str()))
        .collect();
    assert!(
        changes.contains(&(json!("create"), "New")) && changes.contains(&(json!("remove"), "Old")),
        "{changes:?}"
    );
    assert_eq!(
        changes.len(),
        2,
        "keys, models and providers were not named at all: {changes:?}"
    );
    organization.chat(&key).ask("echo").await.expect(200);

    apply(json!({"version": 1, "organization": organization.slug, "keys": []})).await;
    eventually("the key is refused", SOON, async || {
        (organization.chat(&key).ask("echo").await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_token_need_not_name_the_one_organization_that_it_belongs_to() {
    let organization = Organization::make(Installation::shared().await).await;
    let desk = Desk::new(Installation::shared().await);
    let Caller::Token(token) = organization.token("admin").await.caller else {
        panic!("it is a token");
    };

    let document = desk.remote(0, &token, &["export", "--json"], &[]).stdout;

    let document: Document = serde_json::from_slice(&document).expect("a document");
    assert_eq!(document.organization.as_str(), organization.slug);
}

#[tokio::test]
async fn the_schema_describes_the_file() {
    let desk = Desk {
        directory: directory("desk"),
        url: String::new(),
    };

    let schema: Value = serde_json::from_slice(&desk.run(0, &["schema"], &[]).stdout).expect("a JSON Schema");

    assert!(
        schema
            .get("$schema")
            .and_then(Value::as_str)
            .is_some_and(|name| name.contains("json-schema.org"))
    );
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .expect("a document has members");
    for name in [
        "version",
        "organization",
        "members",
        "providers",
        "models",
        "prices",
        "catalog",
        "teams",
        "tokens",
        "keys",
    ] {
        assert!(properties.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_bootstrap_file_is_applied_at_every_start_without_repeating_itself() {
    let bootstrap = json!({"version": 1, "organization": "boot", "teams": [{"name": "Search"}],
        "members": [{"email": "boot@example.test", "role": "owner", "password": {"value": "a passphrase of boot 1"}}],
        "providers": [{"name": "sandbox", "kind": "sandbox"}],
        "models": [{"name": "echo", "route": {"target": "sandbox/echo"}}],
        "keys": [{"name": "main", "secret": {"value": "a-bootstrap-key-0123456789"}}]});
    let options = Options {
        bootstrap: Bootstrap::Given(bootstrap),
        ..Options::default()
    };
    let mut installation = Installation::start(options).await;
    let owner = Api::sign_in(installation.control(), "boot@example.test", "a passphrase of boot 1").await;
    let entries = async || {
        owner
            .get("/organizations/boot/audit?limit=200")
            .await
            .expect(200)
            .json()
            .to_string()
    };
    let chat = Chat {
        address: *installation.data_planes().first().expect("a node"),
        secret: "a-bootstrap-key-0123456789".to_owned(),
    };
    eventually("the key works", SOON, async || {
        (chat.ask("echo").await.status == 200).then_some(())
    })
    .await;
    let before = entries().await;

    installation.control_node_mut().terminate().await;
    installation.control_node_mut().restart().await;

    assert_eq!(entries().await, before, "nothing was applied again");
    eventually("the key works", SOON, async || {
        (chat.try_send(&harness::chat::question("echo")).await.ok()?.status == 200).then_some(())
    })
    .await;
}
