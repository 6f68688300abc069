//! Signing in and getting in: sessions, lockout, setup tokens, invitations, control-plane tokens, and the pages of a list.

use chrono::{TimeDelta, Utc};
use gatewright_contract::Digest;
use gatewright_types::api::AuditQuery;
use gatewright_types::{InvitationId, Role, SessionId, TeamId, TokenId};
use serde_json::json;

use super::fixture::{Fixture, actor, display_name, page_of, refused_field};
use super::on_both_databases;
use crate::{Change, ListError, NewInvitationRow, NewSession, TokenInsert, WriteError};

async fn a_session_is_found_by_its_digest_until_it_ends(fixture: Fixture) {
    let ada = fixture.person_named("ada").await;
    let system = fixture.system();
    let (one, two) = (new_session(ada, "one"), new_session(ada, "two"));
    system.open_session(&one).await.expect("it opens");
    system.open_session(&two).await.expect("it opens");
    let seen_at = crate::stored::now() + TimeDelta::seconds(5);
    system.touch_session(one.id, seen_at).await.expect("it is seen");

    let found = system
        .session_by_digest(&one.digest)
        .await
        .expect("a look-up")
        .expect("it is open");

    assert_eq!(
        (found.id, found.person, found.email.as_str()),
        (one.id, ada, "ada@example.test")
    );
    assert_eq!(
        (found.last_seen_at, found.expires_at),
        (seen_at, crate::stored::time(one.expires_at))
    );
    assert_eq!(
        system
            .session_by_digest(&Digest::of(b"three"))
            .await
            .expect("a look-up"),
        None
    );
    let listed = system
        .sessions_of(ada, two.id, &page_of(10, None))
        .await
        .expect("the list")
        .items;
    assert_eq!(
        listed.iter().map(|session| session.current).collect::<Vec<_>>(),
        [true, false]
    );
    let eve = fixture.person_named("eve").await;
    assert!(!system.end_session(eve, one.id).await.expect("a foreign session stays"));
    assert!(system.end_session(ada, one.id).await.expect("it ends"));
    assert_eq!(system.session_by_digest(&one.digest).await.expect("a look-up"), None);
}

async fn sessions_end_by_age_by_idleness_and_with_the_password(fixture: Fixture) {
    let ada = fixture.person_named("ada").await;
    let system = fixture.system();
    let (one, two, old) = (
        new_session(ada, "one"),
        new_session(ada, "two"),
        new_session(ada, "old"),
    );
    let old = NewSession {
        expires_at: Utc::now() - TimeDelta::seconds(1),
        ..old
    };
    for session in [&one, &two, &old] {
        system.open_session(session).await.expect("it opens");
    }
    let long_ago = Utc::now() - TimeDelta::days(30);

    assert_eq!(
        system
            .remove_ended_sessions(Utc::now(), long_ago)
            .await
            .expect("old ones go"),
        1
    );
    let change = Change {
        organization: None,
        action: "person.password",
        target: None,
        detail: json!({}),
    };
    let actor = actor();
    let changed = fixture.write(&actor, change, async |tx| {
        tx.set_password(ada, "$argon2id$new").await?;
        tx.end_other_sessions(ada, Some(one.id)).await
    });
    changed.await.expect("the password changes");

    assert!(
        system
            .session_by_digest(&one.digest)
            .await
            .expect("a look-up")
            .is_some()
    );
    assert_eq!(system.session_by_digest(&two.digest).await.expect("a look-up"), None);
    let idle = Utc::now() + TimeDelta::minutes(1);
    assert_eq!(
        system
            .remove_ended_sessions(Utc::now(), idle)
            .await
            .expect("idle ones go"),
        1
    );
}

async fn failed_sign_ins_are_counted_until_a_right_one(fixture: Fixture) {
    let ada = fixture.person_named("ada").await;
    let system = fixture.system();
    let until = crate::stored::now() + TimeDelta::minutes(1);

    assert_eq!(system.count_failed_sign_in(ada).await.expect("a count"), 1);
    assert_eq!(system.count_failed_sign_in(ada).await.expect("a count"), 2);
    system.lock_out(ada, until).await.expect("a lock");

    let locked = system
        .person_by_email(&"ada@example.test".parse().expect("an address"))
        .await;
    let locked = locked.expect("a look-up").expect("a person");
    assert_eq!((locked.failed_count, locked.locked_until), (2, Some(until)));
    system.clear_failed_sign_ins(ada).await.expect("a right password");
    system
        .refresh_password_hash(ada, "$other$", "$lost$")
        .await
        .expect("nothing to refresh");
    system
        .refresh_password_hash(ada, "$argon2id$", "$newer$")
        .await
        .expect("a newer hash");
    let cleared = system.person(ada).await.expect("a look-up").expect("a person");
    assert_eq!((cleared.failed_count, cleared.locked_until), (0, None));
    assert_eq!(cleared.password.as_deref(), Some("$newer$"));
    assert!(!format!("{cleared:?}").contains("newer"), "a hash is not printed");
}

async fn one_setup_token_is_used_once_and_takes_the_others_along(fixture: Fixture) {
    let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
    assert!(fixture.system().setup_needed().await.expect("the state"));
    fixture.system().issue_setup_token(&one).await.expect("a token");
    fixture.system().issue_setup_token(&other).await.expect("a token");
    let change = || Change {
        organization: None,
        action: "setup",
        target: None,
        detail: json!({}),
    };
    let with = async |digest| {
        fixture
            .write(&actor(), change(), async |tx| tx.use_setup_token(&digest).await)
            .await
    };

    assert!(matches!(with(Digest::of(b"guess")).await, Err(WriteError::NotFound)));
    with(one).await.expect("the token works");

    assert!(matches!(with(one).await, Err(WriteError::NotFound)));
    assert!(matches!(with(other).await, Err(WriteError::NotFound)));
    fixture.person_named("ada").await;
    assert!(!fixture.system().setup_needed().await.expect("the state"));
    fixture.system().issue_setup_token(&one).await.expect("a token");
    assert!(matches!(with(one).await, Err(WriteError::NotFound)));
}

