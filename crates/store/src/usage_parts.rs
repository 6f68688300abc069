//! Requests go as whole months: on PostgreSQL each month is a part of the table, made ahead and dropped at once. SQLite has
//! one table, which is deleted from a little at a time, because a single connection writes and serves.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};
use gatewright_types::OrganizationId;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Statement,
};
use uuid::Uuid;

use crate::adjustments;
use crate::entity::{installation, usage, usage_adjustment};
use crate::error::DatabaseError;
use crate::ledger::kept::{self, Keeping};
use crate::stored;
use crate::system::System;
use crate::usage::first_id_of;

const MONTHS_AHEAD: u32 = 3;
/// Of SQLite's, within one transaction.
const PORTION: u64 = 500;
/// So many rows of PostgreSQL's are in memory at a time.
const PAGE: u64 = 5_000;
/// The same on all nodes, so that one at a time makes parts and drops them.
const LOCK: i64 = 0x6761_7465_7061_7274;
/// The part for whatever belongs to no month.
const OTHER: &str = "usage_other";

/// A part of PostgreSQL's table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: String,
    /// The first identifier after it.
    end: Uuid,
}

impl System<'_> {
    /// Makes the parts of the months to come that are not there, and tells how many those were.
    pub async fn make_usage_parts(&self, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
        if self.db.write.get_database_backend() != DbBackend::Postgres {
            return Ok(0);
        }
        let transaction = self.db.begin().await?;
        lock(&transaction).await?;
        let parts = parts(&transaction).await?;
        let last = month_of(now.date_naive()) + Months::new(MONTHS_AHEAD);
        let mut month = parts
            .iter()
            .map(|part| minted_at(part.end))
            .max()
            .unwrap_or(month_of(now.date_naive()));
        let mut made = 0;
        while month < last {
            make(&transaction, month).await?;
            month = month + Months::new(1);
            made += 1;
        }
        transaction.commit().await?;
        Ok(made)
    }

    /// Removes requests of months that ended before a moment, with their adjustments, and tells how many rows or parts those
    /// were. Sums of usage and what was spent of budgets stay, and what budgets need that count for longer is kept.
    pub async fn remove_usage_before(&self, moment: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let month = month_of(moment.date_naive());
        let from = midnight(month);
        if self.usage_from().await?.is_none_or(|known| known < from) {
            for organization in self.organizations_that_count().await? {
                let transaction = self.db.begin().await?;
                kept::prune(&transaction, organization, now).await?;
                kept::prepare(&transaction, organization, now).await?;
                transaction.commit().await?;
            }
            // Before anything is removed, so that nobody misses it.
            installation::Entity::update_many()
                .col_expr(installation::Column::UsageFrom, Expr::value(from))
                .exec(&self.db.write)
                .await?;
        }
        let removed = match self.db.write.get_database_backend() {
            DbBackend::Postgres => self.drop_parts(from, now).await?,
            _ => self.delete_portions(from, now).await?,
        };
        self.delete_adjustments(first_id_of(from)).await?;
        Ok(removed)
    }

    /// Since when requests are kept; nothing where none were ever removed.
    pub async fn usage_from(&self) -> Result<Option<DateTime<Utc>>, DatabaseError> {
        Ok(usage_from(&self.db.read).await?)
    }

    /// The oldest first, each in a transaction of its own.
    async fn drop_parts(&self, from: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let first = first_id_of(from);
        let mut dropped = 0;
        loop {
            let transaction = self.db.begin().await?;
            lock(&transaction).await?;
            // Those who take requests in wait for this as well.
            transaction.execute_unprepared("SET LOCAL lock_timeout = '2s'").await?;
            let old = parts(&transaction).await?.into_iter().filter(|part| part.end <= first);
            let Some(part) = old.min_by_key(|part| part.end) else {
                return Ok(dropped);
            };
            // Nothing comes into it any more, while others still read it.
            let hold = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", part.name);
            transaction.execute_unprepared(&hold).await?;
            for organization in self.organizations_that_count().await? {
                keep_of_part(&transaction, organization, &part, now).await?;
            }
            transaction
                .execute_unprepared(&format!("DROP TABLE {}", part.name))
                .await?;
            transaction.commit().await?;
            dropped += 1;
        }
    }

    async fn delete_adjustments(&self, first: Uuid) -> Result<(), DbErr> {
        const KEY: &str = "organization, request, reprice";
        let sql = format!(
            "DELETE FROM usage_adjustment WHERE ({KEY}) IN \
             (SELECT {KEY} FROM usage_adjustment WHERE request < ?1 ORDER BY request LIMIT {PORTION})"
        );
        loop {
            let old = stored::statement(self.db.write.get_database_backend(), &sql, [first.into()]);
            if self.db.write.execute_raw(old).await?.rows_affected() < PORTION {
                return Ok(());
            }
        }
    }

    async fn delete_portions(&self, from: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64, DbErr> {
        let first = first_id_of(from);
        let mut removed = 0;
        let mut before = Uuid::nil();
        while let Some(organization) = organization_after(&self.db.read, before).await? {
            before = organization;
            let organization = OrganizationId::from_uuid(organization);
            if oldest(&self.db.read, organization, first).await?.is_none() {
                continue;
            }
            let transaction = self.db.begin().await?;
            let mut keeping = Keeping::begin(&transaction, organization, from, now).await?;
            transaction.commit().await?;
            loop {
                let deleted = self.delete_portion(organization, first, keeping.as_mut()).await?;
                removed += deleted;
                if deleted < PORTION {
                    break;
                }
            }
        }
        Ok(removed)
    }

    async fn delete_portion(
        &self,
        organization: OrganizationId,
        first: Uuid,
        keeping: Option<&mut Keeping>,
    ) -> Result<u64, DbErr> {
        let of_it = Condition::all()
            .add(usage::Column::Organization.eq(organization.uuid()))
            .add(usage::Column::Id.lt(first));
        let old = usage::Entity::find()
            .filter(of_it.clone())
            .order_by_asc(usage::Column::Id)
            .limit(PORTION);
        let transaction = self.db.begin().await?;
        if let Some(keeping) = keeping {
            let rows = old.clone().all(&transaction).await?;
            keep(&transaction, organization, keeping, &rows).await?;
            keeping.write(&transaction).await?;
        }
        let old = old.select_only().column(usage::Column::Id).into_query();
        let deleted = usage::Entity::delete_many()
            .filter(of_it)
            .filter(usage::Column::Id.in_subquery(old))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected)
    }
}

