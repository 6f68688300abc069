//! Files and commands that are wrong: what is told, and that nothing is changed.

use harness::api::{Caller, refused};
use harness::installation::{Installation, ROOT_TOKEN};
use harness::organization::Organization;
use harness::process::directory;
use serde_json::{Value, json};

use super::{Desk, text};

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