async fn an_invitation_works_once(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (first, second) = (new_invitation("bob", "first"), new_invitation("bob", "second"));
    let invite = async |invitation: &NewInvitationRow| {
        fixture
            .change(acme, async |tx| tx.create_invitation(acme, invitation).await)
            .await
    };
    let take = async |digest| fixture.change(acme, async |tx| tx.take_invitation(&digest).await).await;
    invite(&first).await.expect("an invitation");
    invite(&second).await.expect("the address is invited again");
    let lookup = fixture
        .system()
        .invitation_by_digest(&second.digest)
        .await
        .expect("a look-up")
        .expect("it is open");
    assert_eq!((lookup.organization.id, lookup.invitation.role), (acme, Role::Member));

    assert!(matches!(take(first.digest).await, Err(WriteError::NotFound)));
    assert_eq!(
        take(second.digest).await.expect("it is taken").value.invitation.id,
        second.id
    );
    assert!(matches!(take(second.digest).await, Err(WriteError::NotFound)));

    fixture.member_named(acme, "bob", Role::Member).await;
    assert_eq!(refused_field(invite(&new_invitation("bob", "third")).await), "email");
}

async fn a_token_opens_its_organization(fixture: Fixture) {
    let (acme, _) = (
        fixture.organization_named("acme").await,
        fixture.organization_named("other").await,
    );
    let token = TokenInsert {
        id: TokenId::mint(),
        name: display_name("ci"),
        role: Role::Admin,
        digest: Digest::of(b"token"),
        hint: "wxyz".to_owned(),
        expires_at: None,
    };
    fixture
        .change(acme, async |tx| tx.create_token(acme, &token).await)
        .await
        .expect("a token");

    let holder = fixture
        .system()
        .token_by_digest(&token.digest)
        .await
        .expect("a look-up")
        .expect("it is there");

    assert_eq!((holder.organization.id, holder.token.role), (acme, Role::Admin));
    assert_eq!(
        fixture
            .organization(acme)
            .token_digest(token.id)
            .await
            .expect("a digest"),
        Some(token.digest)
    );
    let changed = fixture
        .change(acme, async |tx| {
            tx.change_token_role(acme, token.id, Role::Viewer).await
        })
        .await;
    assert_eq!(changed.expect("a role").value.role, Role::Viewer);
    fixture
        .change(acme, async |tx| tx.delete_token(acme, token.id).await)
        .await
        .expect("it goes");
    assert_eq!(
        fixture
            .system()
            .token_by_digest(&token.digest)
            .await
            .expect("a look-up"),
        None
    );
}

async fn lists_are_paged_newest_first_without_gaps_or_repeats(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let ids: Vec<_> = (0..7).map(|_| TeamId::mint()).collect();
    for id in &ids {
        let name = display_name(&id.to_string());
        fixture
            .change(acme, async |tx| tx.create_team(acme, *id, &name).await)
            .await
            .expect("a team");
    }
    let scope = fixture.organization(acme);

    let (mut seen, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let page = scope.teams(&page_of(3, cursor)).await.expect("a page");
        sizes.push(page.items.len());
        seen.extend(page.items.into_iter().map(|team| team.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }

    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(seen, ids.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(scope.teams(&page_of(7, None)).await.expect("a page").next_cursor, None);
    let bad = scope.teams(&page_of(3, Some("%".to_owned()))).await;
    assert!(matches!(bad, Err(ListError::BadCursor)));
}

async fn refused_attempts_are_in_the_audit_log_of_their_organization(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let refused = Change::new(acme, "key.create", acme, json!({"reason": "forbidden"}));
    fixture
        .system()
        .audit_refused(&actor(), &refused)
        .await
        .expect("it is recorded");

    let log = fixture
        .organization(acme)
        .audit(&AuditQuery::default())
        .await
        .expect("the log")
        .items;

    let entries: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.outcome)).collect();
    use gatewright_types::api::AuditOutcome::{Done, Refused};
    assert_eq!(entries, [("key.create", Refused), ("test", Done)]);
}

fn new_session(person: gatewright_types::PersonId, secret: &str) -> NewSession {
    NewSession {
        id: SessionId::mint(),
        person,
        digest: Digest::of(secret.as_bytes()),
        expires_at: Utc::now() + TimeDelta::days(1),
        address: "192.0.2.1".to_owned(),
        user_agent: "test".to_owned(),
    }
}

fn new_invitation(local: &str, secret: &str) -> NewInvitationRow {
    NewInvitationRow {
        id: InvitationId::mint(),
        email: format!("{local}@example.test").parse().expect("an address"),
        role: Role::Member,
        digest: Digest::of(secret.as_bytes()),
        invited_by: "ada@example.test".to_owned(),
        expires_at: Utc::now() + TimeDelta::days(7),
    }
}

on_both_databases!(
    a_session_is_found_by_its_digest_until_it_ends,
    sessions_end_by_age_by_idleness_and_with_the_password,
    failed_sign_ins_are_counted_until_a_right_one,
    one_setup_token_is_used_once_and_takes_the_others_along,
    an_invitation_works_once,
    a_token_opens_its_organization,
    lists_are_paged_newest_first_without_gaps_or_repeats,
    refused_attempts_are_in_the_audit_log_of_their_organization,
);
