//! What a month came to by days, keys, models, tags, units and prices.

use std::collections::{BTreeMap, BTreeSet};

use gatewright_types::Nanos;

use super::{Acme, charged, charges, cost, past};
use crate::ChargeUnit;
use crate::tests::fixture::Fixture;
use crate::tests::ledger::take_in;
use crate::tests::on_both_databases;

async fn charges_are_of_a_day_a_key_a_model_a_unit_and_a_price(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let records = acme.requests(past(), 40);
    take_in(&fixture, records.clone()).await;

    let all = charges(&fixture, acme.id, past()).await;

    let (ledger, units) = charged(&all);
    let picos: i128 = records
        .iter()
        .flat_map(|record| &record.lines)
        .filter_map(|line| Some(line.price?.times(line.quantity)))
        .sum();
    assert_eq!((ledger, units), (cost(&records), picos));
    let mut seen: Vec<_> = all.iter().map(|charge| format!("{charge:?}")).collect();
    let before = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), before, "a charge is there twice");
    let special = all
        .iter()
        .find(|charge| charge.of.key == acme.special)
        .expect("it has some");
    assert_eq!(special.of.cost_centre.as_deref(), Some("CC-SPECIAL"));
    assert_eq!(special.of.team_name.as_deref(), Some("Search"));
}

async fn charges_are_told_by_the_tags_of_their_requests(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let records = acme.requests(past(), 40);
    take_in(&fixture, records.clone()).await;

    let all = charges(&fixture, acme.id, past()).await;

    // By the ledger, and by units and prices.
    let mut expected: BTreeMap<BTreeMap<_, _>, (i64, i128)> = BTreeMap::new();
    for record in &records {
        let tags = record.tags.iter();
        let tags = tags.map(|(name, value)| (name.clone(), value.to_string())).collect();
        let sums = expected.entry(tags).or_default();
        sums.0 += record.cost.map_or(0, Nanos::get);
        let lines = record.lines.iter();
        sums.1 += lines
            .filter_map(|line| Some(line.price?.times(line.quantity)))
            .sum::<i128>();
    }
    let mut found: BTreeMap<BTreeMap<_, _>, (i64, i128)> = BTreeMap::new();
    for charge in &all {
        let (ledger, units) = charged(std::slice::from_ref(charge));
        let sums = found.entry(charge.of.tags.clone()).or_default();
        *sums = (sums.0 + ledger, sums.1 + units);
    }
    assert_eq!(expected.len(), 3, "none, and two projects");
    assert_eq!(found, expected);
    let wholes = all.iter().filter(|charge| matches!(charge.unit, ChargeUnit::Whole(_)));
    let of: BTreeSet<_> = wholes.clone().map(|charge| format!("{:?}", charge.of)).collect();
    assert_eq!(of.len(), wholes.count(), "one for each day, key, model and tags");
}

on_both_databases!(
    charges_are_of_a_day_a_key_a_model_a_unit_and_a_price,
    charges_are_told_by_the_tags_of_their_requests,
);
