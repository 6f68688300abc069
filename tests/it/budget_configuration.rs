//! Budgets, limits and tags in the configuration file: what a file says is there afterwards, what is exported says the
//! same, and what cannot be meant is told with its place.

use gatewright_types::ProblemCode;
use gatewright_types::api::{ApplyReport, Budget, ChangeKind, RateLimit};
use harness::api::refused;
use harness::installation::{Installation, command};
use harness::organization::Organization;
use harness::process::directory;
use serde_json::{Value, json};

use crate::people;

/// Everything that has budgets or limits, each with some.
fn whole(organization: &Organization, member: &str) -> Value {
    json!({
        "version": 1,
        "organization": organization.slug,
        "tags": [{"name": "project", "required": true, "values": ["apollo"]}],
        "providers": [
            {"name": "up", "kind": "openai", "credentials": [{"name": "a", "api_key": {"value": "sk-0123456789abcdef"}}]}
        ],
        "models": [
            {"name": "fast", "route": {"target": "up/gpt-4o-mini"}},
            {"name": "smart", "route": {"target": "up/gpt-4o"}},
        ],
        "teams": [{
            "name": "search",
            "budgets": [{"amount": "500.00", "window": "month", "action": "block"}],
            "limits": {"rpm": 600, "tpm": 200_000, "concurrency": 50},
        }],
        "keys": [{
            "name": "search-prod",
            "team": "search",
            "owner": member,
            "tags": {"project": "apollo"},
            "models": ["fast", "smart"],
            "budgets": [
                {"amount": "20.00", "window": "day", "action": "block", "mode": "strict"},
                {"amount": "100.00", "window": "month", "action": {"downgrade": "fast"}, "soft": "80"},
            ],
            "limits": {"rpm": 60},
        }],
        "budgets": [
            {"scope": "organization", "amount": "900", "window": "month"},
            {"scope": {"user": member}, "amount": "300", "window": "month", "time_zone": "Europe/Berlin"},
            {"scope": {"provider": "up"}, "amount": "5", "window": {"rolling": "7d"}},
            {"scope": {"credential": {"provider": "up", "name": "a"}}, "amount": "5", "window": "total"},
            {"scope": {"model": "smart"}, "amount": "5", "window": {"fiscal_month": {"starts_on": 26}}},
            {"scope": {"tag": {"name": "project"}}, "amount": "5", "window": "week", "action": "ask"},
            {"scope": {"end_user": {"each": true}}, "amount": "1", "window": "hour", "carry_over": true},
        ],
        "limits": [
            {"scope": "organization", "rpm": 6_000},
            {"scope": {"team": "search"}, "rpm": 300, "shadow": true},
            {"scope": {"key": "search-prod"}, "tpm": 50, "units": "tokens.input", "shadow": true},
        ],
    })
}

async fn applied(organization: &Organization, document: &Value) -> ApplyReport {
    let path = organization.path("/configuration/apply");
    organization.owner.post(&path, document).await.expect(200).read()
}

async fn planned(organization: &Organization, document: &Value) -> ApplyReport {
    let path = organization.path("/configuration/plan");
    organization.owner.post(&path, document).await.expect(200).read()
}

/// What would be done: `update budget team search, month: amount`.
fn told(report: &ApplyReport) -> Vec<String> {
    let changes = report.changes.iter().map(|change| {
        let kind = match change.kind {
            ChangeKind::Create => "create",
            ChangeKind::Update => "update",
            ChangeKind::Remove => "remove",
        };
        let fields = change.fields.join(" ");
        format!("{kind} {} {}: {fields}", change.resource, change.name)
    });
    changes.collect()
}

/// An organization that is what the whole document says, and the document.
async fn with_all() -> (Organization, Value) {
    let organization = Organization::make(Installation::shared().await).await;
    let member = people::join(&organization, "member", "member").await;
    let document = whole(&organization, &member.email);
    applied(&organization, &document).await;
    (organization, document)
}

