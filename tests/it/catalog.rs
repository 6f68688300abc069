//! The catalogue on the nodes: an approved refresh prices requests everywhere, and nothing else does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_types::ProblemCode;
use gatewright_types::api::{CatalogRefreshDetail, RefreshState};
use harness::api::{Api, refused};
use harness::chat::{request_id, sandbox};
use harness::installation::{Installation, Options};
use harness::organization::{EFFECT, Key, Organization};
use harness::upstream::{Script, Upstream};
use harness::wait::eventually;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

fn signer() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("any seed makes a pair")
}

fn signature(text: &str) -> String {
    STANDARD.encode(signer().sign(text.as_bytes()))
}

/// A catalogue in which the sandbox's echo costs this much per token of input and nothing for output.
fn document(input: &str) -> String {
    format!(
        r#"{{"schema":1,"unit":"USD per token","as_of":"2026-11-02","source":"a test","models":[
        {{"id":"echo","provider":"sandbox","mode":"chat","context":4321,"caps":["vision"],"aliases":["parrot"],
          "deprecates":"2026-11-01","sunsets":"2099-01-01","price":{{"in":{input},"out":0}}}}]}}"#
    )
}

async fn installation() -> Installation {
    let options = Options {
        environment: vec![("GATEWRIGHT_CATALOG_KEY", STANDARD.encode(signer().public_key()))],
        ..Options::default()
    };
    Installation::start(options).await
}

async fn bring_in(root: &Api, text: &str) -> CatalogRefreshDetail {
    let body = json!({"document": {"text": text, "signature": signature(text)}});
    root.post("/catalog/refreshes", &body).await.expect(201).read()
}

async fn approve(root: &Api, made: &CatalogRefreshDetail) -> CatalogRefreshDetail {
    let path = format!("/catalog/refreshes/{}/approve", made.refresh.id);
    root.post(&path, &json!({})).await.expect(200).read()
}

/// The cost of a request with ten tokens each way, as the node told it.
async fn cost(organization: &Organization, node: usize, key: &Key, model: &str) -> String {
    let answer = organization.chat_at(node, key).send(&sandbox(model, "tokens=10")).await;
    answer.expect(200).headers.need("x-gw-cost-usd").to_owned()
}