/// Keeps parts as they are until a transaction ends. What is dropped is gone at once for everybody, also for a transaction
/// that otherwise reads everything as it was at its beginning: so this comes first in it.
pub(crate) async fn hold_parts(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction
            .execute_unprepared("LOCK TABLE usage IN ACCESS SHARE MODE")
            .await?;
    }
    Ok(())
}

/// Keeps requests from being removed until a transaction ends, and tells since when they are there.
pub(crate) async fn hold_removal(transaction: &DatabaseTransaction) -> Result<Option<DateTime<Utc>>, DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = "SELECT pg_advisory_xact_lock_shared(?1)";
        let lock = stored::statement(DbBackend::Postgres, lock, [LOCK.into()]);
        transaction.execute_raw(lock).await?;
    }
    usage_from(transaction).await
}

async fn keep_of_part(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    part: &Part,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let cut = midnight(minted_at(part.end));
    let Some(mut keeping) = Keeping::begin(transaction, organization, cut, now).await? else {
        return Ok(());
    };
    // What came in before it had a part, or after that was dropped, is elsewhere and stays.
    let of_part = Expr::cust(format!("usage.tableoid = '{}'::regclass", part.name));
    let mut after = Uuid::nil();
    loop {
        let rows = usage::Entity::find()
            .filter(usage::Column::Organization.eq(organization.uuid()))
            .filter(usage::Column::Id.gt(after))
            .filter(usage::Column::Id.lt(part.end))
            .filter(of_part.clone())
            .filter(keeping.condition(DbBackend::Postgres))
            .order_by_asc(usage::Column::Id)
            .limit(PAGE)
            .all(transaction)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        keep(transaction, organization, &mut keeping, &rows).await?;
    }
    keeping.write(transaction).await
}

