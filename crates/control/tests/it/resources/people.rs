//! Members, and invitations that make them.

use serde_json::json;

use super::{HERE, audited, only_item};
use crate::world::{Answer, Caller, World};

async fn preview(world: &World, token: &str) -> Answer {
    let body = json!({"token": token});
    Caller::default().post(world, "/invitations/preview", body).await
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
    let token = invited.invitation_token();

    let preview = preview(&world, &token).await;
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
    let token = invited.invitation_token();
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
    let token = invited.invitation_token();
    let preview = preview(&world, &token).await;
    preview.refused(422, "invalid");
}
