//! The first run.

use serde_json::json;

use crate::world::{Caller, OWNER, World};

#[actix_web::test]
async fn the_setup_link_makes_the_owner_once() {
    let world = World::empty().await;
    let (first, second) = (world.setup_token().await, world.setup_token().await);
    assert_eq!(
        Caller::default().get(&world, "/setup").await.body,
        json!({"needed": true})
    );

    let done = world.install(&first).await;
    let again = world.install(&first).await;
    let with_the_other = world.install(&second).await;

    assert_eq!(done.status, 200);
    assert_eq!(done.body["email"], OWNER);
    assert_eq!(done.body["memberships"][0]["organization"]["slug"], "acme");
    assert_eq!(done.body["memberships"][0]["role"], "owner");
    let cookie = done.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    again.refused(409, "conflict");
    with_the_other.refused(409, "conflict");
    assert_eq!(
        Caller::default().get(&world, "/setup").await.body,
        json!({"needed": false})
    );
    let owner = Caller::signed_in(&done);
    let organization = &done.body["memberships"][0]["organization"]["id"];
    let expected = json!({"actor": OWNER, "action": "organization.create", "outcome": "done", "target": organization});
    assert_eq!(world.audit(&owner, 1).await, [expected]);
}

#[actix_web::test]
async fn a_wrong_setup_token_makes_nothing() {
    let world = World::empty().await;
    world.setup_token().await;

    let refused = world.install("gws-guessed").await;

    refused.refused(422, "invalid");
    refused.fields(&json!({"token": "is wrong or was used; start the server again for a new link"}));
    assert_eq!(
        Caller::default().get(&world, "/setup").await.body,
        json!({"needed": true})
    );
}

#[actix_web::test]
async fn every_wrong_field_of_the_form_is_told_at_once() {
    let world = World::empty().await;
    let body = json!({"token": 1, "organization": "Acme!", "emial": "x", "name": "", "password": "short"});

    let refused = Caller::default().post(&world, "/setup", body).await;

    refused.refused(422, "invalid");
    refused.fields(&json!({
        "email": "is required",
        "emial": "unknown field \"emial\"; did you mean \"email\"?",
        "name": "must have 1 to 80 characters",
        "organization": "may hold only lower-case letters, digits and hyphens",
        "organization_name": "is required",
        "token": "expected a text, found a number",
    }));
}
