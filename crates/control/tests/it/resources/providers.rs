//! Providers with their credentials, and what they do not take.

use serde_json::{Value, json};

use super::{HERE, audited, only_item, sandbox};
use crate::world::World;

#[actix_web::test]
async fn providers_keep_credentials_and_can_be_tried_out() {
    let (world, owner) = World::with_owner().await;
    let providers = format!("{HERE}/providers");
    let body = json!({
        "name": "openai-main", "kind": "openai", "credentials": [{"name": "a", "api_key": "sk-0123456789abcdef"}],
    });

    let made = owner.post(&world, &providers, body).await;

    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.text("base_url"), "https://api.openai.com/v1");
    assert_eq!(
        (
            &made.body["credentials"][0]["hint"],
            &made.body["credentials"][0]["weight"]
        ),
        (&json!("cdef"), &json!(1))
    );
    audited(&world, &owner, "provider.create", &made.body["id"]).await;
    let path = format!("{providers}/{}", made.text("id"));
    assert_eq!(owner.get(&world, &path).await.body, made.body);
    let added = json!({"name": "b", "api_key": "sk-fedcba9876543210", "weight": 3});
    let added = owner.post(&world, &format!("{path}/credentials"), added).await;
    assert_eq!((added.status.as_u16(), &added.body["weight"]), (201, &json!(3)));
    audited(&world, &owner, "credential.create", &added.body["id"]).await;

    let tests = owner.post(&world, &format!("{path}/test"), json!({})).await;
    let tried: Vec<_> = tests.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["credential"].clone())
        .collect();
    assert_eq!(
        tried,
        [made.body["credentials"][0]["id"].clone(), added.body["id"].clone()]
    );
    assert_eq!(tests.body["items"][0]["outcome"], "works");
    assert_eq!(tests.body["items"][0]["message"], "hello [secret]");

    let credential = format!("{path}/credentials/{}", added.text("id"));
    assert_eq!(owner.delete(&world, &credential).await.status, 204);
    audited(&world, &owner, "credential.delete", &added.body["id"]).await;
    let moved = owner
        .patch(&world, &path, json!({"base_url": "https://eu.example.com/v1"}))
        .await;
    assert_eq!(moved.text("base_url"), "https://eu.example.com/v1");
    assert_eq!(owner.delete(&world, &path).await.status, 204);
    audited(&world, &owner, "provider.delete", &made.body["id"]).await;
}

#[actix_web::test]
async fn a_clouds_provider_has_settings_and_credentials_of_its_own_kind() {
    let (world, owner) = World::with_owner().await;
    let providers = format!("{HERE}/providers");
    let body = json!({
        "name": "bedrock-eu", "kind": "bedrock", "region": "eu-central-1", "headers": {"x-team": "canary"},
        "credentials": [{"name": "a", "aws": {
            "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "canary-secret", "session_token": "canary-token",
        }}],
    });

    let made = owner.post(&world, &providers, body).await;

    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        made.text("base_url"),
        "https://bedrock-runtime.eu-central-1.amazonaws.com"
    );
    assert_eq!(
        (made.text("region"), &made.body["headers"]),
        ("eu-central-1".to_owned(), &json!({"x-team": "canary"}))
    );
    let credential = &made.body["credentials"][0];
    assert_eq!(
        (&credential["kind"], &credential["hint"]),
        (&json!("aws"), &json!("MPLE"))
    );
    assert!(!made.body.to_string().contains("canary-"), "{}", made.body);
    let path = format!("{providers}/{}", made.text("id"));
    let moved = owner
        .patch(&world, &path, json!({"base_url": null, "region": "us-east-1"}))
        .await;
    assert_eq!(
        moved.text("base_url"),
        "https://bedrock-runtime.us-east-1.amazonaws.com"
    );
    assert_eq!(
        moved.body.get("headers"),
        None,
        "a change takes the place of all settings"
    );
    let key = owner
        .post(
            &world,
            &format!("{path}/credentials"),
            json!({"name": "b", "api_key": "bedrock-key-1"}),
        )
        .await;
    assert_eq!((key.status.as_u16(), key.text("kind")), (201, "api_key".to_owned()));
    let tests = owner.post(&world, &format!("{path}/test"), json!({})).await;
    assert_eq!(tests.body["items"][0]["message"], "hello [secret] [secret]");
    let audit = owner
        .get(&world, &format!("{HERE}/audit?limit=200"))
        .await
        .body
        .to_string();
    assert!(audit.contains("x-team") && !audit.contains("canary"), "{audit}");
}

