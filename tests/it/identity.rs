//! Who somebody is: the first owner, passwords, sessions, and protection of calls made by cookie.

use std::time::Duration;

use gatewright_types::api::{SessionInfo, SetupState};
use gatewright_types::{Page, ProblemCode, Role};
use harness::api::{Api, Caller, refused, session_cookie};
use harness::http::Request;
use harness::installation::{Bootstrap, Installation, Options};
use harness::organization::Organization;
use harness::wait::{SOON, eventually};
use serde_json::json;

use crate::people::{PASSWORD, join, me};

#[tokio::test]
async fn the_setup_link_makes_the_owner_once_and_never_again() {
    let options = Options {
        bootstrap: Bootstrap::Nothing,
        arguments: vec!["--welcome"],
        ..Options::default()
    };
    let mut installation = Installation::start(options).await;
    let address = installation.control();
    let anonymous = Api::anonymous(address);
    let node = installation.control_node();
    let token = eventually("the setup link is printed", SOON, async || {
        let log = node.process.log();
        let (_, rest) = log.split_once("/setup#token=")?;
        Some(
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect::<String>(),
        )
    })
    .await;
    assert!(anonymous.get("/setup").await.expect(200).read::<SetupState>().needed);
    let body = |token: &str| {
        json!({"token": token, "organization": "first", "organization_name": "First", "email": "ada@first.test",
            "name": "Ada", "password": PASSWORD})
    };

    let wrong = anonymous.post("/setup", &body("gws-wrong")).await;
    let made = anonymous.post("/setup", &body(&token)).await.expect(200);
    let again = anonymous.post("/setup", &body(&token)).await;

    assert!(refused(&wrong, 422, ProblemCode::Invalid).fields.contains_key("token"));
    refused(&again, 409, ProblemCode::Conflict);
    assert!(!anonymous.get("/setup").await.expect(200).read::<SetupState>().needed);
    let ada = Api::of_session(address, &made);
    let memberships = me(&ada).await.memberships;
    let membership = memberships.first().expect("Ada owns it");
    assert_eq!(
        (membership.organization.slug.as_str(), membership.role),
        ("first", Role::Owner)
    );
    installation.control_node_mut().restart().await;
    let log = installation.control_node().process.log();
    assert_eq!(
        log.matches("/setup#token=").count(),
        1,
        "an installation with an owner prints no link"
    );
    Api::sign_in(address, "ada@first.test", PASSWORD).await;
}

