//! Requests that are priced anew: each once by a run, in everything that they count in, and what does not add up is found.

use std::time::Duration;

use chrono::{Months, Utc};
use gatewright_contract::{Batch, BudgetShare, Revision, UsageRecord};
use gatewright_types::api::{
    LedgerCheck, LedgerVerificationQuery, NewReprice, PricedAnew, RepriceState, RepriceSums, UsageGroup, UsageQuery,
    UsageSeriesQuery,
};
use gatewright_types::{BudgetId, Money, Month, Nanos, NodeId, OrganizationId, PageQuery, RepriceId, UnitPrice};

use super::fixture::{Fixture, refused_field};
use super::ingesting::records;
use super::on_both_databases;
use crate::adjustments::adjusted_cost;
use crate::{Adjustment, ChargedRequest, RepriceRun, RepriceStep};

const DAY: Duration = Duration::from_secs(86_400);

fn new(reason: &str) -> NewReprice {
    NewReprice {
        from: Utc::now() - DAY,
        to: Utc::now() + DAY,
        provider: None,
        model: None,
        priced_at: None,
        reason: reason.to_owned(),
        dry_run: false,
        as_told_by: None,
    }
}

fn dry(reason: &str) -> NewReprice {
    NewReprice {
        dry_run: true,
        ..new(reason)
    }
}

/// Sixty requests that count in a budget, of which every sixth has no price and every tenth no model of the organization.
async fn counted(fixture: &Fixture) -> (OrganizationId, Vec<UsageRecord>) {
    let acme = fixture.organization_named("acme").await;
    let budget = BudgetId::mint();
    let mut all = records(acme, 60);
    for (number, record) in (0..).zip(&mut all) {
        record.budgets.push(BudgetShare {
            budget,
            from_ms: 0,
            name: None,
        });
        if number % 6 == 0 {
            record.cost = None;
            record.lines.iter_mut().for_each(|line| line.price = None);
        }
        if number % 10 == 0 {
            (record.model, record.model_id) = (Some("invented".to_owned()), None);
        }
    }
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records: all.clone(),
    };
    fixture.system().ingest(&batch).await.expect("the batch comes in");
    (acme, all)
}

async fn begun(fixture: &Fixture, acme: OrganizationId, reason: &str) -> RepriceRun {
    begun_as(fixture, acme, &new(reason)).await
}

async fn begun_as(fixture: &Fixture, acme: OrganizationId, new: &NewReprice) -> RepriceRun {
    let id = RepriceId::mint();
    let run = fixture
        .change(acme, async |tx| tx.create_reprice(acme, id, new, Revision(0)).await)
        .await;
    run.expect("it begins");
    let mut taken = fixture.system().take_up_reprices().await.expect("runs");
    assert_eq!(taken.len(), 1);
    taken.pop().expect("one")
}

/// As if each token cost so much.
fn at(picos: i64, request: ChargedRequest) -> Adjustment {
    let mut lines = request.lines.clone();
    for line in &mut lines {
        line.price = Some(UnitPrice::from_picos(picos));
        line.price_version = Some("price_new".to_owned());
    }
    Adjustment {
        request,
        cost: Nanos::new(22 * picos / 1_000),
        lines,
    }
}

async fn portion(fixture: &Fixture, run: &mut RepriceRun, limit: u64, picos: i64) -> Option<RepriceStep> {
    let scope = fixture.organization(run.organization);
    let requests = scope
        .charged(&run.range, Some(run.position), limit)
        .await
        .expect("requests");
    let position = requests.last()?.id;
    let mut after = run.sums.clone();
    let adjustments: Vec<_> = requests.into_iter().map(|request| at(picos, request)).collect();
    for adjustment in &adjustments {
        after.add(PricedAnew {
            provider: &adjustment.request.provider,
            model: adjustment.request.model.as_ref(),
            before: adjustment.request.cost,
            priced: Ok((adjustment.cost, "price_new")),
        });
    }
    let changed = adjustments.into_iter().filter(|one| one.request.cost != Some(one.cost));
    let changed: Vec<_> = changed.collect();
    let step = fixture
        .adjust(run, &changed, &[], position, &after)
        .await
        .expect("the database");
    if step == RepriceStep::Done {
        (run.position, run.sums) = (position, after);
    }
    Some(step)
}

