//! The one write path: everything of a change or nothing of it.

use gatewright_contract::{Revision, UnitBody, UnitId};
use gatewright_types::api::{AuditOutcome, AuditQuery, KeyChange};
use gatewright_types::{ModelId, Role, TeamId};
use serde_json::json;

use super::fixture::{Fixture, actor, display_name, new_credential, new_key, new_model, refused_field};
use super::on_both_databases;
use crate::{Change, KeysOfMember, Place, WriteError};

async fn a_write_leaves_its_row_its_audit_entry_its_unit_and_a_revision(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let before = fixture.system().revision().await.expect("a revision");
    let id = TeamId::mint();
    let change = Change::new(acme, "team.create", id, json!({"name": "Search"}));

    let name = display_name("Search");
    let written = fixture
        .write(&actor(), change, async |tx| tx.create_team(acme, id, &name).await)
        .await;

    let written = written.expect("the team is made");
    assert_eq!(written.revision, Revision(before.0 + 1));
    assert_eq!(
        fixture.organization(acme).team(id).await.expect("a team"),
        Some(written.value)
    );
    let units = fixture
        .system()
        .units_since(Place::after_revision(before), 10)
        .await
        .expect("units");
    let [unit] = units.as_slice() else {
        panic!("one unit: {units:?}")
    };
    assert_eq!(
        (unit.organization, unit.id, unit.revision),
        (acme, UnitId::Team(id), written.revision)
    );
    assert!(matches!(&unit.body, Some(UnitBody::Team(team)) if team.name == name));
    let query = AuditQuery {
        action: Some("team.create".to_owned()),
        ..AuditQuery::default()
    };
    let audit = fixture
        .organization(acme)
        .audit(&query)
        .await
        .expect("the audit log")
        .items;
    let [entry] = audit.as_slice() else {
        panic!("one entry: {audit:?}")
    };
    assert_eq!(
        (entry.actor.as_str(), entry.target.as_deref()),
        ("ada@example.test", Some(id.to_string().as_str()))
    );
    assert_eq!(
        (entry.outcome, &entry.detail),
        (AuditOutcome::Done, &json!({"name": "Search"}))
    );
    assert_eq!(
        (entry.address.as_deref(), entry.request_id.as_str()),
        (Some("192.0.2.1"), "req-1")
    );
}

async fn what_does_not_compile_leaves_nothing(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let provider = fixture.provider_named(acme, "openai").await;
    let model = fixture.model_named(acme, "fast", "openai/gpt-4o").await;
    let before = traces(&fixture).await;

    let refused = fixture
        .change(acme, async |tx| tx.delete_provider(acme, provider.id).await)
        .await;

    let Err(WriteError::DoesNotCompile(problems)) = refused else {
        panic!("it compiles: {refused:?}")
    };
    let [problem] = problems.as_slice() else {
        panic!("one problem: {problems:?}")
    };
    assert_eq!(
        (problem.unit, problem.field.as_str()),
        (UnitId::Model(model.id), "route.target")
    );
    assert_eq!(problem.message, "model fast: there is no provider named openai");
    assert_eq!(traces(&fixture).await, before);
    assert!(
        fixture
            .organization(acme)
            .provider(provider.id)
            .await
            .expect("a provider")
            .is_some()
    );
}

async fn a_problem_in_what_is_changed_needs_no_name(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let model = new_model("fast", "nowhere/gpt-4o");

    let refused = fixture
        .change(acme, async |tx| tx.create_model(acme, ModelId::mint(), &model).await)
        .await;

    let Err(WriteError::DoesNotCompile(problems)) = refused else {
        panic!("it compiles: {refused:?}")
    };
    assert_eq!(
        problems.first().map(|problem| problem.message.as_str()),
        Some("there is no provider named nowhere")
    );
}

