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
            {"name": "smart", "route": {"target": "main/gpt-4o"}, "timeouts": {"total": "10m"},
                "cache": {"ttl": "1h", "scope": "user", "coalesce": false}, "prompt_cache": "auto"},
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
async fn own_facts_of_models_are_applied_changed_removed_and_exported() {
    let (world, owner) = World::with_owner().await;
    let catalog = |entries: Value| json!({"version": 1, "organization": "acme", "catalog": entries});
    let first = catalog(json!([
        {"kind": "openai", "model": "gpt-4o", "facts": {"context": 8000, "aliases": ["ours"]}},
        {"kind": "openai-compatible", "model": "in-house", "facts": {"capabilities": {"chat": true}}},
    ]));
    let second = catalog(json!([{"kind": "openai", "model": "gpt-4o", "facts": {"context": 9000}}]));

    assert_eq!(
        changes(&apply(&world, &owner, &first).await),
        [
            "create overlay openai/gpt-4o",
            "create overlay openai-compatible/in-house"
        ]
    );
    let exported = owner.get(&world, CONFIGURATION).await.body;
    assert_eq!(exported["catalog"], first["catalog"]);
    assert_eq!(
        changes(&apply(&world, &owner, &second).await),
        [
            "update overlay openai/gpt-4o facts",
            "remove overlay openai-compatible/in-house"
        ]
    );
    assert_eq!(apply(&world, &owner, &second).await["changes"], json!([]));
    let nothing = catalog(json!([{"kind": "openai", "model": "gpt-4o", "facts": {}}]));
    let refused = owner.post(&world, &format!("{CONFIGURATION}/apply"), nothing).await;
    refused.refused(422, "invalid");
    assert!(
        refused.body["error"]["fields"]["catalog[0].facts"].is_string(),
        "{}",
        refused.body
    );
    let taken = catalog(json!([
        {"kind": "openai", "model": "a", "facts": {"aliases": ["x"]}},
        {"kind": "openai", "model": "b", "facts": {"aliases": ["x"]}},
    ]));
    let refused = owner.post(&world, &format!("{CONFIGURATION}/apply"), taken).await;
    refused.refused(422, "invalid");
    let fields = refused.body["error"]["fields"].as_object().unwrap();
    assert!(
        fields
            .keys()
            .any(|field| field.starts_with("catalog[1]") || field.starts_with("catalog[0]")),
        "{fields:?}"
    );
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
            "update key imported team,models,secret",
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

fn clouds() -> Value {
    let account = json!({"type": "service_account", "client_email": "gateway@p.iam.gserviceaccount.com",
        "private_key": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"});
    json!({
        "version": 1, "organization": "acme",
        "providers": [
            {"name": "azure", "kind": "azure", "base_url": "https://r.openai.azure.com", "api_version": "2024-10-21",
             "deployments": {"gpt-4o": "main"}, "credentials": [
                {"name": "a", "weight": 1, "entra": {
                    "tenant_id": "the-tenant", "client_id": {"value": "the-client"}, "client_secret": {"value": "s-entra"}}},
                {"name": "b", "weight": 1, "api_key": {"value": "azure-key-0001"}},
            ]},
            {"name": "bedrock-eu", "kind": "bedrock", "region": "eu-central-1", "api": "invoke", "headers": {"x-team": "search"},
             "credentials": [{"name": "a", "weight": 2, "aws": {
                "access_key_id": {"value": "AKIAIOSFODNN7EXAMPLE"}, "secret_access_key": {"value": "s-aws"},
                "session_token": {"value": "t-aws"}, "role_arn": "arn:aws:iam::123456789012:role/gateway"}}]},
            {"name": "vertex", "kind": "vertex", "region": "europe-west4", "project": "p", "credentials": [
                {"name": "a", "weight": 1, "google": {"service_account": {"value": account.to_string()}}}]},
        ],
    })
}

#[actix_web::test]
async fn clouds_are_applied_once_and_only_what_differs_is_changed() {
    let (world, owner) = World::with_owner().await;
    apply(&world, &owner, &clouds()).await;
    let mut wanted = clouds();
    let providers = &mut wanted["providers"];
    providers[0]["deployments"] = json!({"gpt-4o": "other"});
    providers[0]["credentials"][0]["entra"]["client_secret"] = json!({"value": "s-entra-2"});
    providers[1]["region"] = json!("us-east-1");
    providers[1]["api"] = json!("converse");
    providers[1]["credentials"][0] = json!({"name": "a", "weight": 2, "api_key": {"value": "bedrock-key-1"}});

    let again = apply(&world, &owner, &clouds()).await;
    let changed = apply(&world, &owner, &wanted).await;

    assert_eq!(changes(&again), [] as [&str; 0]);
    assert_eq!(
        changes(&changed),
        [
            "update provider azure deployments",
            "update credential azure/a entra",
            "update provider bedrock-eu base_url,region,api",
            "update credential bedrock-eu/a api_key",
        ]
    );
}

#[actix_web::test]
async fn clouds_are_exported_with_references_and_the_rest_written_out() {
    let (world, owner) = World::with_owner().await;
    apply(&world, &owner, &clouds()).await;

    let exported = owner.get(&world, CONFIGURATION).await.body;

    let secret = |name: &str| json!({"env": format!("GATEWRIGHT_SECRET_{name}")});
    let mut expected = clouds()["providers"].clone();
    expected[0]["credentials"][0]["entra"] = json!({
        "tenant_id": "the-tenant", "client_id": "the-client", "client_secret": secret("AZURE_A_CLIENT_SECRET")});
    expected[0]["credentials"][1]["api_key"] = secret("AZURE_B");
    let aws = &mut expected[1]["credentials"][0]["aws"];
    aws["access_key_id"] = secret("BEDROCK_EU_A_ACCESS_KEY_ID");
    aws["secret_access_key"] = secret("BEDROCK_EU_A_SECRET_ACCESS_KEY");
    aws["session_token"] = secret("BEDROCK_EU_A_SESSION_TOKEN");
    expected[2]["credentials"][0]["google"]["service_account"] = secret("VERTEX_A_SERVICE_ACCOUNT");
    assert_eq!(exported["providers"], expected);

    let (empty, other) = World::with_owner().await;
    let mut copied = exported.clone();
    copied["providers"] = {
        let mut providers = expected;
        for (index, credential) in [(0, 0), (0, 1), (1, 0), (2, 0)] {
            providers[index]["credentials"][credential] =
                clouds()["providers"][index]["credentials"][credential].clone();
        }
        providers
    };
    apply(&empty, &other, &copied).await;
    assert_eq!(other.get(&empty, CONFIGURATION).await.body, exported);
}

#[actix_web::test]
async fn what_a_cloud_lacks_is_told_at_its_place_in_the_document() {
    let (world, owner) = World::with_owner().await;
    let mut wanted = clouds();
    let providers = &mut wanted["providers"];
    providers[0]["credentials"][0]["entra"]["client_secret"] = json!({"env": "SECRET"});
    providers[0]["credentials"][1] = json!({"name": "b", "google": {"service_account": {"value": "[]"}}});
    providers[1]["project"] = json!("p");
    providers[2].as_object_mut().unwrap().remove("region");

    let answer = owner.post(&world, &format!("{CONFIGURATION}/apply"), wanted).await;

    answer.refused(422, "invalid");
    answer.fields(&json!({
        "providers[0].credentials[0].entra.client_secret":
            "send {value: …}: references are read by the command line, not by the server",
        "providers[0].credentials[1].google": "cannot be used with a provider of kind azure: give api_key or entra",
        "providers[0].credentials[1].google.service_account":
            "must be the JSON of a service account's key file, as one text",
        "providers[1].project": "has no meaning for a provider of kind bedrock: remove it",
        "providers[2].region":
            "is required for a provider of kind vertex with a project or a google credential: give one, such as europe-west4 or global",
    }));
}
