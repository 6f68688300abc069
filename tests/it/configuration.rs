//! Configuration as code: the commands, their exit codes, and that a file and an installation become equal.

use std::path::PathBuf;
use std::process::Output;

use gatewright_types::api::{ApplyReport, Document};
use harness::api::{Api, Caller, refused};
use harness::chat::Chat;
use harness::installation::{Bootstrap, Installation, Options, ROOT_TOKEN, command};
use harness::organization::Organization;
use harness::process::directory;
use harness::tls::Authority;
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

/// An organization with everything that a file can say, its desk, and a token of its owner.
async fn exported(installation: &Installation, upstream: &Upstream) -> (Organization, Desk, String) {
    let organization = Organization::make(installation).await;
    let desk = Desk::new(installation);
    let file = desk.file("acme.yaml", &whole_document(&organization.slug, &upstream.base_url()));
    desk.file("second.txt", "sk-from-a-file-0001");
    let Caller::Token(token) = organization.token("owner").await.caller else {
        panic!("it is a token");
    };
    let secret = format!("a-secret-of-an-export-{}", organization.slug);
    let environment = [
        ("UPSTREAM_KEY", "sk-from-the-environment-1"),
        ("KEY_SECRET", secret.as_str()),
    ];
    let path = file.to_str().expect("a path of text");
    desk.remote(0, &token, &["apply", "-f", path], &environment);
    (organization, desk, token)
}

#[tokio::test]
async fn an_export_applied_to_an_empty_installation_gives_an_equal_one() {
    let upstream = Upstream::start().await;
    let (organization, desk, token) = exported(Installation::shared().await, &upstream).await;
    let export = ["export", "--organization", &organization.slug, "--json"];

    let document = desk.remote(0, &token, &export, &[]).stdout;
    let again = desk.remote(0, &token, &export, &[]).stdout;

    assert_eq!(text(&document), text(&again), "the same state gives the same text");
    for secret in [
        "sk-from-the-environment-1",
        "sk-from-a-file-0001",
        "a-secret-of-an-export",
    ] {
        assert!(!text(&document).contains(secret), "{secret} was exported");
    }
    let elsewhere = Installation::fresh().await;
    let root = elsewhere.root().await;
    let empty = json!({"slug": organization.slug, "name": "Empty"});
    root.post("/organizations", &empty).await.expect(201);
    let body = json!({"name": "other", "role": "owner"});
    let made = root.post(&organization.path("/tokens"), &body).await.expect(201).json();
    let other_token = made
        .get("secret")
        .and_then(Value::as_str)
        .expect("it was minted")
        .to_owned();
    let other_desk = Desk::new(&elsewhere);
    let file = other_desk.file("exported.json", &text(&document));
    let references = secret_references(&text(&document));
    assert_eq!(references.len(), 2, "a reference for each credential: {references:?}");
    let environment: Vec<_> = references
        .iter()
        .map(|name| (name.as_str(), "sk-some-secret-00001"))
        .collect();
    let path = file.to_str().expect("a path of text");
    other_desk.remote(0, &other_token, &["apply", "-f", path], &environment);

    let copy: Document = root.get(&organization.path("/configuration")).await.expect(200).read();
    let original: Document = serde_json::from_slice(&document).expect("a document");
    assert_eq!(copy, original);
}

