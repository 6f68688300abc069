//! Who belongs to an organization and as what: invitations, roles, tokens, and the log of what they did.

use std::time::Duration;

use gatewright_types::api::{InvitationPreview, Member};
use gatewright_types::{Page, ProblemCode, Role};
use harness::api::{Api, Caller, problem, refused};
use harness::installation::Installation;
use harness::organization::Organization;
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

use crate::people::{PASSWORD, invite, join, me};

#[tokio::test]
async fn an_invitation_works_once_and_gives_exactly_its_role() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let anonymous = Api::anonymous(installation.control());
    let email = format!("guest@{}.test", organization.slug);
    let token = invite(&organization, &email, "member").await;

    let preview: InvitationPreview = anonymous
        .post("/invitations/preview", &json!({"token": token}))
        .await
        .expect(200)
        .read();
    assert_eq!(
        (preview.email.as_str(), preview.role, preview.has_account),
        (email.as_str(), Role::Member, false)
    );
    assert_eq!(preview.organization_name.as_str(), "Acme");
    let accept = async |body: Value| anonymous.post("/invitations/accept", &body).await;
    let nameless = accept(json!({"token": token, "password": PASSWORD})).await;
    assert!(
        refused(&nameless, 422, ProblemCode::Invalid)
            .fields
            .contains_key("name")
    );
    let weak = accept(json!({"token": token, "name": "Guest", "password": "short"})).await;
    assert!(
        refused(&weak, 422, ProblemCode::Invalid)
            .fields
            .contains_key("password")
    );
    let good = json!({"token": token, "name": "Guest", "password": PASSWORD});
    let guest = Api::of_session(installation.control(), &accept(good.clone()).await.expect(200));

    assert!(
        refused(&accept(good).await, 422, ProblemCode::Invalid)
            .fields
            .contains_key("token")
    );
    refused(
        &anonymous.post("/invitations/preview", &json!({"token": token})).await,
        422,
        ProblemCode::Invalid,
    );
    let membership = me(&guest).await.memberships;
    assert_eq!(membership.first().map(|membership| membership.role), Some(Role::Member));
    guest
        .post(&organization.path("/keys"), &json!({"name": "mine"}))
        .await
        .expect(201);
    refused(
        &guest.post(&organization.path("/teams"), &json!({"name": "no"})).await,
        403,
        ProblemCode::Forbidden,
    );
}

#[tokio::test]
async fn a_withdrawn_invitation_is_worth_nothing() {
    let organization = Organization::make(Installation::shared().await).await;
    let token = invite(&organization, &format!("gone@{}.test", organization.slug), "member").await;
    let listed: Vec<gatewright_types::api::Invitation> = organization.all("/invitations").await;
    let invitation = listed.first().expect("it is listed");

    organization
        .owner
        .delete(&organization.path(&format!("/invitations/{}", invitation.id)))
        .await
        .expect(204);

    let accept = json!({"token": token, "name": "Gone", "password": PASSWORD});
    let answer = Api::anonymous(organization.owner.address)
        .post("/invitations/accept", &accept)
        .await;
    assert!(refused(&answer, 422, ProblemCode::Invalid).fields.contains_key("token"));
}

#[tokio::test]
async fn somebody_with_an_account_joins_a_second_organization_with_their_own_password() {
    let installation = Installation::shared().await;
    let (first, second) = (
        Organization::make(installation).await,
        Organization::make(installation).await,
    );
    let somebody = join(&first, "both", "viewer").await;
    let token = invite(&second, &somebody.email, "admin").await;
    let anonymous = Api::anonymous(installation.control());

    let preview: InvitationPreview = anonymous
        .post("/invitations/preview", &json!({"token": token}))
        .await
        .expect(200)
        .read();
    assert!(preview.has_account);
    let wrong = anonymous
        .post(
            "/invitations/accept",
            &json!({"token": token, "password": "not theirs at all"}),
        )
        .await;
    refused(&wrong, 401, ProblemCode::WrongCredentials);
    anonymous
        .post("/invitations/accept", &json!({"token": token, "password": PASSWORD}))
        .await
        .expect(200);

    let mut roles: Vec<_> = me(&somebody.api)
        .await
        .memberships
        .into_iter()
        .map(|membership| (membership.organization.slug.to_string(), membership.role))
        .collect();
    roles.sort_unstable();
    let mut expected = vec![(first.slug.clone(), Role::Viewer), (second.slug.clone(), Role::Admin)];
    expected.sort_unstable();
    assert_eq!(roles, expected);
    let team = json!({"name": "T"});
    refused(
        &somebody.api.post(&first.path("/teams"), &team).await,
        403,
        ProblemCode::Forbidden,
    );
    somebody.api.post(&second.path("/teams"), &team).await.expect(201);
    first
        .owner
        .delete(&first.path(&format!("/members/{}", somebody.id)))
        .await
        .expect(204);
    refused(&somebody.api.get(&first.path("")).await, 404, ProblemCode::NotFound);
    somebody.api.get(&second.path("")).await.expect(200);
}