async fn keep(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    keeping: &mut Keeping,
    rows: &[usage::Model],
) -> Result<(), DbErr> {
    let Some((first, last)) = rows.first().zip(rows.last()) else {
        return Ok(());
    };
    let request = usage_adjustment::Column::Request;
    let of_these = request.gte(first.id).and(adjustments::up_to(last.id));
    let adjustments = adjustments::of(transaction, organization, of_these).await?;
    rows.iter().try_for_each(|row| keeping.add(row, &adjustments))
}

/// An organization's oldest request before one.
async fn oldest(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    before: Uuid,
) -> Result<Option<Uuid>, DbErr> {
    usage::Entity::find()
        .select_only()
        .column(usage::Column::Id)
        .filter(usage::Column::Organization.eq(organization.uuid()))
        .filter(usage::Column::Id.lt(before))
        .order_by_asc(usage::Column::Id)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await
}

pub(crate) async fn usage_from(connection: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    let row = installation::Entity::find().one(connection).await?;
    Ok(row.and_then(|row| row.usage_from))
}

/// The next organization that has requests, found without reading those of the one before.
async fn organization_after(connection: &impl ConnectionTrait, before: Uuid) -> Result<Option<Uuid>, DbErr> {
    usage::Entity::find()
        .select_only()
        .column(usage::Column::Organization)
        .filter(usage::Column::Organization.gt(before))
        .order_by_asc(usage::Column::Organization)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await
}

async fn lock(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    let lock = stored::statement(DbBackend::Postgres, "SELECT pg_advisory_xact_lock(?1)", [LOCK.into()]);
    transaction.execute_raw(lock).await.map(drop)
}

/// All parts that are of a time.
async fn parts(transaction: &DatabaseTransaction) -> Result<Vec<Part>, DbErr> {
    const SQL: &str = "SELECT part.relname::text, pg_get_expr(part.relpartbound, part.oid) \
         FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid WHERE inhparent = 'usage'::regclass";
    let rows = transaction
        .query_all_raw(Statement::from_string(DbBackend::Postgres, SQL))
        .await?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in rows {
        let (name, bound): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        // FOR VALUES FROM ('…') TO ('…'), or DEFAULT.
        if let Some(end) = bound.rsplit('\'').nth(1) {
            let end = stored::parsed("bound of a part", end)?;
            parts.push(Part { name, end });
        }
    }
    Ok(parts)
}

/// Rows of that month that came before it had a part are moved into it.
async fn make(transaction: &DatabaseTransaction, month: NaiveDate) -> Result<(), DbErr> {
    let (first, end) = (
        first_id_of(midnight(month)),
        first_id_of(midnight(month + Months::new(1))),
    );
    let name = format!("usage_{}", month.format("%Y_%m"));
    for sql in [
        format!("CREATE TABLE {name} (LIKE usage INCLUDING DEFAULTS)"),
        format!(
            "WITH moved AS (DELETE FROM {OTHER} WHERE id >= '{first}' AND id < '{end}' RETURNING *) \
             INSERT INTO {name} SELECT * FROM moved"
        ),
        format!("ALTER TABLE usage ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')"),
    ] {
        transaction.execute_unprepared(&sql).await?;
    }
    Ok(())
}

fn month_of(day: NaiveDate) -> NaiveDate {
    day - Days::new(day.day0().into())
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc()
}

/// The day on which the first identifier after a part is minted.
fn minted_at(end: Uuid) -> NaiveDate {
    let milliseconds = i64::try_from(end.as_u128() >> 80).unwrap_or_default();
    DateTime::from_timestamp_millis(milliseconds)
        .unwrap_or_default()
        .date_naive()
}