async fn clean(fixture: &Fixture, acme: OrganizationId) -> bool {
    let query = LedgerVerificationQuery::default();
    let verification = fixture.verify_ledger(acme, &query).await.expect("it is read");
    verification.clean
}

async fn spent(fixture: &Fixture, all: &[UsageRecord]) -> i64 {
    let share = all.first().and_then(|record| record.budgets.first()).expect("a budget");
    let acme = all.first().expect("one").organization;
    let rows = fixture.organization(acme).spent(share.budget, 0).await.expect("rows");
    rows.iter().map(|row| row.cost.get()).sum()
}

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
        assert_eq!(adjustment.price_versions, ["price_new"]);
        assert!(
            !adjustment.price_versions_before.contains(&"price_new".to_owned()),
            "{adjustment:?}"
        );
        let before = row.cost.map_or(Nanos::ZERO, |cost| cost.amount);
        assert_eq!(adjustment.difference.amount, Nanos::new(6_600).saturating_sub(before));
    }
    let sum = format!("SELECT CAST(SUM({}) AS BIGINT) FROM usage u", adjusted_cost("u"));
    assert_eq!(fixture.number(&sum).await, 60 * 6_600);
}

async fn a_dry_run_tells_and_adds_nothing_and_is_forgotten(fixture: Fixture) {
    let (acme, all) = counted(&fixture).await;
    let mut run = begun_as(&fixture, acme, &dry("what if")).await;
    let scope = fixture.organization(acme);
    let (this, now) = (run.id, Utc::now());
    let read = async || scope.reprice(this).await.expect("read").expect("there");

    while portion(&fixture, &mut run, 25, 300_000).await.is_some() {
        let told = read().await;
        assert_eq!((told.state, told.dry_run), (RepriceState::Running, true));
        assert_eq!(told.sums, run.sums);
        assert!(told.looked_up_to.is_some_and(|at| at <= now));
    }
    fixture.end_reprice(&run, None).await.expect("it ends");

    let told = read().await;
    assert_eq!(
        (told.state, told.sums.requests, told.sums.changed),
        (RepriceState::Done, 60, 60)
    );
    assert_eq!(
        (told.sums.before, told.sums.after),
        (Nanos::new(50 * 3_300), Nanos::new(60 * 6_600))
    );
    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage_adjustment").await, 0);
    assert_eq!(spent(&fixture, &all).await, 50 * 3_300);
    assert!(clean(&fixture, acme).await);
    let ends = "SELECT COUNT(*) FROM audit WHERE action = 'reprice.end'";
    assert_eq!(fixture.number(ends).await, 0);

    let long_ago = "UPDATE reprice SET finished_at = '2026-01-01 00:00:00+00:00'";
    fixture.run(long_ago).await;
    let next = begun_as(&fixture, acme, &dry("and now")).await;
    let known = scope.reprices(&PageQuery::default()).await.expect("read").items;
    assert_eq!(known.iter().map(|run| run.id).collect::<Vec<_>>(), [next.id]);
}

/// It knows no `taken_until`.
async fn the_release_before_leaves_dry_runs_alone(fixture: Fixture) {
    let (acme, _) = counted(&fixture).await;
    let free = "SELECT COUNT(*) FROM reprice WHERE finished_at IS NULL AND (busy_until IS NULL OR busy_until < '2100-01-01 00:00:00+00:00')";

    let run = begun_as(&fixture, acme, &dry("what if")).await;
    assert_eq!(fixture.number(free).await, 0);
    fixture.end_reprice(&run, None).await.expect("it ends");
    begun(&fixture, acme, "now").await;
    assert_eq!(fixture.number(free).await, 1);
}

