//! The configuration file by API, and at start.

use gatewright_control::{bootstrap, check_document};
use serde_json::{Value, json};

use crate::world::{Caller, OWNER, World};

const CONFIGURATION: &str = "/organizations/acme/configuration";

fn document() -> Value {
    json!({
        "version": 1,
        "organization": "acme",
        "name": "Acme Corporation",
        "members": [{"email": OWNER, "role": "owner"}],
        "providers": [
            {"name": "main", "kind": "openai", "credentials": [
                {"name": "a", "api_key": {"value": "sk-first-secret-of-main"}, "weight": 2},
            ]},
            {"name": "sandbox", "kind": "sandbox"},
        ],
        "models": [
            {"name": "fast", "route": {"target": "sandbox/fast"}},
            {"name": "smart", "route": {"target": "main/gpt-4o"}, "timeouts": {"total": "10m"}},
        ],
        "prices": [{"provider": "sandbox", "model": "fast", "input": "0.15", "output": "0.60"}],
        "teams": [{"name": "search"}],
        "tokens": [{"name": "ci", "role": "admin", "secret": {"value": "a-token-from-elsewhere"}}],
        "keys": [
            {"name": "imported", "team": "search", "secret": {"value": "a-key-from-elsewhere"}, "models": ["fast"]},
            {"name": "minted", "expires_at": "2099-01-01T00:00:00Z"},
        ],
    })
}