#[actix_web::test]
async fn what_a_kind_of_provider_does_not_take_is_told_by_field() {
    let (world, owner) = World::with_owner().await;
    let providers = format!("{HERE}/providers");
    let nothing = |kind: &str| format!("has no meaning for a provider of kind {kind}: remove it");
    let key_file = json!({"type": "service_account", "client_email": "a@b", "private_key": "-----BEGIN X",
        "token_uri": "http://169.254.169.254/token"});
    let cases = [
        (
            json!({"name": "p", "kind": "openai", "region": "eu-central-1", "api_version": "1"}),
            json!({"region": nothing("openai"), "api_version": nothing("openai")}),
        ),
        (
            json!({"name": "p", "kind": "bedrock"}),
            json!({"region": "is required for a provider of kind bedrock that has no base_url: give one, such as eu-central-1"}),
        ),
        (
            json!({"name": "p", "kind": "azure", "base_url": "https://r.openai.azure.com", "credentials": [
                {"name": "a", "aws": {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s"}}]}),
            json!({"credentials[0].aws": "cannot be used with a provider of kind azure: give api_key or entra"}),
        ),
        (
            json!({"name": "p", "kind": "bedrock", "region": "eu-central-1", "credentials": [
                {"name": "a", "aws": {"access_key_id": "a/b", "secret_access_key": "a b", "role_arn": "admin"}}]}),
            json!({
                "credentials[0].aws.access_key_id": "must have 1 to 128 letters, digits and . - _",
                "credentials[0].aws.secret_access_key": "may hold only visible ASCII characters",
                "credentials[0].aws.role_arn": "must be the ARN of a role, such as arn:aws:iam::123456789012:role/gateway",
            }),
        ),
        (
            json!({"name": "p", "kind": "vertex", "region": "global", "project": "p", "credentials": [
                {"name": "a", "google": {"service_account": key_file.to_string()}}]}),
            json!({"credentials[0].google.service_account":
                "holds a token_uri that cannot be used: it points at an address that providers may not have: 169.254.169.254"}),
        ),
    ];
    for (body, fields) in cases {
        let refused = owner.post(&world, &providers, body).await;
        refused.refused(422, "invalid");
        refused.fields(&fields);
    }

    let plain = owner
        .post(&world, &providers, json!({"name": "p", "kind": "openai"}))
        .await;
    let credentials = format!("{providers}/{}/credentials", plain.text("id"));
    let entra = json!({"name": "a", "entra": {"tenant_id": "t", "client_id": "c", "client_secret": "s"}});
    let refused = owner.post(&world, &credentials, entra).await;
    refused.fields(&json!({"entra": "cannot be used with a provider of kind openai: give api_key"}));
}

#[actix_web::test]
async fn the_sandbox_is_tried_out_once_without_a_credential() {
    let (world, owner) = World::with_owner().await;
    let provider = sandbox(&world, &owner).await;

    let path = format!("{HERE}/providers/{}/test", provider["id"].as_str().unwrap());
    let test = only_item(&owner.post(&world, &path, json!({})).await);

    assert_eq!((&test["credential"], &test["outcome"]), (&Value::Null, &json!("works")));
}

#[actix_web::test]
async fn an_address_that_leads_inside_is_refused() {
    let (world, owner) = World::with_owner().await;
    for (address, message) in [
        (
            "http://169.254.169.254/latest",
            "points at an address that providers may not have: 169.254.169.254",
        ),
        (
            "https://10.0.0.1/v1",
            "points at a private address, which this installation does not allow",
        ),
        (
            "http://example.com/v1",
            "plain http is only for private addresses: use https",
        ),
        ("ftp://example.com", "must be an absolute http or https URL"),
    ] {
        let body = json!({"name": "p", "kind": "openai-compatible", "base_url": address});

        let answer = owner.post(&world, &format!("{HERE}/providers"), body).await;

        answer.refused(422, "invalid");
        answer.fields(&json!({"base_url": message}));
    }
    let without = json!({"name": "p", "kind": "openai-compatible"});
    let answer = owner.post(&world, &format!("{HERE}/providers"), without).await;
    answer.fields(&json!({"base_url": "is required for a provider of kind openai-compatible"}));
}