async fn a_run_that_is_cancelled_adds_no_more_and_makes_way(fixture: Fixture) {
    let (acme, _) = counted(&fixture).await;
    let other = fixture.organization_named("other").await;
    let mut run = begun(&fixture, acme, "first").await;
    let id = run.id;
    assert_eq!(portion(&fixture, &mut run, 25, 300_000).await, Some(RepriceStep::Done));

    let foreign = fixture
        .change(other, async |tx| tx.cancel_reprice(other, id).await)
        .await;
    assert_eq!(refused_field(foreign), "reprice");
    let cancelled = fixture.change(acme, async |tx| tx.cancel_reprice(acme, id).await).await;
    cancelled.expect("it is under way");

    assert_eq!(portion(&fixture, &mut run, 25, 300_000).await, Some(RepriceStep::Lost));
    assert_eq!(fixture.end_reprice(&run, None).await.expect("late"), RepriceStep::Lost);
    let told = fixture
        .organization(acme)
        .reprice(id)
        .await
        .expect("read")
        .expect("there");
    assert_eq!((told.state, told.sums.requests), (RepriceState::Cancelled, 25));
    assert!(told.failure.is_some_and(|why| why.ends_with("cancelled it")));
    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage_adjustment").await, 25);
    let again = fixture.change(acme, async |tx| tx.cancel_reprice(acme, id).await).await;
    assert_eq!(refused_field(again), "reprice");
    begun(&fixture, acme, "the rest").await;
}

async fn a_run_does_as_its_dry_run_told_or_is_refused(fixture: Fixture) {
    let (acme, _) = counted(&fixture).await;
    let other = fixture.organization_named("other").await;
    let wanted = dry("what if");
    let dry_run = begun_as(&fixture, acme, &wanted).await;
    let as_told = NewReprice {
        as_told_by: Some(dry_run.id),
        dry_run: false,
        ..wanted
    };
    let begin_as = async |organization, revision, new: &NewReprice| {
        let id = RepriceId::mint();
        let begun = fixture.change(organization, async |tx| {
            tx.create_reprice(organization, id, new, Revision(revision)).await
        });
        begun.await
    };
    let begin = async |organization, revision| begin_as(organization, revision, &as_told).await;

    assert_eq!(refused_field(begin(acme, 0).await), "reprice", "it is under way");
    fixture.end_reprice(&dry_run, None).await.expect("it ends");
    assert_eq!(refused_field(begin(acme, 1).await), "as_told_by", "prices changed");
    assert_eq!(refused_field(begin(other, 0).await), "as_told_by", "another's");
    let longer = NewReprice {
        from: as_told.from - DAY,
        ..as_told.clone()
    };
    assert_eq!(
        refused_field(begin_as(acme, 0, &longer).await),
        "as_told_by",
        "of others"
    );
    assert_eq!(
        begin(acme, 0).await.expect("it begins").value.state,
        RepriceState::Running
    );
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
    let mut back = begun(&fixture, acme, "back").await;
    while portion(&fixture, &mut back, 100, 150_000).await.is_some() {}
    fixture.end_reprice(&back, None).await.expect("it ends");

    assert!(clean(&fixture, acme).await);
    assert_eq!(spent(&fixture, &all).await, 60 * 3_300);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage_adjustment").await, 120);
    let rows = fixture.organization(acme).usage(&UsageQuery::default()).await;
    for row in rows.expect("rows").items {
        let [first, back] = row.adjustments.as_slice() else {
            panic!("{row:?}")
        };
        assert_eq!(
            (first.reason.as_deref(), back.reason.as_deref()),
            (Some("first"), Some("back"))
        );
        assert_eq!(back.price_versions_before, first.price_versions);
        assert_ne!(first.price_versions_before, first.price_versions);
        assert_eq!(back.difference.amount, Nanos::new(-3_300));
        assert_eq!(Some(back.cost), row.adjusted_cost);
    }
    let states = fixture
        .organization(acme)
        .reprices(&Default::default())
        .await
        .expect("runs");
    let states: Vec<_> = states.items.iter().map(|run| run.state).collect();
    assert_eq!(states, [RepriceState::Done, RepriceState::Failed, RepriceState::Done]);
}

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

