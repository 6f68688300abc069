//! Months that are locked, or are to be, and runs.

use chrono::{Months, Utc};
use gatewright_contract::Revision;
use gatewright_types::api::NewReprice;
use gatewright_types::{Month, RepriceId};

use super::{DAY, counted, new};
use crate::tests::fixture::Fixture;
use crate::tests::on_both_databases;

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
    a_range_that_touches_a_locked_month_is_refused_by_its_name,
    a_month_stays_open_while_its_requests_are_priced_anew,
);