fn changes(report: &Value) -> Vec<String> {
    let text = |change: &Value| {
        let fields: Vec<_> = change["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field.as_str().unwrap())
            .collect();
        let (kind, resource) = (change["kind"].as_str().unwrap(), change["resource"].as_str().unwrap());
        format!(
            "{kind} {resource} {} {}",
            change["name"].as_str().unwrap(),
            fields.join(",")
        )
        .trim_end()
        .to_owned()
    };
    report["changes"].as_array().unwrap().iter().map(text).collect()
}

async fn apply(world: &World, owner: &Caller, document: &Value) -> Value {
    let answer = owner
        .post(world, &format!("{CONFIGURATION}/apply"), document.clone())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[actix_web::test]
async fn applying_does_what_the_plan_said_and_applying_again_does_nothing() {
    let (world, owner) = World::with_owner().await;

    let planned = owner.post(&world, &format!("{CONFIGURATION}/plan"), document()).await;
    let applied = apply(&world, &owner, &document()).await;
    let again = apply(&world, &owner, &document()).await;

    let expected = [
        "update organization acme name",
        "create team search",
        "create provider main",
        "create provider sandbox",
        "create model fast",
        "create model smart",
        "create price sandbox/fast",
        "create token ci",
        "create key imported",
        "create key minted",
    ];
    assert_eq!(changes(&planned.body), expected);
    assert_eq!(planned.body["minted"], json!({}));
    assert_eq!(changes(&applied), expected);
    let minted: Vec<_> = applied["minted"].as_object().unwrap().keys().collect();
    assert_eq!(minted, ["key/minted"]);
    assert_eq!((&again["changes"], &again["minted"]), (&json!([]), &json!({})));
    let actions: Vec<_> = world
        .audit(&owner, 11)
        .await
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert!(
        actions.contains(&json!("configuration.apply")) && actions.contains(&json!("key.create")),
        "{actions:?}"
    );
    let with_token = Caller::token("a-token-from-elsewhere");
    assert_eq!(with_token.get(&world, "/organizations/acme/keys").await.status, 200);
}

#[actix_web::test]
async fn only_what_differs_is_changed_and_what_a_complete_list_does_not_name_is_removed() {
    let (world, owner) = World::with_owner().await;
    apply(&world, &owner, &document()).await;
    let wanted = json!({
        "version": 1, "organization": "acme",
        "providers": [
            {"name": "main", "kind": "openai", "base_url": "https://api.openai.com/v1/", "credentials": [
                {"name": "a", "api_key": {"value": "sk-second-secret-of-main"}, "weight": 1},
                {"name": "b", "api_key": {"value": "sk-another-secret"}},
            ]},
            {"name": "sandbox", "kind": "sandbox"},
        ],
        "models": [{"name": "fast", "route": {"target": "main/gpt-4o"}}],
        "prices": [{"provider": "sandbox", "model": "fast", "input": "0.20"}],
        "tokens": [{"name": "ci", "role": "viewer"}],
        "keys": [{"name": "imported", "secret": {"value": "another-key-of-that-name"}}],
    });

    let applied = apply(&world, &owner, &wanted).await;
    let again = apply(&world, &owner, &wanted).await;

    assert_eq!(
        changes(&applied),
        [
            "update credential main/a weight,api_key",
            "create credential main/b",
            "update model fast route",
            "update price sandbox/fast rates",
            "update token ci role",
            "remove key minted",
            "update key imported secret",
            "remove model smart",
        ]
    );
    assert_eq!(again["changes"], json!([]));
    let teams = owner.get(&world, "/organizations/acme/teams").await;
    assert_eq!(teams.body["items"][0]["name"], "search");
}

#[actix_web::test]
async fn all_problems_are_told_at_once_and_nothing_is_done() {
    let (world, owner) = World::with_owner().await;
    let wanted = json!({
        "version": 1, "organization": "acme",
        "members": [{"email": "bob@example.com", "role": "admin", "password": {"value": "short"}}],
        "providers": [
            {"name": "inside", "kind": "openai-compatible", "base_url": "https://10.0.0.1/v1", "credentials": [
                {"name": "a", "api_key": {"env": "SOME_KEY"}},
            ]},
            {"name": "nowhere", "kind": "openai-compatible"},
        ],
        "models": [{"name": "m", "route": {"target": "inside/x"}}, {"name": "m", "route": {"target": "nobody/x"}}],
        "keys": [{"name": "k", "team": "nobody"}, {"name": "l", "secret": {"value": "short"}}],
    });

    let answer = owner.post(&world, &format!("{CONFIGURATION}/apply"), wanted).await;

    answer.refused(422, "invalid");
    answer.fields(&json!({
        "keys[0].team": "there is no team named nobody",
        "keys[1].secret": "must have 20 to 512 characters",
        "members": "must name at least one owner",
        "members[0].password": "must have at least 10 characters",
        "models[1].name": "is in this list twice",
        "models[1].route.target": "there is no provider named nobody",
        "providers[0].base_url": "points at a private address, which this installation does not allow",
        "providers[0].credentials[0].api_key":
            "send {value: …}: references are read by the command line, not by the server",
        "providers[1].base_url": "is required for a provider of kind openai-compatible",
    }));
    assert_eq!(
        owner.get(&world, "/organizations/acme/providers").await.body["items"],
        json!([])
    );
}

#[actix_web::test]
async fn a_provider_that_a_model_needs_stays() {
    let (world, owner) = World::with_owner().await;
    apply(&world, &owner, &document()).await;

    let wanted = json!({"version": 1, "organization": "acme", "providers": [{"name": "sandbox", "kind": "sandbox"}]});
    let answer = owner.post(&world, &format!("{CONFIGURATION}/apply"), wanted).await;

    answer.fields(&json!({"models.smart.route.target": "there is no provider named main"}));
}

#[actix_web::test]
async fn owners_change_places_in_one_document() {
    let (world, owner) = World::with_owner().await;
    world.member(&owner, "acme", "bob@example.com", "viewer").await;
    let members = json!([{"email": OWNER, "role": "viewer"}, {"email": "bob@example.com", "role": "owner"}]);

    let applied = apply(
        &world,
        &owner,
        &json!({"version": 1, "organization": "acme", "members": members}),
    )
    .await;

    assert_eq!(
        changes(&applied),
        [
            "update member bob@example.com role",
            "update member ada@example.com role"
        ]
    );
    owner
        .get(&world, "/organizations/acme/audit")
        .await
        .refused(403, "forbidden");
}

#[actix_web::test]
async fn an_export_applied_to_an_empty_installation_gives_an_equal_one() {
    let (world, owner) = World::with_owner().await;
    apply(&world, &owner, &document()).await;
    world.member(&owner, "acme", "bob@example.com", "member").await;
    let exported = owner.get(&world, CONFIGURATION).await.body;
    assert_eq!(owner.get(&world, CONFIGURATION).await.body, exported);
    let credential = &exported["providers"][0]["credentials"][0];
    assert_eq!(credential["api_key"], json!({"env": "GATEWRIGHT_SECRET_MAIN_A"}));
    let resolved = exported
        .to_string()
        .replace(r#"{"env":"GATEWRIGHT_SECRET_MAIN_A"}"#, r#"{"value":"sk-the-same"}"#);

    let (empty, other) = World::with_owner().await;
    apply(&empty, &other, &serde_json::from_str(&resolved).unwrap()).await;

    assert_eq!(other.get(&empty, CONFIGURATION).await.body, exported);
}

#[actix_web::test]
async fn bootstrap_makes_an_installation_and_finds_nothing_to_do_the_next_time() {
    let world = World::empty().await;
    let mut wanted = document();
    wanted["members"] = json!([{"email": OWNER, "role": "owner", "password": {"value": "password of the owner"}}]);
    let wanted = check_document(&wanted).unwrap();

    let first = bootstrap(&world.control, vec![wanted.clone()]).await.unwrap();
    let second = bootstrap(&world.control, vec![wanted.clone()]).await.unwrap();

    assert_eq!(
        first[0].changes.first().map(|change| change.resource.as_str()),
        Some("team")
    );
    assert_eq!(second[0].changes, []);
    let sign_in = json!({"email": OWNER, "password": "password of the owner"});
    let signed_in = Caller::default().post(&world, "/session", sign_in).await;
    assert_eq!(
        signed_in.body["memberships"][0]["organization"]["name"],
        "Acme Corporation"
    );
}

#[actix_web::test]
async fn bootstrap_tells_every_problem_and_makes_nothing() {
    let world = World::empty().await;
    let wanted = json!({
        "version": 1, "organization": "acme",
        "models": [{"name": "a", "route": {"target": "x/y"}}, {"name": "b", "route": {"target": "y/z"}}],
    });

    let error = bootstrap(&world.control, vec![check_document(&wanted).unwrap()])
        .await
        .unwrap_err();

    assert_eq!(
        error.problems,
        [
            "models[0].route.target: there is no provider named x",
            "models[1].route.target: there is no provider named y",
        ]
    );
    let there = world
        .db
        .system()
        .organization_by_slug(&"acme".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(there, None);
}

#[actix_web::test]
async fn keys_and_tokens_that_get_another_name_keep_their_secrets() {
    let (world, owner) = World::with_owner().await;
    let named = |name: &str| {
        json!({
            "version": 1, "organization": "acme",
            "tokens": [{"name": name, "role": "admin", "secret": {"value": "a-token-from-elsewhere"}}],
            "keys": [{"name": name, "secret": {"value": "a-key-from-elsewhere"}}],
        })
    };
    apply(&world, &owner, &named("before")).await;

    let applied = apply(&world, &owner, &named("after")).await;

    let expected = [
        "remove token before",
        "create token after",
        "remove key before",
        "create key after",
    ];
    assert_eq!(changes(&applied), expected);
    assert_eq!(applied["minted"], json!({}));
    let token = Caller::token("a-token-from-elsewhere");
    assert_eq!(
        token.get(&world, "/organizations/acme/tokens").await.body["items"][0]["name"],
        "after"
    );
}
