//! A rotated key stays itself: two secrets open it for a while, then one.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use gatewright_contract::{Digest, KeyUnit, UnitBody};
use gatewright_types::api::{DisabledReason, Key, KeyChange};
use gatewright_types::{KeyId, OrganizationId};

use super::fixture::{Fixture, new_key, refused_field};
use super::on_both_databases;
use crate::{KeyInsert, KeyOfSecret, Rotated, Rotation, WriteError};

const DAY: Duration = Duration::from_secs(86_400);

fn rotation(secret: &str, grace: Duration) -> Rotation {
    Rotation {
        digest: Digest::of(secret.as_bytes()),
        hint: secret.chars().take(4).collect(),
        grace,
        idempotency_key: None,
    }
}

async fn rotate(
    fixture: &Fixture,
    acme: OrganizationId,
    key: KeyId,
    rotation: &Rotation,
) -> Result<Rotated, WriteError> {
    let rotated = fixture
        .change(acme, async |tx| tx.rotate_key(acme, key, rotation).await)
        .await;
    rotated.map(|written| written.value)
}

fn done(rotated: Result<Rotated, WriteError>) -> Key {
    match rotated.expect("it is rotated") {
        Rotated::Done(key) => key,
        Rotated::Before(key) => panic!("it was rotated before: {key:?}"),
    }
}

/// What nodes know under a secret.
async fn published(fixture: &Fixture, digest: &Digest) -> Option<KeyUnit> {
    let unit = fixture.system().key_unit(digest).await.expect("the feed")?;
    match unit.body? {
        UnitBody::Key(key) => Some(key),
        other => panic!("no key: {other:?}"),
    }
}

async fn both_secrets_open_the_key_until_the_grace_is_over(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let first = new_key("prod");
    let made = fixture.change(acme, async |tx| tx.create_key(acme, &first).await).await;
    made.expect("a key");
    let second = rotation("second", DAY);

    let key = done(rotate(&fixture, acme, first.id, &second).await);

    assert_eq!((key.id, key.hint.as_str()), (first.id, "seco"));
    assert_eq!(
        key.former_secrets.first().map(|former| former.hint.as_str()),
        Some("wxyz")
    );
    let (old, new) = (
        published(&fixture, &first.digest).await,
        published(&fixture, &second.digest).await,
    );
    let (old, new) = (old.expect("the old secret works"), new.expect("the new secret works"));
    assert_eq!((old.id, new.id), (first.id, first.id));
    assert_eq!(
        old.former_until,
        key.former_secrets.first().map(|former| former.ends_at)
    );
    assert_eq!(new.former_until, None);

    // A change reaches both.
    let named = KeyChange {
        name: "renamed".parse().expect("a name"),
        ..KeyChange::keeping(&key)
    };
    let changed = fixture
        .change(acme, async |tx| tx.change_key(acme, key.id, &named).await)
        .await;
    changed.expect("it is renamed");
    for digest in [&first.digest, &second.digest] {
        let unit = published(&fixture, digest).await.expect("it works");
        assert_eq!(unit.name.as_ref().map(|name| name.as_str()), Some("renamed"));
    }

    let now = Utc::now();
    let system = fixture.system();
    assert_eq!(system.keys_with_secrets_over(now).await.expect("a list"), []);
    let later = now + TimeDelta::days(2);
    assert_eq!(
        system.keys_with_secrets_over(later).await.expect("a list"),
        [(acme, first.id)]
    );
    let end = async || {
        fixture
            .change(acme, async |tx| tx.end_secrets_over(acme, first.id, later).await)
            .await
    };
    end().await.expect("it ends");
    assert!(matches!(end().await, Err(WriteError::NotFound)), "it has ended");
    assert_eq!(published(&fixture, &first.digest).await, None);
    assert!(published(&fixture, &second.digest).await.is_some());
}

async fn a_rotation_is_made_once_for_each_idempotency_key(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (key, _) = fixture.key_named(acme, "prod").await;
    let keyed = |secret, idempotency_key: &str| Rotation {
        idempotency_key: Some(idempotency_key.to_owned()),
        ..rotation(secret, DAY)
    };

    let first = done(rotate(&fixture, acme, key.id, &keyed("second", "a")).await);
    let again = rotate(&fixture, acme, key.id, &keyed("third", "a")).await;
    assert_eq!(again.expect("an answer"), Rotated::Before(first));
    assert_eq!(published(&fixture, &Digest::of(b"third")).await, None);

    let other = done(rotate(&fixture, acme, key.id, &keyed("fourth", "b")).await);
    assert_eq!(other.former_secrets.len(), 2);
}

async fn rotating_within_the_grace_leaves_each_secret_its_own(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (key, _) = fixture.key_named(acme, "prod").await;

    done(rotate(&fixture, acme, key.id, &rotation("second", DAY)).await);
    let key = done(rotate(&fixture, acme, key.id, &rotation("third", Duration::ZERO)).await);

    // The second one, which nobody was to go on using, is over; the first one, which everybody uses, is not.
    assert_eq!(key.former_secrets.len(), 1);
    assert_eq!(published(&fixture, &Digest::of(b"second")).await, None);
    for number in 0..4 {
        done(rotate(&fixture, acme, key.id, &rotation(&format!("more {number}"), DAY)).await);
    }
    let one_too_many = rotate(&fixture, acme, key.id, &rotation("too many", DAY)).await;
    assert_eq!(refused_field(one_too_many), "rotation");

    let ended = fixture
        .change(acme, async |tx| tx.end_rotation(acme, key.id).await)
        .await;
    assert_eq!(ended.expect("it ends").value.former_secrets, []);
    assert_eq!(published(&fixture, &Digest::of(b"more 2")).await, None);
    assert!(published(&fixture, &Digest::of(b"more 3")).await.is_some());
}

