//! Signing in, staying signed in, and what ends it.

use std::time::Duration;

use serde_json::json;

use crate::world::{Answer, Caller, OWNER, PASSWORD, World};

async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    Caller::default()
        .post(world, "/session", json!({"email": email, "password": password}))
        .await
}

#[actix_web::test]
async fn the_right_password_opens_a_session() {
    let (world, owner) = World::with_owner().await;

    let answer = sign_in(&world, OWNER, PASSWORD).await;

    assert_eq!(answer.status, 200);
    let again = Caller::signed_in(&answer);
    assert_ne!(again.cookie, owner.cookie);
    assert_eq!(again.get(&world, "/session").await.body["email"], OWNER);
    let audited = &world.audit(&owner, 1).await[0];
    assert_eq!(
        (&audited["action"], &audited["outcome"]),
        (&json!("session.create"), &json!("done"))
    );
}

#[actix_web::test]
async fn wrong_passwords_lock_an_account_and_an_unknown_address_alike() {
    let (world, owner) = World::with_owner().await;
    for email in [OWNER, "nobody@example.com"] {
        for _ in 0..5 {
            sign_in(&world, email, "not the password")
                .await
                .refused(401, "wrong_credentials");
        }

        let locked = sign_in(&world, email, PASSWORD).await;

        locked.refused(429, "locked_out");
        assert_eq!(
            locked.body["error"]["message"],
            "too many wrong passwords; try again in 1 second"
        );
        assert_eq!(locked.header("retry-after"), Some("1"));
    }
    let audited = world.audit(&owner, 6).await;
    assert!(
        audited
            .iter()
            .all(|entry| entry["action"] == "session.create" && entry["outcome"] == "refused")
    );
}

#[actix_web::test]
async fn a_changing_call_by_cookie_needs_its_csrf_token_and_our_origin() {
    let (world, owner) = World::with_owner().await;
    let team = json!({"name": "search"});
    let without = Caller {
        csrf: None,
        ..owner.clone()
    };
    let wrong = Caller {
        csrf: Some("guessed".to_owned()),
        ..owner.clone()
    };
    let elsewhere = Caller {
        origin: Some("https://evil.example.com".to_owned()),
        ..owner.clone()
    };
    for caller in [&without, &wrong, &elsewhere] {
        caller
            .post(&world, "/organizations/acme/teams", team.clone())
            .await
            .refused(403, "csrf_rejected");
    }
    let audited = &world.audit(&owner, 1).await[0];
    assert_eq!(
        (&audited["action"], &audited["actor"]),
        (&json!("access.refuse"), &json!(OWNER))
    );

    let ours = Caller {
        origin: Some("https://gw.example.com".to_owned()),
        ..owner
    };

    assert_eq!(ours.post(&world, "/organizations/acme/teams", team).await.status, 201);
    assert_eq!(without.get(&world, "/organizations/acme/teams").await.status, 200);
}

#[actix_web::test]
async fn signing_in_from_another_page_is_refused() {
    let (world, _) = World::with_owner().await;
    let elsewhere = Caller {
        origin: Some("https://evil.example.com".to_owned()),
        ..Caller::default()
    };

    let answer = elsewhere
        .post(&world, "/session", json!({"email": OWNER, "password": PASSWORD}))
        .await;

    answer.refused(403, "csrf_rejected");
}

#[actix_web::test]
async fn own_sessions_are_listed_and_ended() {
    let (world, owner) = World::with_owner().await;
    let other = Caller::signed_in(&sign_in(&world, OWNER, PASSWORD).await);

    let list = owner.get(&world, "/sessions").await;
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(
        items
            .iter()
            .all(|item| item["address"] == "192.0.2.7" && item["user_agent"] == "a test")
    );
    let there = items.iter().find(|item| item["current"] == false).unwrap();
    let ended = owner
        .delete(&world, &format!("/sessions/{}", there["id"].as_str().unwrap()))
        .await;

    assert_eq!(ended.status, 204);
    other.get(&world, "/session").await.refused(401, "unauthenticated");
    assert_eq!(owner.get(&world, "/session").await.status, 200);
}

#[actix_web::test]
async fn somebody_elses_session_is_not_there() {
    let (world, owner) = World::with_owner().await;
    let member = world.member(&owner, "acme", "bob@example.com", "member").await;
    let list = owner.get(&world, "/sessions").await;
    let id = list.body["items"][0]["id"].as_str().unwrap().to_owned();

    member
        .delete(&world, &format!("/sessions/{id}"))
        .await
        .refused(404, "not_found");

    assert_eq!(owner.get(&world, "/session").await.status, 200);
}

#[actix_web::test]
async fn signing_out_ends_the_session_on_the_server_too() {
    let (world, owner) = World::with_owner().await;

    let out = owner.delete(&world, "/session").await;

    assert_eq!(out.status, 204);
    assert_eq!(out.session_cookie().as_deref(), Some(""));
    owner.get(&world, "/session").await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn a_new_password_ends_all_other_sessions_and_renews_this_one() {
    let (world, owner) = World::with_owner().await;
    let other = Caller::signed_in(&sign_in(&world, OWNER, PASSWORD).await);
    let wrong = json!({"current": "not the password", "new": "a whole new secret"});
    owner
        .post(&world, "/session/password", wrong)
        .await
        .fields(&json!({"current": "is not your password"}));
    let short = json!({"current": PASSWORD, "new": "short"});
    owner
        .post(&world, "/session/password", short)
        .await
        .fields(&json!({"new": "must have at least 10 characters"}));

    let body = json!({"current": PASSWORD, "new": "a whole new secret"});
    let changed = owner.post(&world, "/session/password", body).await;

    assert_eq!(changed.status, 204);
    for ended in [&owner, &other] {
        ended.get(&world, "/session").await.refused(401, "unauthenticated");
    }
    let renewed = Caller {
        cookie: changed.session_cookie(),
        ..Caller::default()
    };
    assert_eq!(renewed.get(&world, "/session").await.status, 200);
    sign_in(&world, OWNER, PASSWORD).await.refused(401, "wrong_credentials");
    assert_eq!(sign_in(&world, OWNER, "a whole new secret").await.status, 200);
}

#[actix_web::test]
async fn signing_in_again_ends_the_session_the_browser_had() {
    let (world, owner) = World::with_owner().await;

    let again = owner
        .post(&world, "/session", json!({"email": OWNER, "password": PASSWORD}))
        .await;

    assert_eq!(again.status, 200);
    owner.get(&world, "/session").await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn a_session_ends_by_disuse_and_by_its_age() {
    let day = Duration::from_secs(86_400);
    for (idle, absolute) in [(Duration::ZERO, day), (day, Duration::ZERO)] {
        let world = World::with_sessions(idle, absolute).await;
        let owner = Caller::signed_in(&world.install(&world.setup_token().await).await);

        owner.get(&world, "/session").await.refused(401, "unauthenticated");
    }
}
