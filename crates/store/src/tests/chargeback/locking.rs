//! A month that is locked stays as it was, and only one that is over and whole is locked.

use std::time::Duration;

use chrono::{Months, Utc};
use gatewright_types::api::{ChargebackBy, ChargebackKind, ChargebackQuery, SharedCost};
use gatewright_types::{Month, PageQuery};

use super::{Acme, adds_up, at, centre, charged, charges, cost, lock, organization, past, query, report};
use crate::tests::fixture::{Fixture, team_change};
use crate::tests::ingesting::record;
use crate::tests::ledger::take_in;
use crate::tests::on_both_databases;

async fn others_write_while_a_month_is_being_kept(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    take_in(&fixture, acme.requests(past(), 60)).await;
    let open = organization(&fixture, acme.id).await;
    let scope = fixture.organization(acme.id);
    let locking = async || {
        let months = scope.chargeback_months(&PageQuery::default()).await.expect("months");
        let month = months.items.into_iter().find(|month| month.month == past());
        month.expect("it is there").locking
    };
    let kept = std::cell::Cell::new(false);
    let keep = async {
        fixture.prepare_lock(acme.id, past()).await.expect("it is kept");
        kept.set(true);
    };
    let write = async {
        let (mut seen, mut refused) = (Vec::new(), None);
        while !kept.get() {
            take_in(&fixture, vec![at(record(acme.id), Utc::now())]).await;
            if let Some(locking) = locking().await {
                seen.push((locking.done, locking.portions));
                if refused.is_none() {
                    refused = fixture.prepare_lock(acme.id, past()).await.err();
                }
            }
        }
        (seen, refused)
    };

    let ((), (seen, refused)) = tokio::join!(keep, write);

    assert!(seen.len() > 2, "{seen:?}");
    assert!(seen.is_sorted());
    let last = seen.last().expect("some");
    assert!(last.0 > 0 && last.0 <= last.1, "{last:?}");
    let refused = refused.expect("one at a time").to_string();
    assert!(refused.contains("is being locked"), "{refused}");
    assert_eq!(locking().await, None);
    let locked = fixture.change(acme.id, async |tx| tx.lock_month(&open, past()).await);
    locked.await.expect("what came in meanwhile is of another month");
}

async fn who_is_gone_keeps_nobody_from_locking(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let records = acme.requests(past(), 5);
    take_in(&fixture, records.clone()).await;
    let open = organization(&fixture, acme.id).await;
    fixture.prepare_lock(acme.id, past()).await.expect("it is kept");
    let unfinished = "UPDATE chargeback_locking SET watermark = NULL";
    fixture.run(unfinished).await;
    let kept = lock(&fixture, &open, past()).await;
    let told = kept.expect_err("somebody keeps it").to_string();
    assert!(told.contains("is being locked"), "{told}");
    let not_whole = fixture.change(acme.id, async |tx| tx.lock_month(&open, past()).await);
    not_whole.await.expect_err("not all of it was kept");

    fixture
        .run("UPDATE chargeback_locking SET busy_until = '2020-01-01 00:00:00+00:00'")
        .await;
    lock(&fixture, &open, past()).await.expect("it is locked");

    adds_up(
        &report(&fixture, acme.id, &query(past(), ChargebackBy::Team)).await,
        &records,
    );
    assert_eq!(fixture.number("SELECT COUNT(*) FROM chargeback_locking").await, 0);
}

async fn a_locked_month_stays_as_it_was(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let records = acme.requests(past(), 30);
    take_in(&fixture, records.clone()).await;
    let open = organization(&fixture, acme.id).await;
    let mut before = Vec::new();
    for by in ChargebackBy::ALL {
        before.push(report(&fixture, acme.id, &query(past(), by)).await);
    }
    let charges_before = charges(&fixture, acme.id, past()).await;

    let locked = lock(&fixture, &open, past());
    locked.await.expect("it is locked");
    let again = lock(&fixture, &open, past());
    assert!(
        again
            .await
            .expect_err("it is locked already")
            .to_string()
            .contains("locked already")
    );
    let changed = fixture.change(acme.id, async |tx| {
        let mut renamed = team_change("Found");
        (renamed.cost_centre, renamed.shared) = (Some(Some(centre("CC-MOVED"))), Some(true));
        tx.change_team(acme.id, acme.search, &renamed).await?;
        tx.change_shared_cost(acme.id, SharedCost::Even).await?;
        tx.revoke_key(acme.id, acme.plain).await
    });
    changed.await.expect("all is changed");
    let removed = fixture
        .system()
        .remove_usage_before(past().end() + Months::new(1), Utc::now())
        .await;
    removed.expect("its rows are removed");

    for (by, before) in ChargebackBy::ALL.into_iter().zip(before) {
        let mut after = report(&fixture, acme.id, &query(past(), by)).await;
        assert_eq!(
            after.lock.take().map(|lock| (lock.by, lock.late_requests)),
            Some(("ada@example.test".to_owned(), 0))
        );
        assert_eq!(after, before, "{by:?}");
    }
    assert_eq!(charges(&fixture, acme.id, past()).await, charges_before);
    let untagged = ChargebackQuery {
        tag: Some("unheard-of".parse().expect("a tag")),
        ..query(past(), ChargebackBy::Tag)
    };
    let untagged = report(&fixture, acme.id, &untagged).await;
    adds_up(&untagged, &records);
    assert!(untagged.items.iter().all(|row| row.kind != ChargebackKind::Own));
}

