//! Each resource: what is made is what is read, and every change stands in the audit log.

use serde_json::{Value, json};

use crate::world::{Answer, Caller, OWNER, World};

const HERE: &str = "/organizations/acme";

async fn audited(world: &World, owner: &Caller, action: &str, target: &Value) {
    let expected = json!({"actor": OWNER, "action": action, "outcome": "done", "target": target});
    assert_eq!(world.audit(owner, 1).await, [expected]);
}

fn only_item(answer: &Answer) -> Value {
    let items = answer.body["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &answer.body["next_cursor"]),
        (1, &Value::Null),
        "{}",
        answer.body
    );
    items[0].clone()
}

async fn sandbox(world: &World, owner: &Caller) -> Value {
    let made = owner
        .post(
            world,
            &format!("{HERE}/providers"),
            json!({"name": "sandbox", "kind": "sandbox"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body
}

#[actix_web::test]
async fn organizations_are_made_renamed_and_deleted() {
    let (world, owner) = World::with_owner().await;

    let made = owner
        .post(&world, "/organizations", json!({"slug": "next", "name": "Next"}))
        .await;
    assert_eq!((made.status.as_u16(), made.text("slug")), (201, "next".to_owned()));
    let taken = owner
        .post(&world, "/organizations", json!({"slug": "next", "name": "Other"}))
        .await;
    taken.refused(409, "conflict");
    assert!(taken.body["error"]["fields"]["slug"].is_string(), "{}", taken.body);
    let renamed = owner
        .patch(&world, "/organizations/next", json!({"name": "Later"}))
        .await;
    assert_eq!(
        (renamed.status.as_u16(), renamed.text("name")),
        (200, "Later".to_owned())
    );
    assert_eq!(owner.get(&world, "/organizations/next").await.body, renamed.body);

    let first = owner.get(&world, "/organizations?limit=1").await;
    assert_eq!(
        (&first.body["items"][0]["slug"], &first.body["next_cursor"]),
        (&json!("acme"), &json!("acme"))
    );
    let second = owner.get(&world, "/organizations?limit=1&cursor=acme").await;
    assert_eq!(
        (&second.body["items"][0]["slug"], &second.body["next_cursor"]),
        (&json!("next"), &Value::Null)
    );

    assert_eq!(owner.delete(&world, "/organizations/next").await.status, 204);
    owner.get(&world, "/organizations/next").await.refused(404, "not_found");
}

#[actix_web::test]
async fn teams_live_as_long_as_no_key_needs_them() {
    let (world, owner) = World::with_owner().await;
    let teams = format!("{HERE}/teams");

    let made = owner.post(&world, &teams, json!({"name": "search"})).await;
    assert_eq!((made.status.as_u16(), &made.body["key_count"]), (201, &json!(0)));
    let id = made.text("id");
    audited(&world, &owner, "team.create", &made.body["id"]).await;
    owner
        .post(&world, &teams, json!({"name": "search"}))
        .await
        .refused(409, "conflict");
    let renamed = owner
        .patch(&world, &format!("{teams}/{id}"), json!({"name": "find"}))
        .await;
    assert_eq!(renamed.text("name"), "find");
    audited(&world, &owner, "team.update", &made.body["id"]).await;
    assert_eq!(only_item(&owner.get(&world, &teams).await), renamed.body);

    let key = owner
        .post(&world, &format!("{HERE}/keys"), json!({"name": "k", "team": id}))
        .await;
    owner
        .delete(&world, &format!("{teams}/{id}"))
        .await
        .refused(409, "conflict");
    let key = key.body["key"]["id"].as_str().unwrap();
    owner.delete(&world, &format!("{HERE}/keys/{key}")).await;
    assert_eq!(owner.delete(&world, &format!("{teams}/{id}")).await.status, 204);
    audited(&world, &owner, "team.delete", &made.body["id"]).await;
    owner
        .get(&world, &format!("{teams}/{id}"))
        .await
        .refused(404, "not_found");
}

#[actix_web::test]
async fn a_key_is_minted_shown_once_changed_and_revoked() {
    let (world, owner) = World::with_owner().await;
    let keys = format!("{HERE}/keys");

    let minted = owner
        .post(
            &world,
            &keys,
            json!({"name": "prod", "expires_at": "2099-01-01T00:00:00Z"}),
        )
        .await;

    assert_eq!(minted.status, 201);
    let (secret, key) = (minted.text("secret"), minted.body["key"].clone());
    assert!(secret.starts_with("gw-") && secret.len() == 49, "{secret}");
    assert_eq!(key["hint"], json!(secret[45..]));
    assert_eq!((&key["created_by"], &key["revoked_at"]), (&json!(OWNER), &Value::Null));
    audited(&world, &owner, "key.create", &key["id"]).await;
    let path = format!("{keys}/{}", key["id"].as_str().unwrap());
    assert_eq!(owner.get(&world, &path).await.body, key);
    assert_eq!(only_item(&owner.get(&world, &keys).await), key);

    let narrower = json!({"name": "live", "team": null, "models": ["fast"]});
    owner
        .patch(&world, &path, narrower.clone())
        .await
        .fields(&json!({"models[0]": "there is no model named fast"}));
    let provider = json!({"name": "sandbox", "kind": "sandbox"});
    owner.post(&world, &format!("{HERE}/providers"), provider).await;
    let model = json!({"name": "fast", "route": {"target": "sandbox/echo"}});
    owner.post(&world, &format!("{HERE}/models"), model).await;
    let changed = owner.patch(&world, &path, narrower).await;
    assert_eq!(
        (changed.text("name"), &changed.body["models"]),
        ("live".to_owned(), &json!(["fast"]))
    );
    audited(&world, &owner, "key.update", &key["id"]).await;
    let revoked = owner.delete(&world, &path).await;
    assert_eq!(revoked.status, 200);
    assert!(revoked.body["revoked_at"].is_string());
    audited(&world, &owner, "key.revoke", &key["id"]).await;
    owner
        .patch(&world, &path, json!({"name": "x", "team": null, "models": null}))
        .await
        .refused(409, "conflict");
}

#[actix_web::test]
async fn an_imported_secret_is_checked_and_never_shown() {
    let (world, owner) = World::with_owner().await;
    let import = async |secret: &str| {
        owner
            .post(
                &world,
                &format!("{HERE}/keys"),
                json!({"name": "old", "secret": secret}),
            )
            .await
    };

    import("short")
        .await
        .fields(&json!({"secret": "must have 20 to 512 characters"}));
    let mistyped = format!("gw-{}", "a".repeat(46));
    import(&mistyped)
        .await
        .fields(&json!({"secret": "its checksum is wrong: it was mistyped or cut"}));
    let imported = import("sk-from-another-gateway").await;

    assert_eq!(
        (imported.status.as_u16(), &imported.body["secret"]),
        (201, &Value::Null)
    );
    assert_eq!(imported.body["key"]["hint"], "eway");
    let past = json!({"name": "p", "expires_at": "2001-01-01T00:00:00Z"});
    owner
        .post(&world, &format!("{HERE}/keys"), past)
        .await
        .fields(&json!({"expires_at": "must be in the future"}));
}

#[actix_web::test]
async fn tokens_are_minted_and_deleted() {
    let (world, owner) = World::with_owner().await;
    let tokens = format!("{HERE}/tokens");

    let minted = owner
        .post(&world, &tokens, json!({"name": "ci", "role": "admin"}))
        .await;

    assert_eq!(minted.status, 201);
    let secret = minted.text("secret");
    assert!(secret.starts_with("gwt-"), "{secret}");
    audited(&world, &owner, "token.create", &minted.body["token"]["id"]).await;
    let ci = Caller::token(&secret);
    assert_eq!(only_item(&ci.get(&world, &tokens).await), minted.body["token"]);
    let made = ci.post(&world, &format!("{HERE}/keys"), json!({"name": "by ci"})).await;
    assert_eq!(made.body["key"]["created_by"], "ci");

    let path = format!("{tokens}/{}", minted.body["token"]["id"].as_str().unwrap());
    assert_eq!(owner.delete(&world, &path).await.status, 204);
    audited(&world, &owner, "token.delete", &minted.body["token"]["id"]).await;
    ci.get(&world, &tokens).await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn members_are_invited_promoted_and_removed() {
    let (world, owner) = World::with_owner().await;
    let invitations = format!("{HERE}/invitations");
    let invited = owner
        .post(
            &world,
            &invitations,
            json!({"email": "bob@example.com", "role": "member"}),
        )
        .await;
    audited(&world, &owner, "invitation.create", &invited.body["invitation"]["id"]).await;
    assert_eq!(
        only_item(&owner.get(&world, &invitations).await),
        invited.body["invitation"]
    );
    let token = invited
        .text("link")
        .strip_prefix("https://gw.example.com/invitation#token=")
        .unwrap()
        .to_owned();

    let preview = Caller::default()
        .post(&world, "/invitations/preview", json!({"token": token}))
        .await;
    let expected = json!({
        "organization_name": "Acme", "email": "bob@example.com", "role": "member", "has_account": false,
    });
    assert_eq!(preview.body, expected);
    let accept = json!({"token": token, "name": "Bob", "password": "bobs long password"});
    let accepted = Caller::default()
        .post(&world, "/invitations/accept", accept.clone())
        .await;
    assert_eq!(
        (accepted.status.as_u16(), accepted.text("name")),
        (200, "Bob".to_owned())
    );
    let again = Caller::default().post(&world, "/invitations/accept", accept).await;
    again.fields(&json!({"token": "is wrong, was used, or has expired; ask for a new link"}));

    let bob = Caller::signed_in(&accepted);
    let member = format!("{HERE}/members/{}", accepted.text("id"));
    let promoted = owner.patch(&world, &member, json!({"role": "admin"})).await;
    assert_eq!(promoted.text("role"), "admin");
    audited(&world, &owner, "member.update", &accepted.body["id"]).await;
    assert_eq!(bob.get(&world, &format!("{HERE}/audit")).await.status, 200);
    assert_eq!(owner.delete(&world, &member).await.status, 204);
    audited(&world, &owner, "member.remove", &accepted.body["id"]).await;
    bob.get(&world, &format!("{HERE}/members"))
        .await
        .refused(404, "not_found");
}

#[actix_web::test]
async fn an_invitation_for_an_account_needs_its_password() {
    let (world, owner) = World::with_owner().await;
    owner
        .post(&world, "/organizations", json!({"slug": "other", "name": "Other"}))
        .await;
    world.member(&owner, "acme", "bob@example.com", "member").await;
    let invited = json!({"email": "bob@example.com", "role": "viewer"});
    let invited = owner.post(&world, "/organizations/other/invitations", invited).await;
    let token = invited
        .text("link")
        .strip_prefix("https://gw.example.com/invitation#token=")
        .unwrap()
        .to_owned();
    let accept = async |password: &str| {
        Caller::default()
            .post(
                &world,
                "/invitations/accept",
                json!({"token": token, "password": password}),
            )
            .await
    };

    accept("not the password").await.refused(401, "wrong_credentials");
    let accepted = accept(crate::world::PASSWORD).await;

    assert_eq!(accepted.status, 200);
    assert_eq!(accepted.body["memberships"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_withdrawn_invitation_is_worth_nothing() {
    let (world, owner) = World::with_owner().await;
    let body = json!({"email": "bob@example.com", "role": "member"});
    let invited = owner.post(&world, &format!("{HERE}/invitations"), body).await;
    let id = invited.body["invitation"]["id"].as_str().unwrap();

    assert_eq!(
        owner.delete(&world, &format!("{HERE}/invitations/{id}")).await.status,
        204
    );

    audited(&world, &owner, "invitation.withdraw", &json!(id)).await;
    let token = invited
        .text("link")
        .strip_prefix("https://gw.example.com/invitation#token=")
        .unwrap()
        .to_owned();
    let preview = Caller::default()
        .post(&world, "/invitations/preview", json!({"token": token}))
        .await;
    preview.refused(422, "invalid");
}

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

#[actix_web::test]
async fn models_lead_to_providers_that_are_there_and_tell_their_price() {
    let (world, owner) = World::with_owner().await;
    sandbox(&world, &owner).await;
    let models = format!("{HERE}/models");

    let nowhere = json!({"name": "fast", "route": {"target": "nobody/x"}});
    let nowhere = owner.post(&world, &models, nowhere).await;
    nowhere.refused(422, "invalid");
    nowhere.fields(&json!({"route.target": "there is no provider named nobody"}));
    let body = json!({"name": "fast", "route": {"target": "sandbox/made-up"}, "timeouts": {"total": "10m"},
        "cache": {"ttl": "1h"}});
    let made = owner.post(&world, &models, body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["price"], json!({"state": "unpriced"}));
    let cache = json!({"ttl": "1h", "scope": "team", "coalesce": true});
    assert_eq!(made.body["cache"], cache);
    audited(&world, &owner, "model.create", &made.body["id"]).await;

    let price = json!({"provider": "sandbox", "model": "made-up", "rates": {"input": "0.15", "output": "0"}});
    let price = owner.post(&world, &format!("{HERE}/prices"), price).await;
    assert_eq!(price.status, 201, "{}", price.body);
    let path = format!("{models}/{}", made.text("id"));
    let priced = owner.get(&world, &path).await;
    let rates = json!({"input": "0.15", "output": "0.00"});
    let expected = json!({"state": "priced", "rates": rates, "version": price.body["id"]});
    assert_eq!(priced.body["price"], expected);

    let moved = owner
        .patch(&world, &path, json!({"route": {"target": "sandbox/other"}}))
        .await;
    assert_eq!(
        (&moved.body["route"], &moved.body["timeouts"], moved.body.get("cache")),
        (&json!({"target": "sandbox/other"}), &json!({}), None)
    );
    let provider = owner.get(&world, &format!("{HERE}/providers")).await.body["items"][0]["id"].clone();
    let blocked = owner
        .delete(&world, &format!("{HERE}/providers/{}", provider.as_str().unwrap()))
        .await;
    blocked.refused(409, "conflict");
    blocked.fields(&json!({"provider": "the model fast goes there"}));
    assert_eq!(owner.delete(&world, &path).await.status, 204);
    audited(&world, &owner, "model.delete", &made.body["id"]).await;
}

#[actix_web::test]
async fn an_own_price_goes_before_the_catalogues() {
    let (world, owner) = World::with_owner().await;
    let body = json!({"name": "main", "kind": "openai"});
    owner.post(&world, &format!("{HERE}/providers"), body).await;
    let lookup = async || {
        owner
            .get(&world, &format!("{HERE}/prices/lookup?provider=main&model=gpt-4o-mini"))
            .await
            .body
    };
    let listed = lookup().await;
    assert_eq!(listed["source"], "catalogue", "{listed}");
    assert!(listed["version"].as_str().unwrap().starts_with("catalogue@"));

    let rates = json!({"input": "1", "output": "2.5"});
    let price = json!({"provider": "main", "model": "gpt-4o-mini", "rates": rates});
    let price = owner.post(&world, &format!("{HERE}/prices"), price).await;
    audited(&world, &owner, "price.create", &price.body["id"]).await;
    let own = lookup().await;
    assert_eq!(
        (&own["source"], &own["version"]),
        (&json!("organization"), &price.body["id"])
    );
    let path = format!("{HERE}/prices/{}", price.text("id"));
    assert_eq!(owner.delete(&world, &path).await.status, 204);
    audited(&world, &owner, "price.delete", &price.body["id"]).await;

    assert_eq!(lookup().await, listed);
    let unknown = owner
        .get(&world, &format!("{HERE}/prices/lookup?provider=main&model=nothing"))
        .await;
    assert_eq!(unknown.body, json!({"rates": null, "source": "none", "version": null}));
}

#[actix_web::test]
async fn usage_of_nothing_is_an_empty_list_and_empty_sums() {
    let (world, owner) = World::with_owner().await;

    let list = owner.get(&world, &format!("{HERE}/usage?outcome=complete")).await;
    let path = format!("{HERE}/usage/series?from=2026-08-01T00:00:00Z&to=2026-08-02T00:00:00Z&by=model");
    let series = owner.get(&world, &path).await;
    let path = format!("{HERE}/usage/series?from=2026-08-02T00:00:00Z&to=2026-08-01T00:00:00Z");
    let backwards = owner.get(&world, &path).await;

    assert_eq!(list.body, json!({"items": [], "next_cursor": null}));
    assert_eq!(
        (&series.body["buckets"], &series.body["totals"]["requests"]),
        (&json!([]), &json!(0))
    );
    backwards.fields(&json!({"to": "must be after from"}));
}
