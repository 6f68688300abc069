//! The catalogue on the nodes: an approved refresh prices requests everywhere, and nothing else does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_types::Page;
use gatewright_types::ProblemCode;
use gatewright_types::api::{
    AuditOutcome, AutomaticApproval, CatalogRefresh, CatalogRefreshDetail, CatalogSchedule, CatalogTry,
    CatalogTryOutcome, RefreshState,
};
use harness::api::{Api, refused};
use harness::chat::{request_id, sandbox};
use harness::installation::{Installation, Options, ROOT_ORGANIZATION};
use harness::organization::{EFFECT, Key, Organization};
use harness::upstream::{Script, Upstream};
use harness::wait::eventually;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// By when a try that is due was made.
const TRIED: std::time::Duration = std::time::Duration::from_secs(20);

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

/// All that the program knows of the sandbox, with another price of its echo and whatever else is said.
fn sandbox_of(day: &str, echo: &str, more: &str) -> String {
    format!(
        r#"{{"schema":1,"unit":"USD per token","as_of":"{day}","source":"a publisher","models":[
        {{"id":"echo","provider":"sandbox","mode":"chat","context":1000000,"max_output":100000,"price":{{"in":{echo},"out":4e-07}}}},
        {{"id":"sandbox-small","provider":"sandbox","mode":"chat","context":1000000,"max_output":100000,"price":{{"in":1e-07,"out":4e-07}}}},
        {{"id":"sandbox-large","provider":"sandbox","mode":"chat","context":1000000,"max_output":100000,"price":{{"in":2.5e-06,"out":1e-05}}}}{more}]}}"#
    )
}

/// Somebody who publishes catalogues.
struct Publisher {
    upstream: Upstream,
    root: Api,
}

impl Publisher {
    async fn start(installation: &Installation) -> Self {
        Self {
            upstream: Upstream::start().await,
            root: installation.root().await,
        }
    }

    fn publish(&self, text: &str) {
        let json = "application/json";
        self.upstream
            .on("/catalogue.json", Script::body(200, json, text.to_owned()));
        self.upstream
            .on("/catalogue.json.sig", Script::body(200, "text/plain", signature(text)));
    }

    async fn schedule(&self) -> CatalogSchedule {
        self.root.get("/catalog/schedule").await.expect(200).read()
    }

    /// Sets the schedule and gives how the try ended that this asks for.
    async fn tried(&self, approval: AutomaticApproval) -> CatalogTry {
        let before = self.schedule().await.last_try;
        let url = format!("{}/catalogue.json", self.upstream.origin());
        let body = json!({"url": url, "every": "1d", "approval": approval});
        self.root.post("/catalog/schedule", &body).await.expect(200);
        eventually("the try ends", TRIED, async || {
            let last = self.schedule().await.last_try?;
            (Some(&last) != before.as_ref()).then_some(last)
        })
        .await
    }

    async fn states(&self) -> Vec<RefreshState> {
        let page: Page<CatalogRefresh> = self.root.get("/catalog/refreshes").await.expect(200).read();
        page.items.iter().map(|refresh| refresh.state).collect()
    }

    /// The version of the catalogue by which the echo is known.
    async fn version(&self) -> String {
        let entry = self.root.get("/catalog/entry?kind=sandbox&model=echo").await;
        entry.expect(200).json()["source"]["version"]
            .as_str()
            .expect("a version")
            .to_owned()
    }
}

