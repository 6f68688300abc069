//! Whose keys are, and what becomes of them when somebody leaves.

use gatewright_contract::UnitBody;
use gatewright_types::api::{Key, KeyOwner};
use gatewright_types::{KeyId, OrganizationId, PersonId, Role, ServiceAccountId, TeamId};

use super::fixture::{Fixture, display_name, new_key, refused_field};
use super::on_both_databases;
use crate::{KeyInsert, KeysOfMember, WriteError};

async fn key_of(fixture: &Fixture, acme: OrganizationId, name: &str, owner: KeyOwner) -> Key {
    let key = KeyInsert {
        owner: Some(owner),
        ..new_key(name)
    };
    let made = fixture.change(acme, async |tx| tx.create_key(acme, &key).await).await;
    made.expect("a key").value
}

async fn account(fixture: &Fixture, acme: OrganizationId, team: Option<TeamId>) -> ServiceAccountId {
    let (id, name) = (ServiceAccountId::mint(), display_name("builds"));
    let made = fixture
        .change(acme, async |tx| {
            tx.create_service_account(acme, id, &name, team, "ada@example.test")
                .await
        })
        .await;
    made.expect("an account").value.id
}

async fn remove(
    fixture: &Fixture,
    acme: OrganizationId,
    person: PersonId,
    keys: KeysOfMember,
) -> Result<Vec<KeyId>, WriteError> {
    let removed = fixture
        .change(acme, async |tx| tx.remove_member(acme, person, keys).await)
        .await;
    removed.map(|written| written.value)
}

async fn there(fixture: &Fixture, acme: OrganizationId, key: &Key) -> Key {
    let key = fixture.organization(acme).key(key.id).await;
    key.expect("a row").expect("it is there")
}

async fn who_has_keys_leaves_only_when_it_is_said_what_becomes_of_them(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    fixture.member_named(acme, "owner", Role::Owner).await;
    let leaving = fixture.member_named(acme, "leaving", Role::Member).await;
    let theirs = key_of(&fixture, acme, "theirs", KeyOwner::Member(leaving)).await;
    let of_account = KeyOwner::ServiceAccount(account(&fixture, acme, None).await);
    let program = key_of(&fixture, acme, "program", of_account).await;

    let refused = remove(&fixture, acme, leaving, KeysOfMember::MustNotBe).await;
    let Err(WriteError::Conflict { field: "keys", message }) = refused else {
        panic!("not refused: {refused:?}");
    };
    assert!(message.contains("1 key is theirs: theirs."), "{message}");
    let revoked = remove(&fixture, acme, leaving, KeysOfMember::Revoke).await;

    assert_eq!(revoked.expect("they leave"), [theirs.id]);
    assert!(there(&fixture, acme, &theirs).await.revoked_at.is_some());
    let program = there(&fixture, acme, &program).await;
    assert_eq!((program.revoked_at, program.owner), (None, Some(of_account)));
}

async fn keys_are_handed_over_to_a_member_or_a_service_account(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let owner = fixture.member_named(acme, "owner", Role::Owner).await;
    let leaving = fixture.member_named(acme, "leaving", Role::Member).await;
    let theirs = key_of(&fixture, acme, "theirs", KeyOwner::Member(leaving)).await;
    let stranger = KeyOwner::Member(PersonId::mint());

    for (to, field) in [(stranger, "to"), (KeyOwner::Member(leaving), "to")] {
        let refused = remove(&fixture, acme, leaving, KeysOfMember::HandOver(to)).await;
        assert_eq!(refused_field(refused), field);
    }
    let to = KeyOwner::Member(owner);
    let handed = remove(&fixture, acme, leaving, KeysOfMember::HandOver(to)).await;

    assert_eq!(handed.expect("they leave"), [theirs.id]);
    assert_eq!(there(&fixture, acme, &theirs).await.owner, Some(to));
    let digest = fixture
        .organization(acme)
        .key_digest(theirs.id)
        .await
        .expect("a row")
        .expect("a digest");
    let unit = fixture
        .system()
        .key_unit(&digest)
        .await
        .expect("the feed")
        .expect("a unit");
    assert!(matches!(unit.body, Some(UnitBody::Key(key)) if key.owner == Some(owner)));
}

async fn a_teams_service_account_has_keys_of_that_team_only_and_stays_while_it_has_some(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (own, other) = (TeamId::mint(), TeamId::mint());
    for (team, name) in [(own, "own"), (other, "other")] {
        let name = display_name(name);
        let made = fixture
            .change(acme, async |tx| tx.create_team(acme, team, &name).await)
            .await;
        made.expect("a team");
    }
    let id = account(&fixture, acme, Some(own)).await;
    let owner = KeyOwner::ServiceAccount(id);
    let elsewhere = KeyInsert {
        owner: Some(owner),
        team: Some(other),
        ..new_key("elsewhere")
    };

    let refused = fixture
        .change(acme, async |tx| tx.create_key(acme, &elsewhere).await)
        .await;
    assert_eq!(refused_field(refused), "team");
    let key = key_of(&fixture, acme, "build", owner).await;
    assert_eq!((key.team, key.owner), (Some(own), Some(owner)));

    let delete = async || {
        fixture
            .change(acme, async |tx| tx.delete_service_account(acme, id).await)
            .await
    };
    assert_eq!(refused_field(delete().await), "service_account");
    let revoked = fixture.change(acme, async |tx| tx.revoke_key(acme, key.id).await).await;
    revoked.expect("it is revoked");
    let team = fixture.change(acme, async |tx| tx.delete_team(acme, own).await).await;
    assert_eq!(refused_field(team), "team");
    delete().await.expect("it goes");
    assert_eq!(there(&fixture, acme, &key).await.owner, None);
}

on_both_databases!(
    who_has_keys_leaves_only_when_it_is_said_what_becomes_of_them,
    keys_are_handed_over_to_a_member_or_a_service_account,
    a_teams_service_account_has_keys_of_that_team_only_and_stays_while_it_has_some
);
