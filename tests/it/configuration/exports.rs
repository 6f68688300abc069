//! What an export says, and that it makes an equal installation.

use gatewright_types::api::{ApplyReport, Document};
use harness::api::Caller;
use harness::installation::Installation;
use harness::organization::Organization;
use harness::tls::Authority;
use harness::upstream::Upstream;
use serde_json::{Value, json};

use super::{Desk, text, whole_document};

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
