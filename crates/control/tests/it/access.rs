//! Who may do what, and what strangers see.

use actix_web::http::Method;
use gatewright_control::{Access, route_table};
use gatewright_types::{OrganizationId, Role};
use serde_json::json;

use crate::world::{Caller, World};

/// A well-formed path of a route: its parameters are identifiers of nothing.
fn path(route: &str, organization: &str) -> String {
    let nothing = OrganizationId::mint().to_string();
    let hex = nothing.strip_prefix("org_").unwrap();
    let mut path = route.replace("{organization}", organization);
    for (name, prefix) in [
        ("session", "ses"),
        ("person", "per"),
        ("invitation", "inv"),
        ("team", "team"),
        ("key", "key"),
        ("token", "tok"),
        ("provider", "prov"),
        ("credential", "cred"),
        ("model", "mod"),
        ("price", "price"),
        ("overlay", "fact"),
        ("refresh", "refresh"),
    ] {
        path = path.replace(&format!("{{{name}}}"), &format!("{prefix}_{hex}"));
    }
    path
}

#[actix_web::test]
async fn without_a_credential_only_public_routes_answer() {
    let (world, _) = World::with_owner().await;
    for route in route_table().into_iter().filter(|route| route.access != Access::Public) {
        let method: Method = route.method.parse().unwrap();
        for caller in [
            Caller::default(),
            Caller::token("gwt-guessed"),
            Caller {
                cookie: Some("x".to_owned()),
                ..Caller::default()
            },
        ] {
            let answer = caller
                .call(&world, method.clone(), &path(route.path, "acme"), Some("{}".to_owned()))
                .await;
            assert_eq!(answer.status, 401, "{route:?}");
            answer.refused(401, "unauthenticated");
        }
    }
}

#[actix_web::test]
async fn each_role_gets_past_exactly_the_routes_it_may_use_and_an_outsider_past_none() {
    let (world, owner) = World::with_owner().await;
    let outsider = {
        let body = json!({"slug": "other", "name": "Other"});
        assert_eq!(owner.post(&world, "/organizations", body).await.status, 201);
        world.member(&owner, "other", "eve@example.com", "owner").await
    };
    for role in [Role::Viewer, Role::Member, Role::Admin] {
        let email = format!("{}@example.com", role.as_str());
        let caller = world.member(&owner, "acme", &email, role.as_str()).await;
        for route in route_table() {
            let (permission, status, code) = match route.access {
                Access::Needs(permission) => (permission, 404, "not_found"),
                Access::Installation(permission) => (permission, 403, "forbidden"),
                Access::Public | Access::Known | Access::SignedIn => continue,
            };
            let method: Method = route.method.parse().unwrap();
            if role.allows(permission) && route.path == "/organizations/{organization}" && method == Method::DELETE {
                continue;
            }
            // A body that is no JSON: what is allowed fails on it, before anything changes.
            let body = Some("no json".to_owned());

            let answer = caller
                .call(&world, method.clone(), &path(route.path, "acme"), body.clone())
                .await;
            let foreign = outsider.call(&world, method, &path(route.path, "acme"), body).await;

            assert_eq!(
                answer.status == 403,
                !role.allows(permission),
                "{role:?} {route:?} {}",
                answer.body
            );
            foreign.refused(status, code);
        }
    }
}

#[actix_web::test]
async fn an_organization_that_is_not_there_looks_like_a_foreign_one() {
    let (world, owner) = World::with_owner().await;

    let answer = owner.get(&world, "/organizations/nothing/keys").await;

    answer.refused(404, "not_found");
    assert_eq!(answer.body["error"]["message"], "there is no such thing");
}

#[actix_web::test]
async fn what_belongs_to_another_organization_is_not_there() {
    let (world, owner) = World::with_owner().await;
    let body = json!({"slug": "other", "name": "Other"});
    owner.post(&world, "/organizations", body).await;
    let team = owner
        .post(&world, "/organizations/other/teams", json!({"name": "t"}))
        .await
        .text("id");
    let minted = owner
        .post(&world, "/organizations/other/keys", json!({"name": "k"}))
        .await;
    let key = minted.body["key"]["id"].as_str().unwrap();

    for path in [format!("teams/{team}"), format!("keys/{key}")] {
        let here = format!("/organizations/acme/{path}");
        owner.get(&world, &here).await.refused(404, "not_found");
        owner.delete(&world, &here).await.refused(404, "not_found");
        assert_eq!(
            owner.get(&world, &format!("/organizations/other/{path}")).await.status,
            200
        );
    }
    owner
        .get(&world, "/organizations/acme/keys/key_..%2F..")
        .await
        .refused(404, "not_found");
}

