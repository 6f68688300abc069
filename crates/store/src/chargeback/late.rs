//! Requests that come in after their month was locked. The locked month stays as it is: they are counted as corrections in
//! the month in which they come in, which is open, because only a month that is over can be locked.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::UsageRecord;
use gatewright_types::Month;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    IntoActiveModel, QueryFilter as _,
};

use crate::entity::{chargeback_month, usage_late};
use crate::stored;

/// Of a month that ended less than this ago nothing can be locked meanwhile: no month is that is not over for longer.
const NEVER_LOCKED_WITHIN: TimeDelta = TimeDelta::hours(12);
/// The same on all nodes: requests of months that are over come in before such a month is locked, or after.
const LOCK: i64 = 0x6761_7465_6c61_7465;
const PORTION: usize = 200;

/// Notes those of records that are of a locked month. Nearly always there is nothing to look up.
pub(crate) async fn note(transaction: &DatabaseTransaction, new: &[&UsageRecord]) -> Result<(), DbErr> {
    let now = stored::now();
    let old: Vec<_> = new.iter().filter(|record| may_be_locked(record, now)).collect();
    if old.is_empty() {
        return Ok(());
    }
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = stored::statement(
            DbBackend::Postgres,
            "SELECT pg_advisory_xact_lock_shared(?1)",
            [LOCK.into()],
        );
        transaction.execute_raw(lock).await?;
    }
    let mut months: Vec<_> = old
        .iter()
        .map(|record| (record.organization, Month::of(record.started_at)))
        .collect();
    months.sort_unstable();
    months.dedup();
    for portion in months.chunks(PORTION) {
        let any = portion.iter().fold(Condition::any(), |any, (organization, month)| {
            let of_month = chargeback_month::Column::Month.eq(month.to_string());
            any.add(of_month.and(chargeback_month::Column::Organization.eq(organization.uuid())))
        });
        let locked = chargeback_month::Entity::find().filter(any).all(transaction).await?;
        let late = old.iter().filter_map(|record| {
            let month = Month::of(record.started_at).to_string();
            let of_month =
                |row: &chargeback_month::Model| row.organization == record.organization.uuid() && row.month == month;
            locked.iter().any(of_month).then(|| usage_late::Model {
                organization: record.organization.uuid(),
                request: record.id.uuid(),
                month,
                counted_in: Month::of(now).to_string(),
                arrived_at: now,
            })
        });
        let late: Vec<_> = late.map(IntoActiveModel::into_active_model).collect();
        for portion in late.chunks(PORTION) {
            let insert = usage_late::Entity::insert_many(portion.iter().cloned());
            insert.exec_without_returning(transaction).await?;
        }
    }
    Ok(())
}

/// Waits for those that are coming in, and keeps others out until the transaction ends.
pub(super) async fn hold_back(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    // On SQLite there is one transaction at a time that writes.
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = stored::statement(DbBackend::Postgres, "SELECT pg_advisory_xact_lock(?1)", [LOCK.into()]);
        transaction.execute_raw(lock).await?;
    }
    Ok(())
}

fn may_be_locked(record: &UsageRecord, now: DateTime<Utc>) -> bool {
    // Most began within the hour, and need no calendar.
    now - record.started_at > NEVER_LOCKED_WITHIN && Month::of(record.started_at).end() + NEVER_LOCKED_WITHIN < now
}
