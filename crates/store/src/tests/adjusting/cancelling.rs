//! Runs that end before their time.

use gatewright_types::api::RepriceState;

use super::{begun, counted, portion};
use crate::RepriceStep;
use crate::tests::fixture::{Fixture, refused_field};
use crate::tests::on_both_databases;

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

on_both_databases!(a_run_that_is_cancelled_adds_no_more_and_makes_way,);
