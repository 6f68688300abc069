//! Who bears what is nobody's own.

use gatewright_types::Nanos;
use gatewright_types::api::{ChargebackBy, ChargebackKind, SharedCost};

use super::{Acme, adds_up, centre, direct, of_keys, past, query, report};
use crate::tests::fixture::Fixture;
use crate::tests::ledger::take_in;
use crate::tests::on_both_databases;

async fn the_organization_has_a_cost_centre_for_all_others(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let records = acme.requests(past(), 10);
    take_in(&fixture, records.clone()).await;

    let centre = centre("CC-REST");
    let changed = fixture.change(acme.id, async |tx| tx.change_cost_centre(acme.id, Some(&centre)).await);
    changed.await.expect("it is changed");

    let by_centre = direct(&report(&fixture, acme.id, &query(past(), ChargebackBy::CostCentre)).await);
    let rest = (ChargebackKind::Own, Some("CC-REST".to_owned()));
    assert_eq!(by_centre.get(&rest), Some(&of_keys(&records, &[acme.lonely])));
    assert!(
        !by_centre.contains_key(&(ChargebackKind::Unassigned, None)),
        "{by_centre:?}"
    );
}

async fn shared_cost_is_borne_as_the_organization_says(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let records = acme.requests(past(), 20);
    take_in(&fixture, records.clone()).await;

    for shared_cost in [SharedCost::Proportional, SharedCost::Even] {
        let changed = fixture.change(acme.id, async |tx| tx.change_shared_cost(acme.id, shared_cost).await);
        changed.await.expect("it is changed");
        for by in ChargebackBy::ALL {
            let told = report(&fixture, acme.id, &query(past(), by)).await;

            adds_up(&told, &records);
            for row in &told.items {
                let bears = row.kind == ChargebackKind::Own;
                assert_eq!(row.sums.shared.amount > Nanos::ZERO, bears, "{by:?} {row:?}");
                assert!(bears || row.sums.total.amount == Nanos::ZERO, "{by:?} {row:?}");
            }
        }
    }
}

on_both_databases!(
    the_organization_has_a_cost_centre_for_all_others,
    shared_cost_is_borne_as_the_organization_says,
);