async fn an_error_inside_of_a_write_leaves_nothing(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let before = traces(&fixture).await;

    let refused = fixture.change(acme, async |tx| {
        tx.create_key(acme, &new_key("one")).await?;
        tx.audit(Change::new(acme, "more", acme, json!({}))).await?;
        Err::<(), _>(WriteError::NotFound)
    });

    assert!(matches!(refused.await, Err(WriteError::NotFound)));
    assert_eq!(traces(&fixture).await, before);
}

async fn one_write_may_hold_several_audited_actions(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let before = traces(&fixture).await;

    let written = fixture.change(acme, async |tx| {
        for name in ["a", "b"] {
            let id = TeamId::mint();
            tx.create_team(acme, id, &display_name(name)).await?;
            tx.audit(Change::new(acme, "team.create", id, json!({}))).await?;
        }
        Ok(())
    });

    assert_eq!(
        written.await.expect("both teams are made").revision.0,
        before.revision + 1
    );
    let after = traces(&fixture).await;
    assert_eq!((after.audit, after.units), (before.audit + 3, before.units + 2));
}

async fn making_a_key_reads_nothing_else_of_the_organization(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    fixture.provider_named(acme, "openai").await;
    fixture
        .run("UPDATE config_unit SET body = 'broken' WHERE kind = 'provider'")
        .await;

    let team = fixture
        .change(acme, async |tx| {
            tx.create_team(acme, TeamId::mint(), &display_name("a")).await
        })
        .await;
    let key = fixture
        .change(acme, async |tx| tx.create_key(acme, &new_key("one")).await)
        .await;

    assert!(matches!(team, Err(WriteError::Database(_))), "{team:?}");
    assert!(key.is_ok(), "{key:?}");
}

async fn names_are_taken_once_in_an_organization(fixture: Fixture) {
    let (acme, other) = (
        fixture.organization_named("acme").await,
        fixture.organization_named("other").await,
    );
    fixture.key_named(acme, "prod").await;
    let name = display_name("a");
    let team = async |organization| {
        fixture
            .change(organization, async |tx| {
                tx.create_team(organization, TeamId::mint(), &name).await
            })
            .await
    };
    team(acme).await.expect("a team");

    assert_eq!(refused_field(team(acme).await), "name");
    assert!(team(other).await.is_ok());
    let again = fixture
        .change(acme, async |tx| tx.create_key(acme, &new_key("prod")).await)
        .await;
    assert_eq!(refused_field(again), "name");
    let case = fixture
        .change(acme, async |tx| tx.create_key(acme, &new_key("Prod")).await)
        .await;
    assert!(case.is_ok(), "names are told apart by case: {case:?}");
    let slug = "acme".parse().expect("a slug");
    let again = gatewright_types::OrganizationId::mint();
    let again = fixture
        .change(again, async |tx| tx.create_organization(again, &slug, &name).await)
        .await;
    assert_eq!(refused_field(again), "slug");
}

async fn a_revoked_key_is_tombstoned_keeps_its_row_and_frees_its_name(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (key, digest) = fixture.key_named(acme, "prod").await;
    assert!(fixture.system().key_unit(&digest).await.expect("the feed").is_some());

    let revoked = fixture
        .change(acme, async |tx| tx.revoke_key(acme, key.id).await)
        .await
        .expect("it is revoked");

    assert_eq!(fixture.system().key_unit(&digest).await.expect("the feed"), None);
    let units = fixture
        .system()
        .units_since(Place::after_revision(Revision(revoked.revision.0 - 1)), 10)
        .await;
    let units = units.expect("units");
    assert_eq!(
        units
            .iter()
            .map(|unit| (unit.id, unit.body.is_some()))
            .collect::<Vec<_>>(),
        [(UnitId::Key(digest), false)]
    );
    let row = fixture
        .organization(acme)
        .key(key.id)
        .await
        .expect("a key")
        .expect("its row stays");
    assert!(row.revoked_at.is_some());
    assert_eq!(
        fixture
            .organization(acme)
            .key_by_name(&key.name)
            .await
            .expect("a look-up"),
        None
    );
    let change = KeyChange::keeping(&key);
    let changed = fixture
        .change(acme, async |tx| tx.change_key(acme, key.id, &change).await)
        .await;
    assert_eq!(refused_field(changed), "key");
    fixture.key_named(acme, "prod").await;
}