async fn a_range_that_touches_a_locked_month_is_refused_by_its_name(fixture: Fixture) {
    let (acme, _) = counted(&fixture).await;
    let (from, to) = ("2026-09-15T00:00:00Z", "2026-11-01T00:00:00Z");
    let (from, to) = (from.parse().expect(from), to.parse().expect(to));
    let new = NewReprice {
        from,
        to,
        ..new("late")
    };
    let scope = fixture.organization(acme);
    let organization = match fixture.is_postgres() {
        true => format!("'{}'", acme.uuid()),
        false => format!("x'{}'", acme.uuid().simple()),
    };
    for month in ["2026-11", "2026-10"] {
        assert!(scope.locked_months(from, to).await.expect("it is read").is_empty());
        let lock = format!(
            "INSERT INTO chargeback_month VALUES ({organization}, '{month}', '2026-11-30 00:00:00+00:00', 'ana', \
             'even', 0, 0, 0, 0, 0)"
        );
        fixture.run(&lock).await;
    }

    let id = RepriceId::mint();
    let refused = fixture
        .change(acme, async |tx| tx.create_reprice(acme, id, &new, Revision(0)).await)
        .await;

    let refused = refused.map(drop).expect_err("it is refused").to_string();
    assert!(refused.contains("2026-10 is locked"), "{refused}");
}

async fn a_month_stays_open_while_its_requests_are_priced_anew(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let month = Month::of(Utc::now() - Months::new(2));
    let range = NewReprice {
        from: month.end() - DAY,
        to: month.end() + DAY,
        ..new("a part of it")
    };
    let id = RepriceId::mint();
    let run = fixture.change(acme, async |tx| tx.create_reprice(acme, id, &range, Revision(0)).await);
    run.await.expect("it begins");

    let locked = fixture.prepare_lock(acme, month).await;
    let before = fixture.prepare_lock(acme, Month::of(month.start() - DAY)).await;

    let told = locked.expect_err("it is under way").to_string();
    assert!(
        told.contains(&format!("{id} is pricing requests of {month} anew")),
        "{told}"
    );
    before.expect("nothing of it is priced anew");

    fixture
        .change(acme, async |tx| tx.cancel_reprice(acme, id).await)
        .await
        .expect("it ends");
    let id = RepriceId::mint();
    let dry_run = NewReprice { dry_run: true, ..range };
    let run = fixture.change(acme, async |tx| {
        tx.create_reprice(acme, id, &dry_run, Revision(0)).await
    });
    run.await.expect("it begins");
    fixture
        .prepare_lock(acme, month)
        .await
        .expect("a dry run changes nothing of it");
}

on_both_databases!(
    what_another_organization_has_is_not_told,
    a_dry_run_tells_and_adds_nothing_and_is_forgotten,
    the_release_before_leaves_dry_runs_alone,
    a_run_that_is_cancelled_adds_no_more_and_makes_way,
    a_run_does_as_its_dry_run_told_or_is_refused,
    a_month_stays_open_while_its_requests_are_priced_anew,
    each_request_is_adjusted_once_in_everything_it_counts_in,
    a_second_run_adds_the_difference_and_one_runs_at_a_time,
    a_tampered_adjustment_is_found,
    adjustments_go_with_their_requests,
    only_requests_of_the_range_are_looked_at,
    a_range_that_touches_a_locked_month_is_refused_by_its_name,
);