#[tokio::test]
async fn what_a_file_says_is_there_and_what_is_exported_says_the_same() {
    let (organization, document) = with_all().await;

    let budgets: Vec<Budget> = organization.all("/budgets").await;
    let limits: Vec<RateLimit> = organization.all("/limits").await;
    let mut names: Vec<_> = budgets
        .iter()
        .map(|budget| format!("{}, {}", budget.scope_name, budget.spec.window))
        .collect();
    names.sort();
    let member = document
        .pointer("/keys/0/owner")
        .and_then(Value::as_str)
        .expect("an address");
    let of_member = format!("user {member}, month");
    assert_eq!(
        names,
        [
            "credential up/a, total",
            "each end user, hour",
            "each value of tag project, week",
            "key search-prod, day",
            "key search-prod, month",
            "model smart, month from day 26",
            "provider up, rolling 7d",
            "team search, month",
            "the organization, month",
            of_member.as_str(),
        ]
    );
    assert_eq!(limits.len(), 5);
    assert_eq!(told(&planned(&organization, &document).await), [""; 0]);

    let path = organization.path("/configuration");
    let mut exported = organization.owner.get(&path).await.expect(200).json();
    // Secrets are exported as references, which the command line reads.
    exported["providers"] = document["providers"].clone();
    assert_eq!(told(&planned(&organization, &exported).await), [""; 0]);
    for place in [
        "/tags",
        "/teams/0/budgets/0/amount",
        "/teams/0/limits",
        "/keys/0/limits",
    ] {
        assert_eq!(exported.pointer(place), document.pointer(place), "{place}");
    }
    let other = Organization::make(Installation::shared().await).await;
    let member = people::join(&other, "member", "member").await;
    let moved = exported.to_string().replace(&organization.slug, &other.slug).replace(
        document
            .pointer("/keys/0/owner")
            .and_then(Value::as_str)
            .expect("an address"),
        &member.email,
    );
    let mut moved: Value = serde_json::from_str(&moved).expect("a document");
    for list in ["members", "tokens", "name"] {
        moved.as_object_mut().expect("a document").remove(list);
    }
    applied(&other, &moved).await;
    let copied: Vec<Budget> = other.all("/budgets").await;
    assert_eq!(copied.len(), budgets.len());
}

#[tokio::test]
async fn a_change_is_an_update_and_what_is_not_named_is_left_alone_or_removed() {
    let (organization, document) = with_all().await;
    let before: Vec<Budget> = organization.all("/budgets").await;
    let id_of = |budgets: &[Budget], scope: &str| {
        let found = budgets.iter().find(|budget| budget.scope_name == scope);
        found.map(|budget| budget.id)
    };

    let mut changed = document.clone();
    changed["teams"][0]["budgets"][0]["amount"] = json!("450");
    changed["keys"][0]["budgets"].as_array_mut().expect("a list").remove(1);
    changed["limits"][0]["rpm"] = json!(5_000);
    let report = planned(&organization, &changed).await;
    let expected = [
        "update budget team search, month: amount",
        "update limit the organization: rpm",
        "remove budget key search-prod, month: ",
    ];
    assert_eq!(told(&report), expected);
    assert_eq!(told(&applied(&organization, &changed).await), expected);
    let after: Vec<Budget> = organization.all("/budgets").await;
    assert_eq!(id_of(&after, "team search"), id_of(&before, "team search"));

    // Lists that are absent are left alone, with what stands at entries.
    let mut sparse = changed.clone();
    for list in ["budgets", "limits"] {
        sparse.as_object_mut().expect("a document").remove(list);
        sparse["teams"][0].as_object_mut().expect("an entry").remove(list);
    }
    assert_eq!(told(&planned(&organization, &sparse).await), [""; 0]);
    sparse["teams"][0]["budgets"] = json!([]);
    sparse["teams"][0]["limits"] = json!({});
    let expected = ["remove limit team search: ", "remove budget team search, month: "];
    assert_eq!(told(&planned(&organization, &sparse).await), expected);

    // What goes takes its own along, and both a whole and its part may be lowered at once.
    let mut smaller = changed.clone();
    smaller["keys"] = json!([]);
    smaller["limits"].as_array_mut().expect("a list").pop();
    assert_eq!(
        told(&planned(&organization, &smaller).await),
        ["remove key search-prod: "]
    );
    let mut lower = changed.clone();
    lower["budgets"][0]["amount"] = json!("90");
    lower["budgets"][1]["amount"] = json!("80");
    lower["teams"][0]["budgets"][0]["amount"] = json!("70");
    assert_eq!(applied(&organization, &lower).await.changes.len(), 3);
}

