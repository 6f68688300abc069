//! Editions of the catalogue and organizations' own facts, as they are kept and published.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use gatewright_contract::{Revision, UnitBody, UnitId};
use gatewright_types::api::{
    AutomaticApproval, CatalogDiff, CatalogSchedule, CatalogTry, CatalogTryOutcome, ModelFacts, NewCatalogSchedule,
    NewOverlay, ProviderKind, RefreshState,
};
use gatewright_types::{CatalogRefreshId, HumanDuration, OrganizationId, OverlayId, PageQuery};

use super::fixture::Fixture;
use super::on_both_databases;
use crate::{CatalogRefreshInsert, Place, WriteError};

fn refresh(version: &str, based_on: Option<CatalogRefreshId>) -> CatalogRefreshInsert {
    CatalogRefreshInsert {
        id: CatalogRefreshId::mint(),
        version: version.to_owned(),
        origin: "a test".to_owned(),
        effective_from: Utc::now() - TimeDelta::days(30),
        document: format!("document of {version}"),
        diff: CatalogDiff::default(),
        based_on,
        created_by: "ada@example.test".to_owned(),
    }
}

async fn bring_in(fixture: &Fixture, acme: OrganizationId, refresh: CatalogRefreshInsert) -> CatalogRefreshId {
    let id = refresh.id;
    let made = fixture
        .change(acme, async |tx| tx.create_catalog_refresh(refresh).await)
        .await;
    assert_eq!(made.expect("it is kept").value.refresh.state, RefreshState::Pending);
    id
}

async fn approve(fixture: &Fixture, acme: OrganizationId, id: CatalogRefreshId) -> Result<(), WriteError> {
    let approved = fixture
        .change(acme, async |tx| {
            tx.approve_catalog_refresh(id, "ada@example.test").await
        })
        .await?;
    assert_eq!(approved.value.refresh.decided_by.as_deref(), Some("ada@example.test"));
    Ok(())
}

/// The catalogue's units, and whether each is there.
async fn units(fixture: &Fixture) -> Vec<(CatalogRefreshId, bool)> {
    let units = fixture
        .system()
        .units_since(Place::after_revision(Revision(0)), 100)
        .await
        .expect("units");
    let editions = units.into_iter().filter_map(|unit| match (unit.id, unit.body) {
        (UnitId::Catalog(id), body) => {
            assert_eq!(unit.organization, OrganizationId::INSTALLATION);
            Some((id, body.is_some()))
        }
        _ => None,
    });
    let mut editions: Vec<_> = editions.collect();
    editions.sort();
    editions
}

async fn an_edition_is_published_when_it_is_approved(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let id = bring_in(&fixture, acme, refresh("v1", None)).await;
    assert_eq!(units(&fixture).await, []);
    let before = Utc::now();

    approve(&fixture, acme, id).await.expect("it is approved");

    assert_eq!(units(&fixture).await, [(id, true)]);
    let published = fixture
        .system()
        .published_catalog(id)
        .await
        .expect("a read")
        .expect("it is there");
    assert_eq!(published.document, "document of v1");
    assert!(
        published.effective_from >= before - TimeDelta::seconds(1),
        "not before its approval"
    );
    assert_eq!(fixture.system().published_catalogs().await.expect("ids"), [id]);
    assert_eq!(fixture.system().approved_catalog().await.expect("an id"), Some(id));
    assert!(matches!(
        approve(&fixture, acme, id).await,
        Err(WriteError::Conflict { field: "state", .. })
    ));
}

async fn an_edition_that_was_shown_against_another_one_is_not_approved(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let one = bring_in(&fixture, acme, refresh("v1", None)).await;
    let other = bring_in(&fixture, acme, refresh("v2", None)).await;
    approve(&fixture, acme, one).await.expect("it is approved");

    assert!(matches!(
        approve(&fixture, acme, other).await,
        Err(WriteError::Conflict { field: "state", .. })
    ));
    let state = fixture
        .system()
        .catalog_refresh(other)
        .await
        .expect("a read")
        .expect("it is there");
    assert_eq!(state.refresh.state, RefreshState::Pending);
    let rejected = fixture
        .change(acme, async |tx| tx.reject_catalog_refresh(other, "ada").await)
        .await;
    assert_eq!(
        rejected.expect("it is rejected").value.refresh.state,
        RefreshState::Rejected
    );
    let listed = fixture
        .system()
        .catalog_refreshes(&PageQuery::default())
        .await
        .expect("a list");
    assert_eq!(
        listed.items.iter().map(|refresh| refresh.id).collect::<Vec<_>>(),
        [other, one]
    );
}

async fn only_editions_that_a_request_may_be_priced_by_stay_published(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let mut made = Vec::new();
    let future = CatalogRefreshInsert {
        effective_from: Utc::now() + TimeDelta::days(30),
        ..refresh("later", None)
    };
    made.push(bring_in(&fixture, acme, future).await);
    approve(&fixture, acme, made[0]).await.expect("it is approved");
    for number in 0..5 {
        let id = bring_in(&fixture, acme, refresh(&format!("v{number}"), made.last().copied())).await;
        approve(&fixture, acme, id).await.expect("it is approved");
        made.push(id);
    }

    let there: Vec<_> = units(&fixture).await.into_iter().map(|(_, there)| there).collect();

    assert_eq!(there, [true, false, false, true, true, true]);
    let published = fixture.system().published_catalogs().await.expect("ids");
    assert_eq!(published, [made[3], made[4], made[5], made[0]]);
    assert!(
        fixture
            .system()
            .published_catalog(made[1])
            .await
            .expect("a read")
            .is_none()
    );
}

