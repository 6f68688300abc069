//! Runs go through their requests once, wherever these count, and one after another.

use std::time::Duration;

use chrono::Utc;
use gatewright_contract::Revision;
use gatewright_types::api::{
    LedgerVerificationQuery, RepriceState, RepriceSums, UsageGroup, UsageQuery, UsageSeriesQuery,
};
use gatewright_types::{Money, Nanos, RepriceId};

use super::{DAY, begun, clean, counted, new, portion, spent, version};
use crate::adjustments::adjusted_cost;
use crate::tests::fixture::{Fixture, refused_field};
use crate::tests::on_both_databases;
use crate::{RepriceRun, RepriceStep};

async fn each_request_is_adjusted_once_in_everything_it_counts_in(fixture: Fixture) {
    let (acme, all) = counted(&fixture).await;
    let mut run = begun(&fixture, acme, "the price was wrong").await;
    let mut late = run.clone();

    assert_eq!(portion(&fixture, &mut run, 25, 300_000).await, Some(RepriceStep::Done));
    assert_eq!(portion(&fixture, &mut late, 40, 300_000).await, Some(RepriceStep::Lost));
    assert!(clean(&fixture, acme).await, "half way");
    assert!(fixture.system().take_up_reprices().await.expect("runs").is_empty());
    while portion(&fixture, &mut run, 25, 300_000).await.is_some() {}
    assert_eq!(
        fixture.end_reprice(&run, None).await.expect("it ends"),
        RepriceStep::Done
    );
    assert_eq!(fixture.end_reprice(&run, None).await.expect("again"), RepriceStep::Lost);

    let query = LedgerVerificationQuery::default();
    let verification = fixture.verify_ledger(acme, &query).await.expect("it is read");
    assert!(verification.clean, "{verification:#?}");
    assert_eq!(verification.cost, Nanos::new(60 * 6_600));
    let told = fixture
        .organization(acme)
        .reprice(run.id)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(told.state, RepriceState::Done);
    let RepriceSums {
        requests,
        changed,
        before,
        after,
        ..
    } = told.sums;
    assert_eq!((requests, changed), (60, 60));
    assert_eq!((before, after), (Nanos::new(50 * 3_300), Nanos::new(60 * 6_600)));
    assert_eq!(spent(&fixture, &all).await, 60 * 6_600);

    let series = UsageSeriesQuery::new(Utc::now() - DAY, Utc::now() + DAY, UsageGroup::Model);
    let series = fixture.organization(acme).usage_series(&series).await.expect("sums");
    assert_eq!(
        (series.totals.cost, series.totals.unpriced),
        (Nanos::new(60 * 6_600), 0)
    );
    let of_none = series.buckets.iter().filter(|bucket| bucket.group.is_none());
    assert_eq!(of_none.map(|bucket| bucket.totals.cost.get()).sum::<i64>(), 6 * 6_600);

    let rows = fixture
        .organization(acme)
        .usage(&UsageQuery::default())
        .await
        .expect("rows")
        .items;
    for row in &rows {
        assert_eq!(row.adjusted_cost, Some(Money::from(Nanos::new(6_600))));
        assert_ne!(row.cost, row.adjusted_cost);
        let [adjustment] = row.adjustments.as_slice() else {
            panic!("{row:?}")
        };
        assert_eq!(adjustment.reason.as_deref(), Some("the price was wrong"));
        assert_eq!(adjustment.created_by.as_deref(), Some("ada@example.test"));
        assert_eq!(adjustment.price_versions, [version(300_000)]);
        assert!(
            !adjustment.price_versions_before.contains(&version(300_000)),
            "{adjustment:?}"
        );
        let before = row.cost.map_or(Nanos::ZERO, |cost| cost.amount);
        assert_eq!(adjustment.difference.amount, Nanos::new(6_600).saturating_sub(before));
    }
    let sum = format!("SELECT CAST(SUM({}) AS BIGINT) FROM usage u", adjusted_cost("u"));
    assert_eq!(fixture.number(&sum).await, 60 * 6_600);
}

