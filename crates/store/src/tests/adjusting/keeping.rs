//! What was added: told to nobody else, tampered with by nobody, and gone with its requests.

use chrono::Utc;
use gatewright_types::api::{LedgerCheck, LedgerVerificationQuery, UsageQuery};
use gatewright_types::{Money, Nanos, RepriceId};

use super::{DAY, begun, clean, counted, portion, spent};
use crate::tests::fixture::Fixture;
use crate::tests::on_both_databases;

/// Even where identifiers are the same.
async fn what_another_organization_has_is_not_told(fixture: Fixture) {
    let (acme, all) = counted(&fixture).await;
    let other = fixture.organization_named("other").await;
    let mut run = begun(&fixture, acme, "ours").await;
    while portion(&fixture, &mut run, 100, 300_000).await.is_some() {}
    fixture.end_reprice(&run, None).await.expect("it ends");
    let id = |id: uuid::Uuid| match fixture.is_postgres() {
        true => format!("'{id}'"),
        false => format!("x'{}'", id.simple()),
    };
    let (acme_id, other_id) = (id(acme.uuid()), id(other.uuid()));

    fixture
        .run(&format!(
            "INSERT INTO usage_adjustment SELECT {other_id}, request, {}, started_at, 7, 7, priced, lines, created_at \
             FROM usage_adjustment WHERE organization = {acme_id}",
            id(RepriceId::mint().uuid())
        ))
        .await;
    let first = all.first().expect("one").id;
    let rows = fixture
        .organization(acme)
        .usage(&UsageQuery::default())
        .await
        .expect("rows")
        .items;
    let one = fixture.organization(acme).usage_row(first).await.expect("read");
    for row in rows.iter().chain(&one) {
        assert_eq!(row.adjustments.len(), 1, "{row:?}");
        assert_eq!(row.adjusted_cost, Some(Money::from(Nanos::new(6_600))));
    }
    assert_eq!(fixture.organization(other).usage_row(first).await.expect("read"), None);
    assert_eq!(fixture.organization(other).reprice(run.id).await.expect("read"), None);

    fixture
        .run(&format!(
            "UPDATE reprice SET organization = {other_id}, reason = 'theirs'"
        ))
        .await;
    let row = fixture
        .organization(acme)
        .usage_row(first)
        .await
        .expect("read")
        .expect("there");
    assert!(
        row.adjustments
            .iter()
            .all(|one| one.reason.is_none() && one.created_by.is_none()),
        "{row:?}"
    );
}

async fn a_tampered_adjustment_is_found(fixture: Fixture) {
    let (acme, _) = counted(&fixture).await;
    let mut run = begun(&fixture, acme, "first").await;
    while portion(&fixture, &mut run, 100, 300_000).await.is_some() {}
    fixture.end_reprice(&run, None).await.expect("it ends");
    let found = async || {
        let query = LedgerVerificationQuery::default();
        let verification = fixture.verify_ledger(acme, &query).await.expect("it is read");
        let wrong = verification.checks.into_iter().filter(|check| check.differences > 0);
        wrong.map(|check| check.check).collect::<Vec<_>>()
    };
    let one = "request = (SELECT request FROM usage_adjustment ORDER BY request LIMIT 1)";
    assert!(found().await.is_empty());

    let sums = [
        LedgerCheck::Minutes,
        LedgerCheck::Hours,
        LedgerCheck::Days,
        LedgerCheck::BudgetSpend,
    ];
    let both = [&[LedgerCheck::Adjustments][..], &sums].concat();
    fixture
        .run(&format!(
            "UPDATE usage_adjustment SET delta_nanos = delta_nanos + 1 WHERE {one}"
        ))
        .await;
    assert_eq!(found().await, both);
    fixture
        .run(&format!(
            "UPDATE usage_adjustment SET delta_nanos = delta_nanos - 1 WHERE {one}"
        ))
        .await;
    fixture
        .run(&format!("UPDATE usage_adjustment SET priced = NOT priced WHERE {one}"))
        .await;
    assert_eq!(found().await, [LedgerCheck::Adjustments]);
    fixture.run(&format!("DELETE FROM usage_adjustment WHERE {one}")).await;
    assert_eq!(found().await, sums);
}

async fn adjustments_go_with_their_requests(fixture: Fixture) {
    let (acme, all) = counted(&fixture).await;
    let mut run = begun(&fixture, acme, "first").await;
    while portion(&fixture, &mut run, 100, 300_000).await.is_some() {}
    fixture.end_reprice(&run, None).await.expect("it ends");
    let later = Utc::now() + 40 * DAY;
    fixture.system().make_usage_parts(later).await.expect("parts are made");

    fixture
        .system()
        .remove_usage_before(later, Utc::now())
        .await
        .expect("old ones go");

    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage_adjustment").await, 0);
    assert_eq!(spent(&fixture, &all).await, 60 * 6_600);
    assert!(clean(&fixture, acme).await);
}

on_both_databases!(
    what_another_organization_has_is_not_told,
    a_tampered_adjustment_is_found,
    adjustments_go_with_their_requests,
);