#[tokio::test]
async fn a_schedule_approves_by_itself_what_it_may_and_leaves_the_rest_to_a_person() {
    use AutomaticApproval::{Additions, Always, Never};
    use CatalogTryOutcome::{Approved, Unchanged, Waiting};
    let installation = installation().await;
    let publisher = Publisher::start(&installation).await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let before = publisher.version().await;
    let outcome = async |approval| publisher.tried(approval).await.outcome;
    assert_eq!(publisher.schedule().await, CatalogSchedule::default());

    publisher.publish(&sandbox_of(
        "2026-11-02",
        "1e-07",
        r#",{"id":"new","provider":"sandbox"}"#,
    ));
    assert_eq!(outcome(Never).await, Waiting);
    assert_eq!(outcome(Never).await, Waiting, "what waits is not brought in again");
    assert_eq!(publisher.states().await, [RefreshState::Pending]);
    assert_eq!(publisher.version().await, before);

    assert_eq!(outcome(Additions).await, Approved);
    assert_eq!(
        publisher.states().await,
        [RefreshState::Approved, RefreshState::Rejected]
    );
    let added = publisher.version().await;
    assert!(added.starts_with("catalogue@2026-11-02#"), "{added}");
    assert_eq!(outcome(Additions).await, Unchanged);

    // A dollar a token.
    publisher.publish(&sandbox_of("2026-11-03", "1", r#",{"id":"new","provider":"sandbox"}"#));
    assert_eq!(outcome(Additions).await, Waiting, "it changes a price");
    publisher.publish(&sandbox_of("2026-11-03", "1e-07", ""));
    assert_eq!(outcome(Additions).await, Waiting, "it takes a model away");
    assert_eq!(publisher.version().await, added);

    publisher.publish(&sandbox_of("2026-11-04", "1", ""));
    assert_eq!(outcome(Always).await, Approved);
    let dear = |cost: &str| cost.parse::<f64>().is_ok_and(|cost| cost >= 1.0);
    everywhere(&organization, &key, "echo", dear).await;
    assert!(
        !publisher.states().await.contains(&RefreshState::Pending),
        "what waited is void"
    );
}

#[tokio::test]
async fn a_scheduled_fetch_that_fails_or_goes_back_keeps_the_old_catalogue_and_is_told() {
    let installation = installation().await;
    let publisher = Publisher::start(&installation).await;
    publisher.publish(&sandbox_of("2026-11-04", "1", ""));
    assert_eq!(
        publisher.tried(AutomaticApproval::Always).await.outcome,
        CatalogTryOutcome::Approved
    );
    let version = publisher.version().await;
    let fails = async |reason: &str| {
        let failed = publisher.tried(AutomaticApproval::Always).await;
        assert_eq!(failed.outcome, CatalogTryOutcome::Failed, "{failed:?}");
        let error = failed.error.unwrap_or_default();
        assert!(error.contains(reason), "{error}");
        let next = publisher.schedule().await.next_try_at.expect("there is a next try");
        let pause = next - failed.at;
        assert_eq!(pause.num_minutes(), 15, "what failed is tried again soon");
        assert_eq!(publisher.version().await, version);
    };

    publisher.publish(&sandbox_of("2026-11-03", "2", ""));
    fails("older than the one in force, of 2026-11-04").await;
    publisher.upstream.on(
        "/catalogue.json.sig",
        Script::body(200, "text/plain", signature("another text")),
    );
    fails("was not made over this document").await;
    publisher.upstream.on(
        "/catalogue.json",
        Script::body(302, "text/plain", "").header("location", "/elsewhere"),
    );
    fails("status 302").await;

    let audit = publisher
        .root
        .get(&format!(
            "/organizations/{ROOT_ORGANIZATION}/audit?action=catalog.fetch"
        ))
        .await;
    let audit: Page<gatewright_types::api::AuditEntry> = audit.expect(200).read();
    let told: Vec<_> = audit
        .items
        .iter()
        .map(|entry| (entry.outcome, entry.actor.as_str()))
        .collect();
    assert_eq!(told, [(AuditOutcome::Refused, "system"); 3]);
    let approvals = publisher
        .root
        .get(&format!(
            "/organizations/{ROOT_ORGANIZATION}/audit?action=catalog.approve"
        ))
        .await;
    let approvals: Page<gatewright_types::api::AuditEntry> = approvals.expect(200).read();
    assert_eq!(approvals.items.len(), 1);
    assert_eq!(approvals.items[0].detail["by"], "the schedule");
}

#[tokio::test]
async fn a_schedule_is_checked_by_field_and_can_be_taken_back() {
    let installation = installation().await;
    let root = installation.root().await;
    let set = async |url: &str, every: &str| {
        let body = json!({"url": url, "every": every});
        root.post("/catalog/schedule", &body).await
    };

    let wrong = refused(&set("ftp://example.test/c", "10s").await, 422, ProblemCode::Invalid);
    assert_eq!(wrong.fields["url"], "must be an absolute http or https URL");
    assert_eq!(wrong.fields["every"], "must be from 5m to 30d");
    let metadata = refused(&set("http://169.254.169.254/c", "1d").await, 422, ProblemCode::Invalid);
    assert!(metadata.fields["url"].contains("may not have"), "{metadata:?}");
    let word = json!({"url": "https://example.test/c", "every": "1d", "approval": "sometimes"});
    let word = refused(&root.post("/catalog/schedule", &word).await, 422, ProblemCode::Invalid);
    assert!(word.fields.contains_key("approval"), "{word:?}");
    refused(&root.delete("/catalog/schedule").await, 404, ProblemCode::NotFound);

    set("http://127.0.0.1:9/c.json?edition=latest", "6h").await.expect(200);
    root.delete("/catalog/schedule").await.expect(204);
    let schedule: CatalogSchedule = root.get("/catalog/schedule").await.expect(200).read();
    assert_eq!(schedule, CatalogSchedule::default());
}
