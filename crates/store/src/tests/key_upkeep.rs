//! Keys are given notice, disabled and enabled, each once and at its time.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::UnitBody;
use gatewright_types::api::{DisabledReason, Key, KeyState, KeyUpkeep, KeyWarning};
use gatewright_types::{HumanDuration, KeyId, OrganizationId};

use super::fixture::{Fixture, new_key, refused_field};
use super::ingesting::records;
use super::on_both_databases;
use crate::{DueKey, KeyAct, KeyInsert, WriteError};

fn span(text: &str) -> Option<HumanDuration> {
    Some(text.parse().expect("a time"))
}

async fn make(fixture: &Fixture, acme: OrganizationId, upkeep: KeyUpkeep) -> Key {
    let key = KeyInsert {
        upkeep,
        ..new_key("prod")
    };
    let made = fixture.change(acme, async |tx| tx.create_key(acme, &key).await).await;
    made.expect("a key").value
}

async fn due(fixture: &Fixture, now: DateTime<Utc>) -> Vec<KeyAct> {
    let due = fixture.system().due_keys(now).await.expect("a list");
    due.into_iter().map(|key| key.act).collect()
}

/// Does all that is due until nothing is.
async fn act(fixture: &Fixture, acme: OrganizationId, now: DateTime<Utc>) -> Vec<KeyAct> {
    let mut acts = Vec::new();
    loop {
        let due = fixture.system().due_keys(now).await.expect("a list");
        let Some(key) = due.first() else { return acts };
        let done = fixture.change(acme, async |tx| tx.act_on_key(key, now).await).await;
        done.expect("it is done");
        acts.push(key.act);
    }
}

async fn there(fixture: &Fixture, acme: OrganizationId, key: KeyId) -> Key {
    let key = fixture.organization(acme).key(key).await;
    key.expect("a row").expect("it is there")
}

/// A request with the key at a time, taken in.
async fn used(fixture: &Fixture, acme: OrganizationId, key: KeyId, at: DateTime<Utc>) {
    let mut records = records(acme, 2);
    for record in &mut records {
        (record.key, record.started_at) = (key, at);
    }
    let noted = fixture.system().note_key_use(&records).await;
    noted.expect("it is noted");
}

async fn a_key_that_nobody_uses_is_disabled_after_a_notice(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let upkeep = KeyUpkeep {
        disable_after_idle: span("40d"),
        ..KeyUpkeep::default()
    };
    let key = make(&fixture, acme, upkeep).await;
    let day = |days| key.created_at + TimeDelta::days(days);
    assert_eq!(key.disables_at, Some(day(40)));

    assert_eq!(act(&fixture, acme, day(32)).await, []);
    let notice = KeyAct::Notice(KeyWarning::IdleSoon, day(40));
    assert_eq!(act(&fixture, acme, day(33)).await, [notice]);
    assert_eq!(act(&fixture, acme, day(34)).await, [], "notice is given once");

    // Used, it has its whole time again, and another notice.
    used(&fixture, acme, key.id, day(35)).await;
    assert_eq!(act(&fixture, acme, day(41)).await, []);
    let until = day(75) + TimeDelta::minutes(1);
    assert_eq!(
        act(&fixture, acme, day(70)).await,
        [KeyAct::Notice(KeyWarning::IdleSoon, until)]
    );
    assert_eq!(
        act(&fixture, acme, until).await,
        [KeyAct::Disable(DisabledReason::Idle)]
    );
    assert_eq!(due(&fixture, day(1_000)).await, []);

    let disabled = there(&fixture, acme, key.id).await;
    assert_eq!(disabled.state, KeyState::Disabled);
    assert_eq!(
        disabled.disabled.map(|disabled| disabled.reason),
        Some(DisabledReason::Idle)
    );
    let enabled = fixture.change(acme, async |tx| tx.enable_key(acme, key.id).await).await;
    let enabled = enabled.expect("it is enabled").value;
    assert_eq!((enabled.state, enabled.disabled), (KeyState::Active, None));
    assert!(enabled.disables_at > Some(Utc::now() + TimeDelta::days(39)));
}

