//! Requests go as whole months: on PostgreSQL each month is a part of the table, made ahead and dropped at once. SQLite has
//! one table, which is deleted from a little at a time, because a single connection writes and serves.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Statement,
};
use uuid::Uuid;

use crate::entity::{installation, usage};
use crate::error::DatabaseError;
use crate::stored;
use crate::system::System;
use crate::usage::first_id_of;

const MONTHS_AHEAD: u32 = 3;
/// Of SQLite's, within one transaction.
const PORTION: u64 = 500;
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
    /// were. Sums of usage and what was spent of budgets stay.
    pub async fn remove_usage_before(&self, moment: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let month = month_of(moment.date_naive());
        let from = midnight(month);
        if self.usage_from().await?.is_none_or(|known| known < from) {
            // First, so that nobody misses what is being removed.
            installation::Entity::update_many()
                .col_expr(installation::Column::UsageFrom, Expr::value(from))
                .exec(&self.db.write)
                .await?;
        }
        let first = first_id_of(from);
        let removed = match self.db.write.get_database_backend() {
            DbBackend::Postgres => self.drop_parts(first).await?,
            _ => self.delete_portions(first).await?,
        };
        self.delete_adjustments(first).await?;
        Ok(removed)
    }

    /// Since when requests are kept; nothing where none were ever removed.
    pub async fn usage_from(&self) -> Result<Option<DateTime<Utc>>, DatabaseError> {
        Ok(usage_from(&self.db.read).await?)
    }

    async fn drop_parts(&self, first: Uuid) -> Result<u64, DbErr> {
        let transaction = self.db.begin().await?;
        lock(&transaction).await?;
        // Those who take requests in wait for this as well.
        transaction.execute_unprepared("SET LOCAL lock_timeout = '2s'").await?;
        let mut dropped = 0;
        for part in parts(&transaction).await?.into_iter().filter(|part| part.end <= first) {
            transaction
                .execute_unprepared(&format!("DROP TABLE {}", part.name))
                .await?;
            dropped += 1;
        }
        transaction.commit().await?;
        Ok(dropped)
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

    async fn delete_portions(&self, first: Uuid) -> Result<u64, DbErr> {
        let mut removed = 0;
        let mut before = Uuid::nil();
        while let Some(organization) = organization_after(&self.db.read, before).await? {
            before = organization;
            loop {
                let old = usage::Entity::find()
                    .select_only()
                    .column(usage::Column::Id)
                    .filter(usage::Column::Organization.eq(organization))
                    .filter(usage::Column::Id.lt(first))
                    .order_by_asc(usage::Column::Id)
                    .limit(PORTION)
                    .into_query();
                let deleted = usage::Entity::delete_many()
                    .filter(usage::Column::Organization.eq(organization))
                    .filter(usage::Column::Id.in_subquery(old))
                    .exec(&self.db.write)
                    .await?;
                removed += deleted.rows_affected;
                if deleted.rows_affected < PORTION {
                    break;
                }
            }
        }
        Ok(removed)
    }
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