#[tokio::test]
async fn whoever_makes_an_organization_owns_it_and_a_taken_name_is_refused() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let somebody = join(&organization, "founder", "viewer").await;
    let slug = format!("{}-own", organization.slug);

    let body = json!({"slug": slug, "name": "Own"});
    somebody.api.post("/organizations", &body).await.expect(201);

    let again = somebody.api.post("/organizations", &body).await;
    assert!(refused(&again, 409, ProblemCode::Conflict).fields.contains_key("slug"));
    somebody
        .api
        .post(&format!("/organizations/{slug}/teams"), &json!({"name": "T"}))
        .await
        .expect(201);
    refused(
        &organization.owner.get(&format!("/organizations/{slug}")).await,
        404,
        ProblemCode::NotFound,
    );
    let listed: Page<gatewright_types::api::Organization> = somebody.api.get("/organizations").await.expect(200).read();
    assert_eq!(listed.items.len(), 2);
}

#[tokio::test]
async fn an_organization_always_keeps_an_owner() {
    let organization = Organization::make(Installation::shared().await).await;
    let members: Vec<Member> = organization.all("/members").await;
    let owner = members.first().expect("its maker");
    let path = organization.path(&format!("/members/{}", owner.id));

    refused(
        &organization.owner.patch(&path, &json!({"role": "admin"})).await,
        409,
        ProblemCode::Conflict,
    );
    refused(&organization.owner.delete(&path).await, 409, ProblemCode::Conflict);

    let second = join(&organization, "second", "owner").await;
    second.api.patch(&path, &json!({"role": "admin"})).await.expect(200);
    let own = organization.path(&format!("/members/{}", second.id));
    refused(&second.api.delete(&own).await, 409, ProblemCode::Conflict);
}

#[tokio::test]
async fn nobody_gives_or_takes_a_role_above_their_own() {
    let organization = Organization::make(Installation::shared().await).await;
    let admin = join(&organization, "admin", "admin").await;
    let owner = join(&organization, "owner", "owner").await;
    let email = format!("x@{}.test", organization.slug);

    for (path, body) in [
        ("/invitations", json!({"email": email, "role": "owner"})),
        ("/tokens", json!({"name": "t", "role": "owner"})),
    ] {
        refused(
            &admin.api.post(&organization.path(path), &body).await,
            403,
            ProblemCode::Forbidden,
        );
    }
    let of_owner = organization.path(&format!("/members/{}", owner.id));
    let of_self = organization.path(&format!("/members/{}", admin.id));
    refused(
        &admin.api.patch(&of_owner, &json!({"role": "viewer"})).await,
        403,
        ProblemCode::Forbidden,
    );
    refused(&admin.api.delete(&of_owner).await, 403, ProblemCode::Forbidden);
    refused(
        &admin.api.patch(&of_self, &json!({"role": "owner"})).await,
        403,
        ProblemCode::Forbidden,
    );
    let document =
        json!({"version": 1, "organization": organization.slug, "members": [{"email": email, "role": "owner"}]});
    let applied = admin
        .api
        .post(&organization.path("/configuration/apply"), &document)
        .await;
    refused(&applied, 403, ProblemCode::Forbidden);
}