async fn a_second_run_adds_the_difference_and_one_runs_at_a_time(fixture: Fixture) {
    let (acme, all) = counted(&fixture).await;
    let mut run = begun(&fixture, acme, "first").await;
    let id = RepriceId::mint();
    let other = fixture
        .change(acme, async |tx| {
            tx.create_reprice(acme, id, &new("too soon"), Revision(0)).await
        })
        .await;
    assert_eq!(refused_field(other), "reprice");
    while portion(&fixture, &mut run, 100, 300_000).await.is_some() {}
    fixture.end_reprice(&run, None).await.expect("it ends");

    let mut again = begun(&fixture, acme, "again").await;
    while portion(&fixture, &mut again, 100, 300_000).await.is_some() {}
    assert_eq!((again.sums.requests, again.sums.changed), (60, 0));
    fixture
        .end_reprice(&again, Some("prices changed"))
        .await
        .expect("it ends");
    for (reason, picos) in [("back", 150_000), ("between", 200_000)] {
        let mut next = begun(&fixture, acme, reason).await;
        while portion(&fixture, &mut next, 100, picos).await.is_some() {}
        fixture.end_reprice(&next, None).await.expect("it ends");
    }

    assert!(clean(&fixture, acme).await);
    assert_eq!(spent(&fixture, &all).await, 60 * 4_400);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage_adjustment").await, 180);
    let rows = fixture.organization(acme).usage(&UsageQuery::default()).await;
    for row in rows.expect("rows").items {
        let [first, back, between] = row.adjustments.as_slice() else {
            panic!("{row:?}")
        };
        let reasons = [first, back, between].map(|one| one.reason.as_deref());
        assert_eq!(reasons, [Some("first"), Some("back"), Some("between")]);
        assert_ne!(first.price_versions_before, first.price_versions);
        for (one, next, picos, difference) in [(first, back, 150_000, -3_300), (back, between, 200_000, 1_100)] {
            assert_eq!(next.price_versions_before, one.price_versions);
            assert_eq!(next.price_versions, [version(picos)]);
            assert_eq!(next.difference.amount, Nanos::new(difference));
        }
        assert_eq!(Some(between.cost), row.adjusted_cost);
    }
    let states = fixture
        .organization(acme)
        .reprices(&Default::default())
        .await
        .expect("runs");
    let states: Vec<_> = states.items.iter().map(|run| run.state).collect();
    let [done, failed] = [RepriceState::Done, RepriceState::Failed];
    assert_eq!(states, [done, done, failed, done]);
}

async fn only_requests_of_the_range_are_looked_at(fixture: Fixture) {
    let (acme, mut all) = counted(&fixture).await;
    let mut run = begun(&fixture, acme, "first").await;
    let scope = fixture.organization(acme);
    let count = async |run: &RepriceRun, after| scope.charged(&run.range, after, 100).await.expect("requests").len();
    let first = all.remove(0);

    assert_eq!(count(&run, None).await, 60);
    assert_eq!(count(&run, Some(first.id)).await, 59);
    run.range.from = first.started_at + Duration::from_millis(30);
    run.range.to = first.started_at + Duration::from_millis(40);
    assert_eq!(count(&run, Some(first.id)).await, 10);
    run.range.model = "gpt-4o".parse().ok();
    run.range.provider = "openai".parse().ok();
    assert_eq!(count(&run, Some(first.id)).await, 10);
    run.range.model = "other".parse().ok();
    assert_eq!(count(&run, Some(first.id)).await, 0);
    run.range.model = None;
    run.range.provider = "other".parse().ok();
    assert_eq!(count(&run, Some(first.id)).await, 0);
}

on_both_databases!(
    each_request_is_adjusted_once_in_everything_it_counts_in,
    a_second_run_adds_the_difference_and_one_runs_at_a_time,
    only_requests_of_the_range_are_looked_at,
);