async fn one_of_several_nodes_makes_a_try_and_another_one_succeeds_it(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (patience, day) = (Duration::from_secs(60), Duration::from_secs(24 * 60 * 60));
    let setting = NewCatalogSchedule {
        url: "https://catalogue.example.test/models.json".to_owned(),
        every: HumanDuration::from_millis(86_400_000),
        approval: AutomaticApproval::Additions,
    };
    let set = async || {
        fixture
            .change(acme, async |tx| tx.set_catalog_schedule(&setting).await)
            .await
            .expect("it is set")
            .value
    };
    let take = async |at| fixture.system().take_catalog_turn(at, patience).await.expect("a look");
    let now = || Utc::now() + TimeDelta::seconds(1);
    assert_eq!(take(now()).await, None);
    let schedule = set().await;
    assert_eq!((schedule.setting.as_ref(), schedule.last_try), (Some(&setting), None));

    let (one, other) = tokio::join!(take(now()), take(now()));

    let turns: Vec<_> = [one, other].into_iter().flatten().collect();
    let [died] = turns.as_slice() else { panic!("{turns:?}") };
    assert_eq!(died.setting, setting);
    assert_eq!(take(now()).await, None, "it is somebody's turn");
    let later = now() + TimeDelta::seconds(61);
    let turn = take(later)
        .await
        .expect("whoever had the turn is not heard of any more");
    let made = |outcome| CatalogTry {
        at: crate::stored::time(later),
        outcome,
        version: Some("catalogue@2026-11-20#0a0b0c0d".to_owned()),
        error: None,
    };
    let end = async |turn, outcome| {
        fixture
            .system()
            .end_catalog_turn(turn, &made(outcome), day)
            .await
            .expect("it is kept");
        fixture.system().catalog_schedule().await.expect("a schedule")
    };
    assert_eq!(
        end(died, CatalogTryOutcome::Failed).await.last_try,
        None,
        "the turn was lost"
    );
    let ended = end(&turn, CatalogTryOutcome::Waiting).await;
    assert_eq!(ended.last_try, Some(made(CatalogTryOutcome::Waiting)));
    assert_eq!(ended.next_try_at, Some(crate::stored::time(later) + TimeDelta::days(1)));
    assert_eq!(take(later).await, None);

    let again = set().await;
    assert_eq!(again.last_try, ended.last_try);
    let turn = take(now()).await.expect("a change is tried at once");
    fixture
        .change(acme, async |tx| tx.remove_catalog_schedule().await)
        .await
        .expect("it is removed");
    assert_eq!(
        end(&turn, CatalogTryOutcome::Approved).await,
        CatalogSchedule::default()
    );
}

async fn own_facts_are_kept_published_and_compiled(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let new = |model: &str, alias: &str| NewOverlay {
        kind: ProviderKind::Openai,
        model: model.parse().expect("a model"),
        facts: ModelFacts {
            context: Some(8_000),
            aliases: vec![alias.parse().expect("a model")],
            ..ModelFacts::default()
        },
    };
    let (id, first) = (OverlayId::mint(), new("gpt-4o", "ours"));

    let made = fixture
        .change(acme, async |tx| tx.create_overlay(acme, id, &first).await)
        .await;

    assert_eq!(made.expect("it is made").value.facts, first.facts);
    let units = fixture
        .system()
        .units_since(Place::after_revision(Revision(0)), 10)
        .await
        .expect("units");
    let body = units
        .into_iter()
        .find(|unit| unit.id == UnitId::Overlay(id))
        .and_then(|unit| unit.body);
    assert!(matches!(body, Some(UnitBody::Overlay(unit)) if unit.facts == first.facts));
    let again = fixture
        .change(acme, async |tx| {
            tx.create_overlay(acme, OverlayId::mint(), &first).await
        })
        .await;
    assert!(
        matches!(again, Err(WriteError::Conflict { field: "model", .. })),
        "{again:?}"
    );
    let taken = new("gpt-4o-mini", "ours");
    let taken = fixture
        .change(acme, async |tx| {
            tx.create_overlay(acme, OverlayId::mint(), &taken).await
        })
        .await;
    assert!(matches!(taken, Err(WriteError::DoesNotCompile(_))), "{taken:?}");

    fixture
        .change(acme, async |tx| tx.delete_overlay(acme, id).await)
        .await
        .expect("it is deleted");
    assert_eq!(fixture.organization(acme).overlay(id).await.expect("a read"), None);
}

on_both_databases!(
    an_edition_is_published_when_it_is_approved,
    an_edition_that_was_shown_against_another_one_is_not_approved,
    only_editions_that_a_request_may_be_priced_by_stay_published,
    one_of_several_nodes_makes_a_try_and_another_one_succeeds_it,
    own_facts_are_kept_published_and_compiled,
);