#[tokio::test]
async fn a_change_of_role_counts_from_the_next_call() {
    let organization = Organization::make(Installation::shared().await).await;
    let somebody = join(&organization, "rising", "viewer").await;
    let path = organization.path(&format!("/members/{}", somebody.id));
    let team = |name: &str| json!({ "name": name });

    refused(
        &somebody.api.post(&organization.path("/teams"), &team("a")).await,
        403,
        ProblemCode::Forbidden,
    );
    organization
        .owner
        .patch(&path, &json!({"role": "admin"}))
        .await
        .expect(200);
    somebody
        .api
        .post(&organization.path("/teams"), &team("a"))
        .await
        .expect(201);
    organization
        .owner
        .patch(&path, &json!({"role": "viewer"}))
        .await
        .expect(200);
    refused(
        &somebody.api.post(&organization.path("/teams"), &team("b")).await,
        403,
        ProblemCode::Forbidden,
    );
}

#[tokio::test]
async fn tokens_act_for_one_organization_until_they_are_deleted_or_expire() {
    let installation = Installation::shared().await;
    let (organization, other) = (
        Organization::make(installation).await,
        Organization::make(installation).await,
    );
    let token = organization.token("admin").await;
    let tokens: Vec<gatewright_types::api::Token> = organization.all("/tokens").await;
    let id = tokens.first().expect("it is listed").id;

    token
        .post(&organization.path("/teams"), &json!({"name": "T"}))
        .await
        .expect(201);
    refused(&token.get(&other.path("")).await, 404, ProblemCode::NotFound);
    refused(&token.get("/session").await, 403, ProblemCode::Forbidden);
    refused(
        &token.post("/organizations", &json!({"slug": "x", "name": "X"})).await,
        403,
        ProblemCode::Forbidden,
    );
    let soon = chrono::Utc::now() + Duration::from_secs(2);
    let body = json!({"name": "short", "role": "viewer", "expires_at": soon});
    let short = organization
        .owner
        .post(&organization.path("/tokens"), &body)
        .await
        .expect(201)
        .json();
    let secret = short
        .get("secret")
        .and_then(Value::as_str)
        .expect("it was minted")
        .to_owned();
    assert!(secret.starts_with("gwt-"), "{secret}");
    let short = Api::new(installation.control(), Caller::Token(secret));
    short.get(&organization.path("")).await.expect(200);

    organization
        .owner
        .delete(&organization.path(&format!("/tokens/{id}")))
        .await
        .expect(204);

    refused(
        &token.get(&organization.path("")).await,
        401,
        ProblemCode::Unauthenticated,
    );
    eventually("the short token expires", SOON, async || {
        let answer = short.get(&organization.path("")).await;
        (answer.status == 401).then(|| problem(&answer))
    })
    .await;
    let key = organization.key("data plane").await;
    let by_key = Api::new(installation.control(), Caller::ApiKey(key.secret));
    refused(
        &by_key.get(&organization.path("")).await,
        401,
        ProblemCode::Unauthenticated,
    );
}

#[tokio::test]
async fn what_was_done_and_what_was_refused_is_in_the_audit_log() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let viewer = join(&organization, "viewer", "viewer").await;

    let key = organization.key("main").await;
    refused(
        &viewer
            .api
            .post(&organization.path("/keys"), &json!({"name": "no"}))
            .await,
        403,
        ProblemCode::Forbidden,
    );
    organization
        .owner
        .delete(&organization.path(&format!("/keys/{}", key.id)))
        .await
        .expect(200);

    let log = organization.audit().await;
    let line = |action: &str| {
        log.iter()
            .find(|entry| entry.action == action)
            .unwrap_or_else(|| panic!("no {action} in {log:?}"))
    };
    let (created, revoked, denied) = (line("key.create"), line("key.revoke"), line("access.refuse"));
    assert_eq!(created.target.as_deref(), Some(key.id.as_str()));
    assert_eq!(created.actor, harness::installation::ROOT_EMAIL);
    assert_eq!(created.address.as_deref(), Some("127.0.0.1"));
    assert_eq!(revoked.target.as_deref(), Some(key.id.as_str()));
    assert_eq!(denied.actor, viewer.email);
    assert_eq!(serde_json::to_value(denied.outcome).expect("a word"), json!("refused"));
    assert!(
        log.windows(2)
            .all(|pair| pair.first().map(|entry| entry.at) >= pair.get(1).map(|entry| entry.at)),
        "newest first"
    );
    let only: Page<gatewright_types::api::AuditEntry> = organization
        .owner
        .get(&organization.path("/audit?action=key.create"))
        .await
        .expect(200)
        .read();
    assert_eq!(only.items.len(), 1);
}
