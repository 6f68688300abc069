//! What the configuration feed reads: every unit, in order, none skipped.

use std::collections::BTreeSet;
use std::time::Duration;

use gatewright_contract::{Revision, Unit, UnitId};
use gatewright_types::TeamId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::fixture::{Fixture, display_name, is_key, new_key, team_change};
use super::on_both_databases;
use crate::{Place, System};

const DEADLINE: Duration = Duration::from_secs(60);

async fn a_follower_sees_every_unit_of_concurrent_writes(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let mut writers = JoinSet::new();
    let mut expected = BTreeSet::new();
    for number in 0..20 {
        let key = new_key(&format!("key {number}"));
        expected.insert(UnitId::Key(key.digest));
        let db = fixture.opened_again().await;
        writers.spawn(async move {
            let change = crate::Change::new(acme, "key.create", key.id, serde_json::json!({}));
            let written = db
                .write(&super::fixture::actor(), change, async |tx| {
                    tx.create_key(acme, &key).await
                })
                .await;
            written.expect("the key is made").revision
        });
    }

    let mut place = Place::after_revision(Revision(1));
    let mut seen = Vec::new();
    let follow = async {
        while seen.len() < expected.len() {
            let units = fixture.system().units_since(place, 3).await.expect("the feed");
            if let Some(last) = units.last() {
                place = Place::after_unit(last);
            }
            seen.extend(units);
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, follow).await.expect("all units are seen in time");
    let mut revisions = writers.join_all().await;

    revisions.sort();
    assert_eq!(revisions, (2..22).map(Revision).collect::<Vec<_>>());
    assert_eq!(seen.iter().map(|unit| unit.revision).collect::<Vec<_>>(), revisions);
    assert_eq!(seen.iter().map(|unit| unit.id).collect::<BTreeSet<_>>(), expected);
}

async fn pages_go_on_within_a_revision(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let written = fixture.change(acme, async |tx| {
        for number in 0..7 {
            tx.create_key(acme, &new_key(&format!("key {number}"))).await?;
            tx.create_team(acme, TeamId::mint(), &display_name(&format!("team {number}")))
                .await?;
        }
        Ok(())
    });
    let revision = written.await.expect("all are made").revision;

    let units = all_units(fixture.system(), 4).await;

    assert_eq!(units.len(), 1 + 14);
    assert_eq!(units.iter().filter(|unit| unit.revision == revision).count(), 14);
    assert_eq!(units.iter().filter(|unit| is_key(unit.id)).count(), 7);
    let distinct: BTreeSet<_> = units.iter().map(|unit| unit.id).collect();
    assert_eq!(distinct.len(), units.len());
}

async fn a_unit_changed_again_is_read_once_at_its_last_revision(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let id = TeamId::mint();
    fixture
        .change(acme, async |tx| tx.create_team(acme, id, &display_name("a")).await)
        .await
        .expect("a team");
    let renamed = fixture
        .change(acme, async |tx| tx.change_team(acme, id, &team_change("b")).await)
        .await;

    let units = all_units(fixture.system(), 100).await;

    let [_, unit] = units.as_slice() else {
        panic!("two units: {units:?}")
    };
    assert_eq!(
        (unit.id, unit.revision),
        (UnitId::Team(id), renamed.expect("it is renamed").revision)
    );
}

async fn kinds_of_a_later_release_are_left_alone(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let later = "INSERT INTO config_unit (organization, kind, unit, revision, body) SELECT organization, 'guardrail', \
                 'guardrail_1', 9, '{}' FROM config_unit";
    fixture.run(later).await;

    assert_eq!(all_units(fixture.system(), 100).await.len(), 1);
    let team = fixture
        .change(acme, async |tx| {
            tx.create_team(acme, TeamId::mint(), &display_name("a")).await
        })
        .await;
    assert!(team.is_ok(), "{team:?}");
}

async fn all_units(system: System<'_>, limit: u32) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    loop {
        let place = units
            .last()
            .map_or(Place::after_revision(Revision(0)), Place::after_unit);
        let page = system.units_since(place, limit).await.expect("the feed");
        if page.is_empty() {
            return units;
        }
        units.extend(page);
    }
}

on_both_databases!(
    a_follower_sees_every_unit_of_concurrent_writes,
    pages_go_on_within_a_revision,
    a_unit_changed_again_is_read_once_at_its_last_revision,
    kinds_of_a_later_release_are_left_alone,
);
