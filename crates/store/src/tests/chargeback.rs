//! What a month came to is what its requests cost, whatever it is split by; what was locked stays as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Months, Utc};
use gatewright_contract::UsageRecord;
use gatewright_types::api::{
    Chargeback, ChargebackBy, ChargebackKind, ChargebackLock, ChargebackQuery, KeyOwner, LineItem, Organization,
    SharedCost,
};
use gatewright_types::{
    CostCentre, DisplayName, KeyId, Month, Nanos, OrganizationId, PageQuery, PersonId, RequestId, Role,
    ServiceAccountId, TeamId, UnitPrice, UsageUnit,
};
use uuid::Uuid;

use super::fixture::{Fixture, display_name, new_key, team_change};
use super::ingesting::record;
use super::ledger::take_in;
use super::on_both_databases;
use crate::usage::first_id_of;
use crate::{Charge, ChargeUnit, KeyInsert, WriteError};

fn centre(text: &str) -> CostCentre {
    text.parse().expect(text)
}

fn name(text: &str) -> DisplayName {
    display_name(text)
}

/// The month before last: it can be locked on every day of this one.
fn past() -> Month {
    Month::of(Utc::now() - Months::new(2))
}

/// A request of a time, with an identifier of then.
fn at(record: UsageRecord, started_at: DateTime<Utc>) -> UsageRecord {
    let id = first_id_of(started_at).as_u128() | (record.id.uuid().as_u128() & u128::from(u64::MAX));
    UsageRecord {
        id: RequestId::from_uuid(Uuid::from_u128(id)),
        started_at,
        ..record
    }
}

/// What the fixture has: keys of two teams, of nobody's, and of a service account.
struct Acme {
    id: OrganizationId,
    search: TeamId,
    platform: TeamId,
    ana: PersonId,
    account: ServiceAccountId,
    /// Of the team `search`, of `ana`.
    plain: KeyId,
    /// Of the team `search`, with a cost centre of its own.
    special: KeyId,
    /// Of the shared team `platform`.
    shared: KeyId,
    /// Of the service account, which has a cost centre and no team.
    of_account: KeyId,
    /// Of nothing.
    lonely: KeyId,
}

impl Acme {
    async fn of(fixture: &Fixture) -> Self {
        let id = fixture.organization_named("acme").await;
        let ana = fixture.member_named(id, "ana", Role::Member).await;
        let (search, platform, account) = (TeamId::mint(), TeamId::mint(), ServiceAccountId::mint());
        let keys = ["plain", "special", "shared", "of account", "lonely"].map(new_key);
        let [plain, special, shared, of_account, lonely] = keys.each_ref().map(|key| key.id);
        let made = fixture.change(id, async |tx| {
            for (team, title) in [(search, "Search"), (platform, "Platform")] {
                tx.create_team(id, team, &name(title)).await?;
            }
            let mut change = team_change("Search");
            change.cost_centre = Some(Some(centre("CC-SEARCH")));
            tx.change_team(id, search, &change).await?;
            let mut change = team_change("Platform");
            change.shared = Some(true);
            tx.change_team(id, platform, &change).await?;
            tx.create_service_account(id, account, &name("robot"), None, "ana")
                .await?;
            tx.charge_service_account(id, account, Some(&centre("CC-ROBOT")))
                .await?;
            let [plain, special, shared, of_account, lonely] = keys.clone();
            for key in [
                KeyInsert {
                    team: Some(search),
                    owner: Some(KeyOwner::Member(ana)),
                    ..plain
                },
                KeyInsert {
                    team: Some(search),
                    cost_centre: Some(centre("CC-SPECIAL")),
                    ..special
                },
                KeyInsert {
                    team: Some(platform),
                    ..shared
                },
                KeyInsert {
                    owner: Some(KeyOwner::ServiceAccount(account)),
                    ..of_account
                },
                lonely,
            ] {
                tx.create_key(id, &key).await?;
            }
            Ok(())
        });
        made.await.expect("all of it");
        Self {
            id,
            search,
            platform,
            ana,
            account,
            plain,
            special,
            shared,
            of_account,
            lonely,
        }
    }

    /// Requests over a month: `number` of each key, each of another cost, every ninth without a price.
    fn requests(&self, month: Month, number: u32) -> Vec<UsageRecord> {
        let keys = [
            (self.plain, Some(self.search), Some(self.ana)),
            (self.special, Some(self.search), None),
            (self.shared, Some(self.platform), None),
            (self.of_account, None, None),
            (self.lonely, None, None),
        ];
        let mut all = Vec::new();
        for (index, (key, team, owner)) in (0_u32..).zip(keys) {
            for nth in 0..number {
                let started_at = month.start() + Duration::from_secs(u64::from(nth * 7_211 + index * 311) % 2_000_000);
                let mut record = at(record(self.id), started_at);
                (record.key, record.team, record.owner) = (key, team, owner);
                record.end_user = (nth % 4 != 0).then(|| name(&format!("customer-{}", nth % 4)));
                if nth % 3 != 0 {
                    let project = if nth % 2 == 0 { "apollo" } else { "it's \"x\"" };
                    record.tags = [("project".parse().expect("a tag"), name(project))].into();
                }
                priced(&mut record, u64::from(nth * 37 + index + 1));
                if nth % 9 == 8 {
                    record.cost = None;
                    record.lines.iter_mut().for_each(|line| line.price = None);
                }
                all.push(record);
            }
        }
        all
    }
}

