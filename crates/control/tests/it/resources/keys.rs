//! Keys and tokens: shown once, and never again.

use serde_json::{Value, json};

use super::{HERE, audited, only_item};
use crate::world::{Caller, OWNER, World};

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