async fn what_came_in_since_it_was_kept_keeps_a_month_open(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let (records, more) = (acme.requests(past(), 5), acme.requests(past(), 1));
    take_in(&fixture, records.clone()).await;
    let open = organization(&fixture, acme.id).await;
    fixture.prepare_lock(acme.id, past()).await.expect("it is kept");
    take_in(&fixture, more.clone()).await;

    let too_soon = fixture.change(acme.id, async |tx| tx.lock_month(&open, past()).await);
    let told = too_soon.await.expect_err("it is not what was kept").to_string();
    assert!(told.contains("came in meanwhile"), "{told}");

    let both = [records.as_slice(), &more].concat();
    adds_up(
        &report(&fixture, acme.id, &query(past(), ChargebackBy::Team)).await,
        &both,
    );
    lock(&fixture, &open, past()).await.expect("it is locked");
    adds_up(
        &report(&fixture, acme.id, &query(past(), ChargebackBy::Team)).await,
        &both,
    );
}

async fn what_comes_in_late_is_a_correction_in_another_month(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let (records, late) = (acme.requests(past(), 10), acme.requests(past(), 3));
    take_in(&fixture, records.clone()).await;
    let open = organization(&fixture, acme.id).await;
    let locked = lock(&fixture, &open, past());
    locked.await.expect("it is locked");
    let now = Month::of(Utc::now());

    take_in(&fixture, late.clone()).await;
    take_in(&fixture, late.clone()).await;

    let by = ChargebackBy::CostCentre;
    let before = report(&fixture, acme.id, &query(past(), by)).await;
    adds_up(&before, &records);
    assert_eq!(before.lock.map(|lock| lock.late_requests), Some(15));
    adds_up(&report(&fixture, acme.id, &query(now, by)).await, &late);
    let corrections = charges(&fixture, acme.id, now).await;
    assert_eq!(charged(&corrections).0, cost(&late));
    assert!(
        corrections
            .iter()
            .all(|charge| charge.of.correction && Month::of(late[0].started_at) == past())
    );
    let months = fixture
        .organization(acme.id)
        .chargeback_months(&PageQuery::default())
        .await;
    let months = months.expect("the months").items;
    let total = |month| {
        months
            .iter()
            .find(|told| told.month == month)
            .map(|told| told.total.amount.get())
    };
    assert_eq!((total(past()), total(now)), (Some(cost(&records)), Some(cost(&late))));

    let opened = fixture.change(acme.id, async |tx| tx.unlock_month(acme.id, past()).await);
    opened.await.expect("it is open");

    let both = [records.as_slice(), &late].concat();
    adds_up(&report(&fixture, acme.id, &query(past(), by)).await, &both);
    adds_up(&report(&fixture, acme.id, &query(now, by)).await, &[]);
    let never = fixture.change(acme.id, async |tx| tx.unlock_month(acme.id, past()).await);
    never.await.expect_err("it is open already");
}

async fn only_a_month_that_is_over_and_whole_is_locked(fixture: Fixture) {
    let acme = Acme::of(&fixture).await;
    let open = organization(&fixture, acme.id).await;
    let now = Month::of(Utc::now());

    let early = lock(&fixture, &open, now).await;
    assert!(
        early
            .expect_err("it is not over")
            .to_string()
            .contains("can be locked from")
    );
    let removed = fixture.system().remove_usage_before(past().end(), Utc::now()).await;
    removed.expect("rows are removed");
    let gone = lock(&fixture, &open, past()).await;
    assert!(
        gone.expect_err("its rows are gone")
            .to_string()
            .contains("no longer kept")
    );
    let missing = report(&fixture, acme.id, &query(past(), ChargebackBy::Team))
        .await
        .missing_before;
    assert_eq!(missing, Some(past().end()));

    let scope = fixture.organization(acme.id);
    let locked = scope
        .locked_months(past().start(), Utc::now())
        .await
        .expect("the months");
    assert_eq!(locked, []);
    let next = past().next();
    if (Utc::now() - next.end()) > chrono::TimeDelta::days(1) {
        let locked = lock(&fixture, &open, next);
        locked.await.expect("it is locked");
        for (from, to, expected) in [
            (past().start(), next.start(), vec![]),
            (past().start(), next.start() + Duration::from_secs(1), vec![next]),
            (next.end() - Duration::from_secs(1), Utc::now(), vec![next]),
            (next.end(), Utc::now(), vec![]),
        ] {
            assert_eq!(
                scope.locked_months(from, to).await.expect("the months"),
                expected,
                "{from} {to}"
            );
        }
    }
}

on_both_databases!(
    others_write_while_a_month_is_being_kept,
    who_is_gone_keeps_nobody_from_locking,
    a_locked_month_stays_as_it_was,
    what_came_in_since_it_was_kept_keeps_a_month_open,
    what_comes_in_late_is_a_correction_in_another_month,
    only_a_month_that_is_over_and_whole_is_locked,
);