/// At prices that give parts of nano-dollars, so that costs are rounded.
fn priced(record: &mut UsageRecord, quantity: u64) {
    let line = |unit, quantity, picos| LineItem {
        unit,
        quantity,
        price: Some(UnitPrice::from_picos(picos)),
        price_version: Some("catalogue@2026-01-01".to_owned()),
    };
    record.lines = vec![
        line(UsageUnit::InputUncached, quantity, 37_501),
        line(UsageUnit::OutputText, quantity / 2 + 1, 600_003),
    ];
    let picos = record
        .lines
        .iter()
        .filter_map(|line| Some(line.price?.times(line.quantity)))
        .sum();
    record.cost = Some(Nanos::from_picos(picos));
}

fn query(month: Month, by: ChargebackBy) -> ChargebackQuery {
    ChargebackQuery {
        month,
        by,
        tag: (by == ChargebackBy::Tag).then(|| "project".parse().expect("a tag")),
        limit: Some(200),
        cursor: None,
    }
}

async fn organization(fixture: &Fixture, id: OrganizationId) -> Organization {
    let organization = fixture.organization(id).organization().await;
    organization.expect("it is read").expect("it is there")
}

async fn report(fixture: &Fixture, id: OrganizationId, query: &ChargebackQuery) -> Chargeback {
    let organization = organization(fixture, id).await;
    let report = fixture.organization(id).chargeback(&organization, query).await;
    report.expect("the report")
}

async fn lock(fixture: &Fixture, organization: &Organization, month: Month) -> Result<ChargebackLock, WriteError> {
    fixture.prepare_lock(organization.id, month).await?;
    let locked = fixture.change(organization.id, async |tx| tx.lock_month(organization, month).await);
    Ok(locked.await?.value)
}

fn cost(records: &[UsageRecord]) -> i64 {
    records.iter().filter_map(|record| record.cost).map(Nanos::get).sum()
}

/// What rows are of, and what they cost themselves.
fn direct(report: &Chargeback) -> BTreeMap<(ChargebackKind, Option<String>), i64> {
    let rows = report.items.iter();
    rows.map(|row| ((row.kind, row.subject.clone()), row.sums.direct.amount.get()))
        .collect()
}

fn of_keys(records: &[UsageRecord], keys: &[KeyId]) -> i64 {
    let own = records.iter().filter(|record| keys.contains(&record.key));
    cost(&own.cloned().collect::<Vec<_>>())
}

fn adds_up(report: &Chargeback, records: &[UsageRecord]) {
    let sum = |of: fn(&gatewright_types::api::ChargebackRow) -> i64| report.items.iter().map(of).sum::<i64>();
    let counted = u64::try_from(records.len()).expect("few");
    let unpriced = records.iter().filter(|record| record.cost.is_none()).count();
    assert_eq!(sum(|row| row.sums.direct.amount.get()), cost(records), "{report:#?}");
    assert_eq!(sum(|row| row.sums.total.amount.get()), cost(records), "{report:#?}");
    assert_eq!(sum(|row| row.sums.shared.amount.get()), 0, "{report:#?}");
    assert_eq!(report.sums.total.amount.get(), cost(records));
    assert_eq!(
        (report.sums.requests, usize::try_from(report.sums.unpriced)),
        (counted, Ok(unpriced))
    );
}

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

async fn charges(fixture: &Fixture, id: OrganizationId, month: Month) -> Vec<Charge> {
    let scope = fixture.organization(id);
    let mut all = Vec::new();
    for part in scope.charge_parts(month).await.expect("the parts") {
        all.extend(scope.charges(&part).await.expect("the charges"));
    }
    all
}

/// By the ledger, and by units and prices.
fn charged(charges: &[Charge]) -> (i64, i128) {
    let mut both = (0, 0);
    for charge in charges {
        match &charge.unit {
            ChargeUnit::Whole(cost) => both.0 += cost.get(),
            ChargeUnit::Unit { price, quantity, .. } => both.1 += price.map_or(0, |price| price.times(*quantity)),
        }
    }
    both
}

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
    a_report_adds_up_to_the_ledger_whatever_it_is_split_by,
    the_organization_has_a_cost_centre_for_all_others,
    shared_cost_is_borne_as_the_organization_says,
    a_report_comes_in_pages,
    charges_are_of_a_day_a_key_a_model_a_unit_and_a_price,
    charges_are_told_by_the_tags_of_their_requests,
    others_write_while_a_month_is_being_kept,
    who_is_gone_keeps_nobody_from_locking,
    a_locked_month_stays_as_it_was,
    what_came_in_since_it_was_kept_keeps_a_month_open,
    what_comes_in_late_is_a_correction_in_another_month,
    only_a_month_that_is_over_and_whole_is_locked,
);
