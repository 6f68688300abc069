//! Reports of a month that is open: they add up to the ledger, whatever they are split by, and come in pages.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_types::api::{ChargebackBy, ChargebackKind, ChargebackQuery};

use super::{Acme, adds_up, at, direct, name, of_keys, past, priced, query, report};
use crate::tests::fixture::Fixture;
use crate::tests::ingesting::record;
use crate::tests::ledger::take_in;
use crate::tests::on_both_databases;

async fn a_report_adds_up_to_the_ledger_whatever_it_is_split_by(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let records = acme.requests(past(), 40);
    let elsewhere = [past().start() - Duration::from_millis(1), past().end()].map(|time| {
        let mut other = at(record(acme.id), time);
        priced(&mut other, 1_000);
        other
    });
    take_in(&fixture, [records.as_slice(), &elsewhere].concat()).await;

    for by in ChargebackBy::ALL {
        let told = report(&fixture, acme.id, &query(past(), by)).await;
        adds_up(&told, &records);
        assert!(
            told.items
                .windows(2)
                .all(|pair| pair[0].sums.total.amount >= pair[1].sums.total.amount)
        );
    }
    let own = |subject: &str| (ChargebackKind::Own, Some(subject.to_owned()));
    let by_centre = direct(&report(&fixture, acme.id, &query(past(), ChargebackBy::CostCentre)).await);
    assert_eq!(
        by_centre.get(&own("CC-SEARCH")),
        Some(&of_keys(&records, &[acme.plain]))
    );
    assert_eq!(
        by_centre.get(&own("CC-SPECIAL")),
        Some(&of_keys(&records, &[acme.special]))
    );
    assert_eq!(
        by_centre.get(&own("CC-ROBOT")),
        Some(&of_keys(&records, &[acme.of_account]))
    );
    assert_eq!(
        by_centre.get(&(ChargebackKind::Shared, None)),
        Some(&of_keys(&records, &[acme.shared]))
    );
    assert_eq!(
        by_centre.get(&(ChargebackKind::Unassigned, None)),
        Some(&of_keys(&records, &[acme.lonely]))
    );
    let by_user = report(&fixture, acme.id, &query(past(), ChargebackBy::User)).await;
    let names: BTreeMap<_, _> = by_user
        .items
        .iter()
        .map(|row| (row.subject.clone(), row.name.clone()))
        .collect();
    assert_eq!(names.get(&Some(acme.ana.to_string())), Some(&Some("ana".to_owned())));
    assert_eq!(
        names.get(&Some(acme.account.to_string())),
        Some(&Some("robot".to_owned()))
    );
    let by_team = report(&fixture, acme.id, &query(past(), ChargebackBy::Team)).await;
    let shared: Vec<_> = by_team
        .items
        .iter()
        .filter(|row| row.kind == ChargebackKind::Shared)
        .collect();
    assert_eq!(
        shared
            .iter()
            .map(|row| (row.subject.clone(), row.name.clone()))
            .collect::<Vec<_>>(),
        [(Some(acme.platform.to_string()), Some("Platform".to_owned()))]
    );
    let by_tag = direct(&report(&fixture, acme.id, &query(past(), ChargebackBy::Tag)).await);
    assert!(
        by_tag.contains_key(&own("apollo")) && by_tag.contains_key(&own("it's \"x\"")),
        "{by_tag:?}"
    );
}

async fn a_report_comes_in_pages(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let mut records = acme.requests(past(), 30);
    for (number, record) in records.iter_mut().enumerate() {
        record.end_user = Some(name(&format!("customer-{}", number % 97)));
    }
    take_in(&fixture, records.clone()).await;
    let whole = report(&fixture, acme.id, &query(past(), ChargebackBy::Customer)).await;

    let mut rows = Vec::new();
    let mut page = ChargebackQuery {
        limit: Some(7),
        ..query(past(), ChargebackBy::Customer)
    };
    loop {
        let told = report(&fixture, acme.id, &page).await;
        assert_eq!(told.sums, whole.sums);
        rows.extend(told.items);
        match told.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }

    assert_eq!(rows, whole.items);
    adds_up(&whole, &records);
}

on_both_databases!(
    a_report_adds_up_to_the_ledger_whatever_it_is_split_by,
    a_report_comes_in_pages,
);