#[tokio::test]
async fn clouds_come_through_a_file_and_an_export_with_all_that_they_need() {
    let organization = Organization::make(Installation::shared().await).await;
    let Caller::Token(token) = organization.token("admin").await.caller else {
        panic!("it is a token")
    };
    let desk = Desk::new(Installation::shared().await);
    let account = json!({"type": "service_account", "client_email": "gateway@p.iam.gserviceaccount.com",
        "private_key": "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"});
    desk.file("sa.json", &account.to_string());
    let file = desk.file(
        "clouds.yaml",
        &format!(
            r#"
version: 1
organization: {}
providers:
  - name: bedrock-eu
    kind: bedrock
    region: eu-central-1
    headers: {{x-team: search}}
    credentials:
      - {{name: a, aws: {{access_key_id: {{env: AK}}, secret_access_key: {{env: SK}}, session_token: {{env: ST}}, role_arn: null}}}}
  - name: azure
    kind: azure
    base_url: https://r.openai.azure.com
    api_version: 2024-10-21
    deployments: {{gpt-4o: main}}
    credentials:
      - {{name: a, entra: {{tenant_id: the-tenant, client_id: {{env: CLIENT}}, client_secret: {{env: SK}}, token_url: https://login.microsoftonline.us}}}}
  - name: vertex
    kind: vertex
    region: europe-west4
    project: p
    credentials: [{{name: a, google: {{service_account: {{file: sa.json}}}}}}]
"#,
            organization.slug
        ),
    );
    let path = file.to_str().expect("a path of text");
    let environment = [
        ("AK", "AKIAIOSFODNN7EXAMPLE"),
        ("SK", "canary-secret"),
        ("ST", "canary-session"),
        ("CLIENT", "the-client"),
    ];

    desk.remote(0, &token, &["apply", "-f", path], &environment);
    let again = desk.report(0, &token, &["plan", "-f", path], &environment);
    let exported = text(&desk.remote(0, &token, &["export"], &[]).stdout);

    assert!(again.iter().all(|report| report.changes.is_empty()), "{again:?}");
    assert!(!exported.contains("canary"), "{exported}");
    let file = desk.file("exported.yaml", &exported);
    let path = file.to_str().expect("a path of text");
    let account = account.to_string();
    let environment = [
        ("GATEWRIGHT_SECRET_BEDROCK_EU_A_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("GATEWRIGHT_SECRET_BEDROCK_EU_A_SECRET_ACCESS_KEY", "canary-secret"),
        ("GATEWRIGHT_SECRET_BEDROCK_EU_A_SESSION_TOKEN", "canary-session"),
        ("GATEWRIGHT_SECRET_AZURE_A_CLIENT_SECRET", "canary-secret"),
        ("GATEWRIGHT_SECRET_VERTEX_A_SERVICE_ACCOUNT", account.as_str()),
    ];
    let planned = desk.report(0, &token, &["plan", "-f", path], &environment);
    assert!(planned.iter().all(|report| report.changes.is_empty()), "{planned:?}");
}

#[tokio::test]
async fn a_network_in_a_file_is_applied_and_comes_back_with_references_for_its_secrets() {
    let organization = Organization::make(Installation::shared().await).await;
    let Caller::Token(token) = organization.token("admin").await.caller else {
        panic!("it is a token")
    };
    let desk = Desk::new(Installation::shared().await);
    let authority = Authority::new("private");
    let own = authority.client("gateway");
    desk.file("ca.pem", &authority.pem());
    desk.file("own.pem", &own.certificate);
    desk.file("own.key", &own.private_key);
    let document = |extra: &str| {
        format!(
            r#"
version: 1
organization: {}
providers:
  - name: inner
    kind: openai-compatible
    base_url: https://10.1.2.3/v1{extra}
    network:
      proxy: {{url: "http://10.1.2.3:3128", username: acme, password: {{env: PROXY_PASSWORD}}}}
      ca: {{file: ca.pem}}
      client_certificate: {{certificate: {{file: own.pem}}, private_key: {{file: own.key}}}}
"#,
            organization.slug
        )
    };
    let file = desk.file("inner.yaml", &document(""));
    let path = file.to_str().expect("a path of text");
    let with = |password| [("PROXY_PASSWORD", password)];

    desk.remote(0, &token, &["apply", "-f", path], &with("canary-1"));
    let again = desk.report(0, &token, &["plan", "-f", path], &with("canary-1"));
    let other = desk.report(2, &token, &["plan", "-f", path], &with("canary-2"));
    let exported = text(&desk.remote(0, &token, &["export"], &[]).stdout);

    assert!(again.iter().all(|report| report.changes.is_empty()), "{again:?}");
    let fields = |reports: &[ApplyReport]| -> Vec<String> {
        let changes = reports.iter().flat_map(|report| &report.changes);
        changes.flat_map(|change| change.fields.clone()).collect()
    };
    assert_eq!(fields(&other), ["network"]);
    assert!(
        !exported.contains("canary") && !exported.contains("PRIVATE KEY"),
        "{exported}"
    );
    let file = desk.file("exported.yaml", &exported);
    let path = file.to_str().expect("a path of text");
    let environment = [
        ("GATEWRIGHT_SECRET_INNER__PROXY_PASSWORD", "canary-1"),
        ("GATEWRIGHT_SECRET_INNER__CLIENT_KEY", own.private_key.trim_end()),
    ];
    let planned = desk.report(0, &token, &["plan", "-f", path], &environment);
    assert!(planned.iter().all(|report| report.changes.is_empty()), "{planned:?}");
    // What changes beside it leaves the network as it is.
    let file = desk.file("inner.yaml", &document("\n    headers: {x-team: search}"));
    let path = file.to_str().expect("a path of text");
    let beside = desk.report(0, &token, &["apply", "-f", path], &with("canary-1"));
    assert_eq!(fields(&beside), ["headers"]);
    let again = desk.report(0, &token, &["plan", "-f", path], &with("canary-1"));
    assert!(again.iter().all(|report| report.changes.is_empty()), "{again:?}");
}

#[tokio::test]
async fn an_export_in_yaml_is_a_file_like_any_other() {
    let upstream = Upstream::start().await;
    let (organization, desk, token) = exported(Installation::shared().await, &upstream).await;

    let yaml = desk
        .remote(0, &token, &["export", "--organization", &organization.slug], &[])
        .stdout;

    let file = desk.file("exported.yaml", &text(&yaml));
    let path = file.to_str().expect("a path of text");
    desk.run(0, &["validate", "-f", path], &[]);
    let document = organization
        .owner
        .get(&organization.path("/configuration"))
        .await
        .expect(200)
        .text();
    let references = secret_references(&document);
    let secrets = ["sk-from-the-environment-1", "sk-from-a-file-0001"];
    let environment: Vec<_> = references.iter().map(String::as_str).zip(secrets).collect();
    desk.remote(0, &token, &["plan", "-f", path], &environment);
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

/// The variables that an exported document takes its secrets from.
fn secret_references(document: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(document).expect("a document");
    let providers = value
        .get("providers")
        .and_then(Value::as_array)
        .expect("there are providers");
    let credentials = providers
        .iter()
        .filter_map(|provider| provider.get("credentials")?.as_array())
        .flatten();
    credentials
        .filter_map(|credential| credential.pointer("/api_key/env")?.as_str())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn every_mistake_of_a_file_is_told_at_once_with_the_nearest_name() {
    let desk = Desk {
        directory: directory("desk"),
        url: String::new(),
    };
    let file = desk.file(
        "wrong.yaml",
        "
version: 1
organization: Acme
modles: []
models:
  - {name: fast, route: {target: no-slash}, timeouts: {totl: 2s}}
providers:
  - {name: up, kind: opnai}
keys:
  - {}
",
    );

    let output = desk.run(1, &["validate", "-f", file.to_str().expect("a path of text")], &[]);

    let told = text(&output.stderr);
    for part in [
        "organization",
        "modles",
        "\"models\"",
        "models[0].route.target",
        "timeouts.totl",
        "\"total\"",
        "providers[0].kind",
        "\"openai\"",
        "keys[0].name",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

#[tokio::test]
async fn files_that_are_no_configuration_are_refused() {
    let desk = Desk {
        directory: directory("desk"),
        url: String::new(),
    };
    for (name, content) in [
        ("version", "version: 2\norganization: acme\n"),
        ("nothing", ""),
        ("not yaml", "version: [1\n"),
        ("a list", "- 1\n"),
    ] {
        let file = desk.file("wrong.yaml", content);
        let output = desk.run(1, &["validate", "-f", file.to_str().expect("a path of text")], &[]);
        assert!(!output.stderr.is_empty(), "{name}");
    }
    desk.run(1, &["validate", "-f", "/nowhere/at/all.yaml"], &[]);
    let good = desk.file(
        "good.yaml",
        "version: 1\norganization: acme\n---\nversion: 1\norganization: other\n",
    );
    desk.run(0, &["validate", "-f", good.to_str().expect("a path of text")], &[]);
}

#[tokio::test]
async fn a_file_that_contradicts_itself_is_refused_without_asking_a_server() {
    let desk = Desk {
        directory: directory("desk"),
        url: String::new(),
    };
    for (content, place) in [
        ("teams: [{name: A}, {name: B}, {name: A}]", "teams[2]"),
        ("keys: [{name: A}, {name: A}]", "keys[1]"),
        (
            "providers: [{name: a, kind: sandbox}, {name: a, kind: sandbox}]",
            "providers[1]",
        ),
        (
            "models: [{name: a, route: {target: x/y}}, {name: a, route: {target: x/z}}]",
            "models[1]",
        ),
        (
            "providers: []\nmodels: [{name: m, route: {target: up/m}}]",
            "models[0].route.target",
        ),
        ("teams: []\nkeys: [{name: k, team: Search}]", "keys[0].team"),
    ] {
        let file = desk.file("wrong.yaml", &format!("version: 1\norganization: acme\n{content}\n"));
        let output = desk.run(1, &["validate", "-f", file.to_str().expect("a path of text")], &[]);
        assert!(
            text(&output.stderr).contains(place),
            "{content}: {}",
            text(&output.stderr)
        );
    }
}

#[tokio::test]
async fn a_document_that_contradicts_itself_is_refused_with_the_place() {
    let organization = Organization::make(Installation::shared().await).await;
    for (content, place) in [
        (json!({"teams": [{"name": "A"}, {"name": "A"}]}), "teams[1]"),
        (json!({"keys": [{"name": "A"}, {"name": "A"}]}), "keys[1]"),
        (
            json!({"models": [{"name": "m", "route": {"target": "up/m"}}]}),
            "models[0]",
        ),
        (json!({"keys": [{"name": "k", "team": "Nobody"}]}), "keys[0]"),
    ] {
        let mut document = json!({"version": 1, "organization": organization.slug});
        let members = document.as_object_mut().expect("an object");
        members.extend(content.as_object().expect("an object").clone());
        for action in ["plan", "apply"] {
            let answer = organization
                .owner
                .post(&organization.path(&format!("/configuration/{action}")), &document)
                .await;
            let problem = refused(&answer, 422, gatewright_types::ProblemCode::Invalid);
            assert!(
                problem.fields.keys().any(|field| field.starts_with(place)),
                "{action} {place}: {problem:?}"
            );
        }
    }
}

#[tokio::test]
async fn commands_that_cannot_do_their_work_end_with_one() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let desk = Desk::new(installation);
    let of_organization = format!("version: 1\norganization: {}\n", organization.slug);
    let file = desk.file("a.yaml", &of_organization);
    let path = file.to_str().expect("a path of text");
    let Caller::Token(viewer) = organization.token("viewer").await.caller else {
        panic!("it is a token")
    };

    for command in ["plan", "apply"] {
        desk.remote(1, "gwt-nobody-has-this-token", &[command, "-f", path], &[]);
        desk.remote(1, &viewer, &[command, "-f", path], &[]);
        desk.remote(1, ROOT_TOKEN, &[command, "-f", path], &[]);
        desk.run(
            1,
            &[command, "-f", path, "--url", "http://127.0.0.1:9", "--token", "gwt-x"],
            &[],
        );
        desk.run(1, &[command, "-f", path, "--url", &desk.url], &[]);
    }
    let missing = desk.file("missing.yaml", &format!("{of_organization}providers: [{{name: up, kind: openai, credentials: [{{name: a, api_key: {{env: NOT_SET_ANYWHERE}}}}]}}]\n"));
    let Caller::Token(admin) = organization.token("admin").await.caller else {
        panic!("it is a token")
    };
    let output = desk.remote(
        1,
        &admin,
        &["apply", "-f", missing.to_str().expect("a path of text")],
        &[],
    );
    assert!(
        text(&output.stderr).contains("NOT_SET_ANYWHERE"),
        "{}",
        text(&output.stderr)
    );
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
async fn a_mistake_in_a_document_changes_nothing_at_all() {
    let organization = Organization::make(Installation::shared().await).await;
    let document = json!({"version": 1, "organization": organization.slug, "teams": [{"name": "Made"}],
        "providers": [{"name": "sandbox", "kind": "sandbox"}],
        "models": [{"name": "good", "route": {"target": "sandbox/echo"}}, {"name": "bad", "route": {"target": "nowhere/echo"}}]});

    let answer = organization
        .owner
        .post(&organization.path("/configuration/apply"), &document)
        .await;

    let problem = refused(&answer, 422, gatewright_types::ProblemCode::Invalid);
    assert!(
        problem.fields.keys().any(|field| field.starts_with("models[1]")),
        "{problem:?}"
    );
    for list in ["/teams", "/providers", "/models"] {
        let items: Vec<Value> = organization.all(list).await;
        assert!(items.is_empty(), "{list}: {items:?}");
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