#[tokio::test]
async fn what_a_file_cannot_mean_is_told_with_its_place() {
    let (organization, document) = with_all().await;
    let member = document
        .pointer("/keys/0/owner")
        .and_then(Value::as_str)
        .expect("an address");
    let path = organization.path("/configuration/plan");
    for (place, value, field, says) in [
        (
            "/teams/0/budgets/0/amount",
            json!("-1"),
            "teams[0].budgets[0].amount",
            "negative",
        ),
        (
            "/teams/0/budgets/0/amount",
            json!("901"),
            "teams[0].budgets[0].amount",
            "900.00 USD that the organization has",
        ),
        (
            "/keys/0/budgets/1/amount",
            json!("501"),
            "keys[0].budgets[1].amount",
            "500.00 USD that team search has",
        ),
        (
            "/keys/0/budgets/1/amount",
            json!("400"),
            "keys[0].budgets[1].amount",
            "300.00 USD that user",
        ),
        (
            "/keys/0/budgets/1/window",
            json!("day"),
            "keys[0].budgets[1].window",
            "says again what keys[0].budgets[0] says",
        ),
        (
            "/keys/0/budgets/1/action",
            json!({"downgrade": "slow"}),
            "keys[0].budgets[1].action.downgrade",
            "no model named slow",
        ),
        (
            "/keys/0/limits",
            json!({"rps": 5}),
            "keys[0].limits.rps",
            "did you mean",
        ),
        (
            "/budgets/0/scope",
            json!({"team": "serach"}),
            "budgets[0].scope.team",
            "there is no team serach",
        ),
        (
            "/budgets/0/scope",
            json!({"key": "nobody"}),
            "budgets[0].scope.key",
            "there is no key nobody",
        ),
        (
            "/budgets/0/scope",
            json!({"user": "nobody@example.test"}),
            "budgets[0].scope.user",
            "there is no user nobody",
        ),
        (
            "/budgets/0/scope",
            json!({"tag": {"name": "tier"}}),
            "budgets[0].scope.tag",
            "there is no each value of tag tier",
        ),
        (
            "/budgets/0/scope",
            json!({"team": "search"}),
            "budgets[0].window",
            "says again what teams[0].budgets[0] says",
        ),
        (
            "/budgets/0/scope",
            json!({"teem": "search"}),
            "budgets[0].scope.teem",
            "did you mean \"team\"",
        ),
        (
            "/budgets/2/window",
            json!({"rolling": "1s"}),
            "budgets[2].window.rolling",
            "must be from 1h",
        ),
        (
            "/budgets/3/scope/credential/name",
            json!("b"),
            "budgets[3].scope.credential",
            "there is no credential up/b",
        ),
        ("/limits/0/rpm", json!(0.5), "limits[0].rpm", "a whole number"),
        (
            "/limits/0",
            json!({"scope": "organization"}),
            "limits[0].rpm",
            "a limit limits something",
        ),
        ("/tags/0/values", json!([]), "tags[0].values", "each once"),
        ("/tags/0/name", json!("Project"), "tags[0].name", "lower-case"),
    ] {
        let mut wrong = document.clone();
        *wrong.pointer_mut(place).expect(place) = value;
        let answer = organization.owner.post(&path, &wrong).await;
        let problem = refused(&answer, 422, ProblemCode::Invalid);
        let message = problem.fields.get(field);
        assert!(
            message.is_some_and(|message| message.contains(says)),
            "{place}: {field} does not say {says:?}: {problem:?}"
        );
    }
    assert!(member.contains('@'));
}

#[tokio::test]
async fn without_a_server_a_file_with_budgets_is_validated_and_explained() {
    let organization = Organization::make(Installation::shared().await).await;
    let mut document = whole(&organization, "member@example.test");
    document["members"] = json!([
        {"email": "owner@example.test", "role": "owner"},
        {"email": "member@example.test", "role": "member"},
    ]);
    let directory = directory("budgets");
    let file = directory.path().join("acme.yaml");
    let run = |document: &Value, arguments: &[&str]| {
        std::fs::write(&file, document.to_string()).expect("the directory is ours");
        let output = command(arguments, &[])
            .current_dir(&directory)
            .output()
            .expect("the binary runs");
        let told = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&told).into_owned())
    };

    let validate = ["validate", "-f", "acme.yaml"];
    let (code, told) = run(&document, &validate);
    assert_eq!(code, Some(0), "{told}");
    let sample = directory.path().join("sample.json");
    std::fs::write(&sample, json!({"model": "smart", "key": "search-prod"}).to_string()).expect("a file");
    let (code, told) = run(&document, &["explain", "-f", "acme.yaml", "--request", "sample.json"]);
    assert_eq!(code, Some(0), "{told}");

    document["teams"][0]["budgets"][0]["window"] = json!({"fiscal_month": {"starts_on": 30}});
    document["budgets"][0]["scope"] = json!({"team": "nobody"});
    let (code, told) = run(&document, &validate);
    assert_ne!(code, Some(0), "{told}");
    for says in [
        "teams[0].budgets[0].window.fiscal_month.starts_on",
        "there is no team nobody",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
}