#[tokio::test]
async fn the_first_call_that_a_newcomer_is_shown_works_as_it_stands() {
    let options = Options {
        bootstrap: Bootstrap::Nothing,
        arguments: vec!["--welcome"],
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let node = installation.control_node();

    let shown = eventually("the call is printed", SOON, async || {
        let log = node.process.log();
        let (_, rest) = log.split_once("curl ")?;
        let (call, _) = rest.split_once("}'")?;
        Some(format!("{call}}}'"))
    })
    .await;

    let quoted: Vec<&str> = shown.split('\'').skip(1).step_by(2).collect();
    let [authorization, kind, body] = quoted.as_slice() else {
        panic!("{shown}")
    };
    assert!(
        shown.starts_with(&format!("http://{}/v1/chat/completions ", installation.control())),
        "{shown}"
    );
    let (name, credential) = authorization.split_once(": ").expect("a header");
    let (_, kind) = kind.split_once(": ").expect("a header");
    let request = Request::new("POST", "/v1/chat/completions").header(name, credential);
    let request = request.bytes(kind, body.as_bytes().to_vec());
    let address = *installation.data_planes().first().expect("there is a data plane");
    let answer = eventually("the key works", SOON, async || {
        request.send(address).await.ok().filter(|answer| answer.status == 200)
    })
    .await;
    assert!(
        answer.json().pointer("/choices/0/message/content").is_some(),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_session_cookie_is_out_of_reach_of_pages_and_other_sites() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let somebody = join(&organization, "cookie", "viewer").await;

    let body = json!({"email": somebody.email, "password": PASSWORD});
    let answer = Api::anonymous(installation.control())
        .post("/session", &body)
        .await
        .expect(200);

    let cookie = answer.headers.need("set-cookie").to_ascii_lowercase();
    for part in ["gw_session=", "httponly", "samesite=lax", "path=/"] {
        assert!(cookie.contains(part), "{part} is not in {cookie}");
    }
    assert!(
        !cookie.contains("secure"),
        "the public address of this installation is plain http"
    );
    assert_eq!(answer.headers.get("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn behind_https_the_session_cookie_is_secure() {
    let url = ("GATEWRIGHT_PUBLIC_URL", "https://gateway.example.test".to_owned());
    let installation = Installation::start(Options {
        environment: vec![url],
        ..Options::default()
    })
    .await;
    let body = json!({"email": harness::installation::ROOT_EMAIL, "password": harness::installation::ROOT_PASSWORD});

    let answer = Api::anonymous(installation.control())
        .post("/session", &body)
        .await
        .expect(200);

    assert!(
        answer.headers.need("set-cookie").contains("Secure"),
        "{:?}",
        answer.headers
    );
}

#[tokio::test]
async fn wrong_passwords_and_unknown_addresses_look_the_same_and_lock_for_a_growing_time() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let somebody = join(&organization, "locked", "viewer").await;
    let anonymous = Api::anonymous(installation.control());
    let stranger = format!("nobody@{}.test", organization.slug);
    let try_in = async |email: &str, password: &str| {
        anonymous
            .post("/session", &json!({"email": email, "password": password}))
            .await
    };

    let mut messages = Vec::new();
    for email in [&somebody.email, &stranger] {
        for _ in 0..5 {
            let problem = refused(
                &try_in(email, "wrong wrong wrong").await,
                401,
                ProblemCode::WrongCredentials,
            );
            messages.push(problem.message);
        }
        let locked = try_in(email, PASSWORD).await;
        refused(&locked, 429, ProblemCode::LockedOut);
        let wait: u64 = locked.headers.need("retry-after").parse().expect("seconds");
        assert_eq!(wait, 1, "the fifth wrong password locks for a second");
    }
    messages.dedup();
    assert_eq!(
        messages.len(),
        1,
        "an unknown address is told from a wrong password: {messages:?}"
    );

    eventually("the lock opens", Duration::from_secs(5), async || {
        (try_in(&somebody.email, PASSWORD).await.status == 200).then_some(())
    })
    .await;
    let actions = organization.actions().await;
    assert!(
        actions.iter().any(|action| action == "invitation.accept"),
        "{actions:?}"
    );
}

#[tokio::test]
async fn changing_calls_by_cookie_need_the_sessions_own_token_and_our_own_page() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let (one, other) = (
        join(&organization, "one", "admin").await,
        join(&organization, "other", "admin").await,
    );
    let (Caller::Person { cookie, csrf }, Caller::Person { csrf: foreign, .. }) = (&one.api.caller, &other.api.caller)
    else {
        panic!("both have a session");
    };
    let send = async |headers: &[(&str, &str)]| {
        let request = Request::new("POST", &format!("/api/v1{}", organization.path("/teams")))
            .header("cookie", &format!("gw_session={cookie}"))
            .headers(headers);
        let name = format!("team {}", headers.len());
        request
            .json(&json!({ "name": name }))
            .send(installation.control())
            .await
            .expect("an answer")
    };

    for headers in [
        &[][..],
        &[("x-gw-csrf", "")],
        &[("x-gw-csrf", foreign.as_str())],
        &[("x-gw-csrf", csrf.as_str()), ("origin", "https://evil.example")],
        &[("x-gw-csrf", csrf.as_str()), ("origin", "null")],
    ] {
        refused(&send(headers).await, 403, ProblemCode::CsrfRejected);
    }
    let own = format!("http://{}", installation.control());
    send(&[("x-gw-csrf", csrf.as_str()), ("origin", own.as_str())])
        .await
        .expect(201);
    organization
        .token("admin")
        .await
        .post(&organization.path("/teams"), &json!({"name": "by token"}))
        .await
        .expect(201);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let (one, other) = (
        join(&organization, "one", "viewer").await,
        join(&organization, "other", "viewer").await,
    );
    let second = Api::sign_in(installation.control(), &one.email, PASSWORD).await;
    let list = async |api: &Api| api.get("/sessions").await.expect(200).read::<Page<SessionInfo>>().items;

    let sessions = list(&second).await;
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|session| session.current).count(), 1);
    let first = sessions.iter().find(|session| !session.current).expect("the other one");

    refused(
        &other.api.delete(&format!("/sessions/{}", first.id)).await,
        404,
        ProblemCode::NotFound,
    );
    me(&one.api).await;
    second.delete(&format!("/sessions/{}", first.id)).await.expect(204);

    refused(&one.api.get("/session").await, 401, ProblemCode::Unauthenticated);
    assert_eq!(list(&second).await.len(), 1);
    let out = second.delete("/session").await.expect(204);
    assert_eq!(session_cookie(&out), "", "signing out takes the cookie away");
    refused(&second.get("/session").await, 401, ProblemCode::Unauthenticated);
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let installation = Installation::shared().await;
    let organization = Organization::make(installation).await;
    let somebody = join(&organization, "changer", "viewer").await;
    let elsewhere = Api::sign_in(installation.control(), &somebody.email, PASSWORD).await;
    let new = "another fine passphrase, 34";
    let change = async |current: &str, new: &str| {
        somebody
            .api
            .post("/session/password", &json!({"current": current, "new": new}))
            .await
    };

    assert!(
        refused(&change("not this one!", new).await, 422, ProblemCode::Invalid)
            .fields
            .contains_key("current")
    );
    for weak in ["short", "", &somebody.email] {
        assert!(
            refused(&change(PASSWORD, weak).await, 422, ProblemCode::Invalid)
                .fields
                .contains_key("new"),
            "{weak}"
        );
    }
    let done = change(PASSWORD, new).await.expect(204);

    refused(&elsewhere.get("/session").await, 401, ProblemCode::Unauthenticated);
    refused(&somebody.api.get("/session").await, 401, ProblemCode::Unauthenticated);
    let renewed = Api::new(
        installation.control(),
        Caller::Person {
            cookie: session_cookie(&done),
            csrf: String::new(),
        },
    );
    assert_eq!(me(&renewed).await.email.as_str(), somebody.email);
    Api::sign_in(installation.control(), &somebody.email, new).await;
    let old = json!({"email": somebody.email, "password": PASSWORD});
    refused(
        &Api::anonymous(installation.control()).post("/session", &old).await,
        401,
        ProblemCode::WrongCredentials,
    );
}