async fn a_key_may_go_back_to_a_secret_of_its_own(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (key, _) = fixture.key_named(acme, "prod").await;
    done(rotate(&fixture, acme, key.id, &rotation("second", DAY)).await);
    done(rotate(&fixture, acme, key.id, &rotation("third", DAY)).await);

    let back = done(rotate(&fixture, acme, key.id, &rotation("second", Duration::ZERO)).await);

    assert_eq!((back.hint.as_str(), back.former_secrets.len()), ("seco", 1));
    let unit = published(&fixture, &Digest::of(b"second")).await.expect("it works");
    assert_eq!(unit.former_until, None);
    assert_eq!(published(&fixture, &Digest::of(b"third")).await, None);
}

async fn a_secret_from_before_goes_with_its_key_and_opens_nothing_else(fixture: Fixture) {
    let (acme, other) = (
        fixture.organization_named("acme").await,
        fixture.organization_named("other").await,
    );
    let first = new_key("prod");
    let made = fixture.change(acme, async |tx| tx.create_key(acme, &first).await).await;
    made.expect("a key");
    done(rotate(&fixture, acme, first.id, &rotation("second", DAY)).await);
    let same_secret = KeyInsert {
        digest: first.digest,
        ..new_key("thief")
    };
    let take = async |organization| {
        fixture
            .change(organization, async |tx| tx.create_key(organization, &same_secret).await)
            .await
    };

    assert_eq!(refused_field(take(acme).await), "secret");
    assert_eq!(refused_field(take(other).await), "secret");
    let revoked = fixture
        .change(acme, async |tx| tx.revoke_key(acme, first.id).await)
        .await;
    revoked.expect("it is revoked");

    assert_eq!(published(&fixture, &first.digest).await, None);
    assert_eq!(published(&fixture, &Digest::of(b"second")).await, None);
    assert_eq!(refused_field(take(other).await), "secret");
    let again = rotate(&fixture, acme, first.id, &rotation("third", DAY)).await;
    assert_eq!(refused_field(again), "key");
}

async fn rotating_enables_a_key_that_nobody_rotated_in_time(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let mut strict = new_key("strict");
    strict.upkeep.rotate_every = Some("1d".parse().expect("a time"));
    strict.upkeep.disable_overdue_after = Some("1d".parse().expect("a time"));
    let made = fixture
        .change(acme, async |tx| tx.create_key(acme, &strict).await)
        .await;
    let made = made.expect("a key").value;
    let due = async |now| fixture.system().due_keys(now).await.expect("a list");
    let late = made.created_at + TimeDelta::days(2);
    let due_then = due(late).await;
    let act = due_then.first().expect("it is overdue");
    let disabled = fixture.change(acme, async |tx| tx.act_on_key(act, late).await).await;
    disabled.expect("it is disabled");
    let key = async || {
        fixture
            .organization(acme)
            .key(strict.id)
            .await
            .expect("a row")
            .expect("it is there")
    };
    assert_eq!(
        key().await.disabled.map(|disabled| disabled.reason),
        Some(DisabledReason::RotationOverdue)
    );

    let rotated = done(rotate(&fixture, acme, strict.id, &rotation("second", Duration::ZERO)).await);

    assert_eq!(rotated.disabled, None);
    assert!(rotated.rotation_due_at > made.rotation_due_at);
}

async fn a_leaked_secret_shuts_what_it_opens_and_no_more(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let first = new_key("prod");
    let made = fixture.change(acme, async |tx| tx.create_key(acme, &first).await).await;
    made.expect("a key");
    done(rotate(&fixture, acme, first.id, &rotation("second", DAY)).await);
    let second = Digest::of(b"second");
    let find = async |digest: &Digest| fixture.system().key_of_secret(digest).await.expect("a look-up");
    let shut = async |leaked: KeyOfSecret, digest: Digest| {
        let shut = fixture
            .change(acme, async |tx| tx.shut_leak(leaked, &digest).await)
            .await;
        shut.expect("it is shut");
    };

    let former = find(&first.digest).await.expect("it works");
    assert!(former.is_former);
    shut(former, first.digest).await;
    assert_eq!(find(&first.digest).await, None);
    assert!(
        published(&fixture, &second).await.is_some(),
        "the key has another secret"
    );

    let current = find(&second).await.expect("it works");
    shut(current, second).await;
    assert_eq!(published(&fixture, &second).await, None);
    assert_eq!(find(&second).await, None);
}

on_both_databases!(
    both_secrets_open_the_key_until_the_grace_is_over,
    a_rotation_is_made_once_for_each_idempotency_key,
    rotating_within_the_grace_leaves_each_secret_its_own,
    a_key_may_go_back_to_a_secret_of_its_own,
    a_secret_from_before_goes_with_its_key_and_opens_nothing_else,
    rotating_enables_a_key_that_nobody_rotated_in_time,
    a_leaked_secret_shuts_what_it_opens_and_no_more
);