/// By when every node that serves requests has read what was published.
async fn everywhere(organization: &Organization, key: &Key, model: &str, wanted: impl Fn(&str) -> bool) {
    for node in 0..organization.nodes.len() {
        eventually("a node prices by the new catalogue", EFFECT, async || {
            wanted(&cost(organization, node, key, model).await).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_approved_catalogue_prices_on_every_node_within_a_second_and_a_pending_one_does_not() {
    let installation = installation().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let root = installation.root().await;
    let before = cost(&organization, 0, &key, "echo").await;
    let old = organization.chat(&key).send(&sandbox("echo", "tokens=10")).await;

    // A dollar a token, so that no request of the old price can be taken for one of the new.
    let made = bring_in(&root, &document("1")).await;

    tokio::time::sleep(EFFECT).await;
    for node in 0..organization.nodes.len() {
        assert_eq!(cost(&organization, node, &key, "echo").await, before);
    }
    let approved = approve(&root, &made).await;
    assert_eq!(approved.refresh.state, RefreshState::Approved);
    let dear = |cost: &str| cost.parse::<f64>().is_ok_and(|cost| cost >= 1.0);
    everywhere(&organization, &key, "echo", dear).await;

    let new = organization.chat(&key).send(&sandbox("echo", "tokens=10")).await;
    let (old, new) = (
        organization.usage(&request_id(&old)).await,
        organization.usage(&request_id(&new)).await,
    );
    let version = |row: &gatewright_types::api::UsageRow| row.lines.iter().find_map(|line| line.price_version.clone());
    assert_eq!(
        version(&old).as_deref(),
        Some("catalogue@2026-11-01"),
        "what was used keeps its price"
    );
    assert_eq!(version(&new).as_deref(), Some(made.refresh.version.as_str()));
    let again = approve(&root, &made).await;
    assert_eq!(again, approved);
}

#[tokio::test]
async fn an_alias_finds_price_and_facts_and_models_tell_when_they_end() {
    let installation = installation().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    organization.model("bird", "sandbox/parrot", &json!({})).await;
    let root = installation.root().await;
    organization.settled(&key, &["bird"]).await;

    approve(&root, &bring_in(&root, &document("1")).await).await;

    everywhere(&organization, &key, "bird", |cost| {
        cost.parse::<f64>().is_ok_and(|cost| cost >= 1.0)
    })
    .await;
    let own = json!({"kind": "sandbox", "model": "echo", "facts": {"context": 99, "capabilities": {"vision": false, "tools": true}}});
    organization
        .owner
        .post(&organization.path("/catalog/overlays"), &own)
        .await
        .expect(201);
    let told = |listed: &Value| {
        let models = listed["data"].as_array().cloned().unwrap_or_default();
        models
            .into_iter()
            .find(|model| model["id"] == "bird")
            .unwrap_or_default()
    };
    eventually("own facts reach the data plane", EFFECT, async || {
        let bird = told(&organization.chat(&key).models().await.expect(200).json());
        (bird["context_length"] == 99).then_some(())
    })
    .await;
    let bird = told(&organization.chat(&key).models().await.expect(200).json());
    assert_eq!(bird["capabilities"], json!(["chat", "tools"]));
    assert_eq!(
        (&bird["deprecated_on"], &bird["sunset_on"]),
        (&json!("2026-11-01"), &json!("2099-01-01"))
    );
    let model: Vec<gatewright_types::api::Model> = organization.all("/models").await;
    assert!(model.iter().all(|model| {
        model
            .lifecycle
            .as_ref()
            .is_some_and(|life| life.deprecated_on.is_some())
    }));
}

#[tokio::test]
async fn a_catalogue_is_fetched_with_its_signature_and_a_failure_keeps_the_old_one() {
    let installation = installation().await;
    let root = installation.root().await;
    let upstream = Upstream::start().await;
    let text = document("0.5");
    let url = format!("{}/catalogue.json", upstream.origin());
    let bring = async || root.post("/catalog/refreshes", &json!({"url": url})).await;
    upstream.on("/catalogue.json", Script::body(200, "application/json", text.clone()));
    upstream.on("/catalogue.json.sig", Script::body(404, "text/plain", "not here"));

    let unsigned = refused(&bring().await, 422, ProblemCode::Invalid);
    assert_eq!(
        unsigned.fields["url"],
        "its signature cannot be fetched: it answered with status 404"
    );
    upstream.on(
        "/catalogue.json.sig",
        Script::body(200, "text/plain", signature("another text")),
    );
    let wrong = refused(&bring().await, 422, ProblemCode::Invalid);
    assert!(
        wrong.fields["url"].contains("was not made over this document"),
        "{wrong:?}"
    );
    upstream.on(
        "/catalogue.json",
        Script::body(302, "text/plain", "").header("location", "/elsewhere"),
    );
    let moved = refused(&bring().await, 422, ProblemCode::Invalid);
    assert!(moved.fields["url"].contains("status 302"), "{moved:?}");
    let metadata = json!({"url": "http://169.254.169.254/catalogue.json"});
    let metadata = refused(
        &root.post("/catalog/refreshes", &metadata).await,
        422,
        ProblemCode::Invalid,
    );
    assert!(metadata.fields["url"].contains("may not have"), "{metadata:?}");
    let entry = root
        .get("/catalog/entry?kind=sandbox&model=echo")
        .await
        .expect(200)
        .json();
    assert_eq!(entry["source"]["version"], "catalogue@2026-11-01");

    upstream.on("/catalogue.json", Script::body(200, "application/json", text.clone()));
    upstream.on("/catalogue.json.sig", Script::body(200, "text/plain", signature(&text)));
    let made: CatalogRefreshDetail = bring().await.expect(201).read();
    approve(&root, &made).await;

    let entry = root
        .get("/catalog/entry?kind=sandbox&model=parrot")
        .await
        .expect(200)
        .json();
    assert_eq!((&entry["model"], &entry["context"]), (&json!("echo"), &json!(4321)));
}

#[tokio::test]
async fn a_restarted_node_prices_by_what_was_approved_before() {
    let mut installation = installation().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let root = installation.root().await;
    approve(&root, &bring_in(&root, &document("1")).await).await;
    let dear = |cost: &str| cost.parse::<f64>().is_ok_and(|cost| cost >= 1.0);
    everywhere(&organization, &key, "echo", dear).await;

    let first = installation.first_data_plane();
    let node = installation.nodes.get_mut(first).expect("there is a data plane");
    node.kill();
    node.restart().await;

    assert!(dear(&cost(&organization, 0, &key, "echo").await));
}