async fn a_secret_opens_one_organization_only(fixture: Fixture) {
    let (acme, other) = (
        fixture.organization_named("acme").await,
        fixture.organization_named("other").await,
    );
    let first = new_key("one");
    fixture
        .change(acme, async |tx| tx.create_key(acme, &first).await)
        .await
        .expect("a key");
    let same_secret = crate::KeyInsert {
        digest: first.digest,
        ..new_key("two")
    };
    let there = async || {
        fixture
            .change(other, async |tx| tx.create_key(other, &same_secret).await)
            .await
    };
    let here = async || {
        fixture
            .change(acme, async |tx| tx.create_key(acme, &same_secret).await)
            .await
    };

    assert_eq!(refused_field(there().await), "secret");
    assert_eq!(refused_field(here().await), "secret");
    fixture
        .change(acme, async |tx| tx.revoke_key(acme, first.id).await)
        .await
        .expect("it is revoked");
    assert_eq!(refused_field(there().await), "secret");
    assert_eq!(
        here()
            .await
            .expect("the same organization may import it again")
            .value
            .id,
        same_secret.id
    );
    let unit = fixture
        .system()
        .key_unit(&first.digest)
        .await
        .expect("the feed")
        .expect("a unit");
    assert!(matches!(unit.body, Some(UnitBody::Key(key)) if key.id == same_secret.id));
}

async fn a_team_with_active_keys_stays(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let id = TeamId::mint();
    fixture
        .change(acme, async |tx| tx.create_team(acme, id, &display_name("a")).await)
        .await
        .expect("a team");
    let key = crate::KeyInsert {
        team: Some(id),
        ..new_key("one")
    };
    fixture
        .change(acme, async |tx| tx.create_key(acme, &key).await)
        .await
        .expect("a key");
    let delete = async || fixture.change(acme, async |tx| tx.delete_team(acme, id).await).await;
    let team = fixture
        .organization(acme)
        .team(id)
        .await
        .expect("a team")
        .expect("it is there");
    assert_eq!(team.key_count, 1);

    assert_eq!(refused_field(delete().await), "team");
    fixture
        .change(acme, async |tx| tx.revoke_key(acme, key.id).await)
        .await
        .expect("it is revoked");
    delete().await.expect("the team goes");

    let key = fixture
        .organization(acme)
        .key(key.id)
        .await
        .expect("a key")
        .expect("its row stays");
    assert_eq!((key.team, key.revoked_at.is_some()), (None, true));
}

async fn a_credential_is_published_with_its_provider(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let provider = fixture.provider_named(acme, "openai").await;
    assert_eq!(provider.base_url.as_deref(), Some("https://api.openai.com/v1"));
    let second = new_credential("b");

    let added = fixture
        .change(acme, async |tx| tx.add_credential(acme, provider.id, &second).await)
        .await;

    let added = added.expect("a credential");
    let units = fixture
        .system()
        .units_since(Place::after_revision(Revision(added.revision.0 - 1)), 10)
        .await;
    let Some(UnitBody::Provider(unit)) = units.expect("units").pop().and_then(|unit| unit.body) else {
        panic!("the provider is published");
    };
    let ids: Vec<_> = unit.credentials.iter().map(|credential| credential.id).collect();
    assert_eq!(ids, [provider.credentials.first().expect("the first").id, second.id]);
    assert_eq!(unit.base_url, None);
    let again = fixture.change(acme, async |tx| {
        tx.add_credential(acme, provider.id, &new_credential("b")).await
    });
    assert_eq!(refused_field(again.await), "name");
    let removed = fixture
        .change(acme, async |tx| {
            tx.remove_credential(acme, provider.id, second.id).await
        })
        .await;
    removed.expect("it goes");
    let left = fixture
        .organization(acme)
        .sealed_credentials(provider.id)
        .await
        .expect("credentials");
    assert_eq!(left.len(), 1);
}

