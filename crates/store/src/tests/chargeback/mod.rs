//! What a month came to is what its requests cost, whatever it is split by; what was locked stays as it was.

mod charges;
mod locking;
mod reports;
mod shares;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Months, Utc};
use gatewright_contract::UsageRecord;
use gatewright_types::api::{
    Chargeback, ChargebackBy, ChargebackKind, ChargebackLock, ChargebackQuery, KeyOwner, LineItem, Organization,
};
use gatewright_types::{
    CostCentre, DisplayName, KeyId, Month, Nanos, OrganizationId, PersonId, RequestId, Role, ServiceAccountId, TeamId,
    UnitPrice, UsageUnit,
};
use uuid::Uuid;

use super::fixture::{Fixture, display_name, new_key, team_change};
use super::ingesting::record;
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