async fn a_rotation_is_announced_then_overdue_then_the_end(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let upkeep = KeyUpkeep {
        rotate_every: span("90d"),
        disable_overdue_after: span("10d"),
        ..KeyUpkeep::default()
    };
    let key = make(&fixture, acme, upkeep).await;
    let day = |days| key.created_at + TimeDelta::days(days);
    assert_eq!((key.rotation_due_at, key.disables_at), (Some(day(90)), Some(day(100))));

    assert_eq!(act(&fixture, acme, day(82)).await, []);
    let soon = KeyAct::Notice(KeyWarning::RotationDueSoon, day(90));
    assert_eq!(act(&fixture, acme, day(83)).await, [soon]);
    let overdue = KeyAct::Notice(KeyWarning::RotationOverdue, day(90));
    assert_eq!(act(&fixture, acme, day(90)).await, [overdue]);
    assert_eq!(act(&fixture, acme, day(99)).await, []);
    let end = KeyAct::Disable(DisabledReason::RotationOverdue);
    assert_eq!(act(&fixture, acme, day(100)).await, [end]);
}

async fn notice_is_given_once_before_a_key_expires(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let end = Utc::now() + TimeDelta::days(40);
    let key = KeyInsert {
        expires_at: Some(end),
        ..new_key("prod")
    };
    let made = fixture.change(acme, async |tx| tx.create_key(acme, &key).await).await;
    let end = made.expect("a key").value.expires_at.expect("it ends");

    assert_eq!(act(&fixture, acme, end - TimeDelta::days(8)).await, []);
    let notice = KeyAct::Notice(KeyWarning::ExpiresSoon, end);
    assert_eq!(act(&fixture, acme, end - TimeDelta::days(7)).await, [notice]);
    assert_eq!(act(&fixture, acme, end + TimeDelta::days(1)).await, []);
}

async fn what_is_due_is_done_once_and_not_when_it_is_due_no_more(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let upkeep = KeyUpkeep {
        disable_after_idle: span("4d"),
        ..KeyUpkeep::default()
    };
    let key = make(&fixture, acme, upkeep).await;
    let end = key.created_at + TimeDelta::days(4);
    let stale = DueKey {
        organization: acme,
        id: key.id,
        act: KeyAct::Disable(DisabledReason::Idle),
    };
    let disable = async || fixture.change(acme, async |tx| tx.act_on_key(&stale, end).await).await;

    used(&fixture, acme, key.id, end - TimeDelta::hours(1)).await;
    assert!(
        matches!(disable().await, Err(WriteError::NotFound)),
        "it was used meanwhile"
    );
    let end = end + TimeDelta::days(4);
    let disable = async || fixture.change(acme, async |tx| tx.act_on_key(&stale, end).await).await;
    disable().await.expect("it is disabled");
    assert!(
        matches!(disable().await, Err(WriteError::NotFound)),
        "another node did it"
    );
}

async fn a_disabled_key_is_published_as_such_and_a_use_is_noted_to_the_minute(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let key = make(&fixture, acme, KeyUpkeep::default()).await;
    let digest = fixture
        .organization(acme)
        .key_digest(key.id)
        .await
        .expect("a row")
        .expect("a digest");
    let published = async || {
        let unit = fixture
            .system()
            .key_unit(&digest)
            .await
            .expect("the feed")
            .expect("a unit");
        match unit.body {
            Some(UnitBody::Key(key)) => key.disabled,
            other => panic!("no key: {other:?}"),
        }
    };
    let at = key.created_at + TimeDelta::hours(1);

    used(&fixture, acme, key.id, at).await;
    used(&fixture, acme, key.id, at + TimeDelta::seconds(50)).await;
    assert_eq!(there(&fixture, acme, key.id).await.last_used_at, Some(at));
    used(&fixture, acme, key.id, at + TimeDelta::seconds(61)).await;
    used(&fixture, acme, key.id, at).await;

    let disabled = fixture
        .change(acme, async |tx| tx.disable_key(acme, key.id).await)
        .await;
    disabled.expect("it is disabled");
    assert_eq!(published().await, Some(DisabledReason::ByHand));
    let enabled = fixture.change(acme, async |tx| tx.enable_key(acme, key.id).await).await;
    let enabled = enabled.expect("it is enabled").value;
    assert_eq!(published().await, None);
    assert_eq!(enabled.last_used_at, Some(at + TimeDelta::seconds(61)));

    let revoked = fixture.change(acme, async |tx| tx.revoke_key(acme, key.id).await).await;
    revoked.expect("it is revoked");
    let again = fixture.change(acme, async |tx| tx.enable_key(acme, key.id).await).await;
    assert_eq!(refused_field(again), "key");
}

on_both_databases!(
    a_key_that_nobody_uses_is_disabled_after_a_notice,
    a_rotation_is_announced_then_overdue_then_the_end,
    notice_is_given_once_before_a_key_expires,
    what_is_due_is_done_once_and_not_when_it_is_due_no_more,
    a_disabled_key_is_published_as_such_and_a_use_is_noted_to_the_minute
);