#[actix_web::test]
async fn a_token_opens_its_own_organization_and_no_person_route() {
    let (world, owner) = World::with_owner().await;
    owner
        .post(&world, "/organizations", json!({"slug": "other", "name": "Other"}))
        .await;
    let body = json!({"name": "ci", "role": "viewer"});
    let secret = owner
        .post(&world, "/organizations/acme/tokens", body)
        .await
        .text("secret");
    let token = Caller::token(&secret);

    assert_eq!(token.get(&world, "/organizations/acme/keys").await.status, 200);
    token
        .get(&world, "/organizations/other/keys")
        .await
        .refused(404, "not_found");
    token
        .post(&world, "/organizations/acme/teams", json!({"name": "t"}))
        .await
        .refused(403, "forbidden");
    token.get(&world, "/session").await.refused(403, "forbidden");
    let audited = &world.audit(&owner, 1).await[0];
    assert_eq!(
        (&audited["action"], &audited["actor"]),
        (&json!("access.refuse"), &json!("ci"))
    );
}

#[actix_web::test]
async fn nobody_hands_out_or_takes_away_a_role_above_their_own() {
    let (world, owner) = World::with_owner().await;
    let admin = world.member(&owner, "acme", "admin@example.com", "admin").await;
    let me = owner.get(&world, "/session").await.text("id");
    let own = admin.get(&world, "/session").await.text("id");
    let (member, mine) = (
        format!("/organizations/acme/members/{me}"),
        format!("/organizations/acme/members/{own}"),
    );

    let invited = json!({"email": "x@example.com", "role": "owner"});
    admin
        .post(&world, "/organizations/acme/invitations", invited)
        .await
        .refused(403, "forbidden");
    admin
        .post(
            &world,
            "/organizations/acme/tokens",
            json!({"name": "t", "role": "owner"}),
        )
        .await
        .refused(403, "forbidden");
    admin
        .patch(&world, &mine, json!({"role": "owner"}))
        .await
        .refused(403, "forbidden");
    admin
        .patch(&world, &member, json!({"role": "viewer"}))
        .await
        .refused(403, "forbidden");
    admin.delete(&world, &member).await.refused(403, "forbidden");
    let document = json!({
        "version": 1, "organization": "acme",
        "members": [{"email": "ada@example.com", "role": "viewer"}, {"email": "admin@example.com", "role": "owner"}],
    });
    admin
        .post(&world, "/organizations/acme/configuration/apply", document)
        .await
        .refused(403, "forbidden");

    owner
        .patch(&world, &member, json!({"role": "admin"}))
        .await
        .refused(409, "conflict");
    owner.delete(&world, &member).await.refused(409, "conflict");
}

#[actix_web::test]
async fn unknown_addresses_methods_and_bodies_are_clear_refusals() {
    let (world, owner) = World::with_owner().await;
    let call = |method: Method, path: &'static str, body: Option<String>| {
        let (world, owner) = (&world, &owner);
        async move { owner.call(world, method, path, body).await }
    };

    call(Method::GET, "/nothing", None).await.refused(404, "not_found");
    call(Method::PUT, "/session", None)
        .await
        .refused(405, "method_not_allowed");
    let teams = "/organizations/acme/teams";
    call(Method::POST, teams, Some("{\"name\":".to_owned()))
        .await
        .refused(400, "bad_request");
    call(Method::POST, teams, Some("[".repeat(100_000)))
        .await
        .refused(400, "bad_request");
    call(Method::POST, teams, Some("x".repeat(1024 * 1024 + 1)))
        .await
        .refused(413, "payload_too_large");
    call(Method::GET, "/organizations/acme/teams?limit=many", None)
        .await
        .fields(&json!({"limit": "expected a whole number or null, found a text"}));
    call(Method::GET, "/organizations/acme/teams?cursor=!", None)
        .await
        .fields(&json!({"cursor": "the cursor is not one that this list gave out"}));
}
