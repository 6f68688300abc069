//! Dry runs tell and add nothing, and runs do as these told.

use chrono::Utc;
use gatewright_contract::Revision;
use gatewright_types::api::{NewReprice, RepriceState};
use gatewright_types::{Nanos, PageQuery, RepriceId};

use super::{DAY, begun, begun_as, clean, counted, dry, portion, spent};
use crate::tests::fixture::{Fixture, refused_field};
use crate::tests::on_both_databases;

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

on_both_databases!(
    a_dry_run_tells_and_adds_nothing_and_is_forgotten,
    the_release_before_leaves_dry_runs_alone,
    a_run_does_as_its_dry_run_told_or_is_refused,
);