async fn deleting_an_organization_tombstones_all_of_its_units(fixture: Fixture) {
    let (acme, other) = (
        fixture.organization_named("acme").await,
        fixture.organization_named("other").await,
    );
    fixture.provider_named(acme, "openai").await;
    fixture.model_named(acme, "fast", "openai/gpt-4o").await;
    fixture.key_named(acme, "one").await;
    fixture.member_named(acme, "ada", Role::Owner).await;
    fixture.key_named(other, "one").await;

    let deleted = fixture
        .change(acme, async |tx| tx.delete_organization(acme).await)
        .await
        .expect("it goes");

    let units = fixture
        .system()
        .units_since(Place::after_revision(Revision(0)), 100)
        .await
        .expect("units");
    let (gone, left): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| unit.organization == acme);
    assert_eq!(gone.len(), 4);
    assert!(
        gone.iter()
            .all(|unit| unit.body.is_none() && unit.revision == deleted.revision)
    );
    assert_eq!(left.iter().filter(|unit| unit.body.is_some()).count(), 2);
    assert_eq!(
        fixture.organization(acme).organization().await.expect("a look-up"),
        None
    );
    let rows = "SELECT (SELECT COUNT(*) FROM provider) + (SELECT COUNT(*) FROM credential) + (SELECT COUNT(*) FROM \
                model) + (SELECT COUNT(*) FROM membership) + (SELECT COUNT(*) FROM key)";
    assert_eq!(fixture.number(rows).await, 1);
}

async fn the_last_owner_stays_owner(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let ada = fixture.member_named(acme, "ada", Role::Owner).await;
    let demote = async |person| {
        fixture
            .change(acme, async |tx| tx.change_role(acme, person, Role::Admin).await)
            .await
    };
    let remove = async |person| {
        fixture
            .change(acme, async |tx| {
                tx.remove_member(acme, person, KeysOfMember::MustNotBe).await
            })
            .await
    };
    assert_eq!(refused_field(demote(ada).await), "role");
    assert_eq!(refused_field(remove(ada).await), "role");

    let bob = fixture.member_named(acme, "bob", Role::Owner).await;

    assert_eq!(
        demote(ada).await.expect("there is another owner").value.role,
        Role::Admin
    );
    assert_eq!(refused_field(remove(bob).await), "role");
    remove(ada).await.expect("an admin may go");
    assert_eq!(fixture.organization(acme).role(ada).await.expect("a look-up"), None);
    assert_eq!(
        fixture.organization(acme).role(bob).await.expect("a look-up"),
        Some(Role::Owner)
    );
}

/// What a write leaves behind.
#[derive(Debug, PartialEq)]
struct Traces {
    revision: u64,
    audit: i64,
    units: i64,
    keys: i64,
}

async fn traces(fixture: &Fixture) -> Traces {
    Traces {
        revision: fixture.system().revision().await.expect("a revision").0,
        audit: fixture.number("SELECT COUNT(*) FROM audit").await,
        units: fixture.number("SELECT COUNT(*) FROM config_unit").await,
        keys: fixture.number("SELECT COUNT(*) FROM key").await,
    }
}

on_both_databases!(
    a_write_leaves_its_row_its_audit_entry_its_unit_and_a_revision,
    what_does_not_compile_leaves_nothing,
    a_problem_in_what_is_changed_needs_no_name,
    an_error_inside_of_a_write_leaves_nothing,
    one_write_may_hold_several_audited_actions,
    making_a_key_reads_nothing_else_of_the_organization,
    names_are_taken_once_in_an_organization,
    a_revoked_key_is_tombstoned_keeps_its_row_and_frees_its_name,
    a_secret_opens_one_organization_only,
    a_team_with_active_keys_stays,
    a_credential_is_published_with_its_provider,
    deleting_an_organization_tombstones_all_of_its_units,
    the_last_owner_stays_owner,
);
