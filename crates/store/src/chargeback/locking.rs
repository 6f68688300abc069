//! Keeps what a month comes to, for it to be locked. Everything is read as it was at one moment, beside whoever writes, and
//! written a few rows at a time, so that nobody waits for it. A watermark says what that moment was: the lock itself only
//! has to see that it stands.

use std::collections::HashMap;

use chrono::{TimeDelta, Utc};
use gatewright_types::api::{ChargebackBy, ChargebackLocking};
use gatewright_types::{Month, OrganizationId, TagName};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, Value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entries::{Entries, Part};
use super::groups::{self, GROUP_COLUMNS, Group, Split, Sums};
use super::{charges, lock};
use crate::bulk::{self, Wide, insert_of_many, placeholders};
use crate::db::Db;
use crate::entity::chargeback_locking::{Column, Entity, Model};
use crate::error::WriteError;
use crate::rollup::DAY;
use crate::stored;
use crate::usage_parts::hold_parts;

/// Rows that are written at a time.
const AT_A_TIME: usize = 512;
/// Longer than any portion takes: whoever did not go on for so long is gone.
const BUSY_FOR: TimeDelta = TimeDelta::minutes(2);

static INSERT_GROUPS: Wide = Wide::new(|backend, rows| {
    let columns = format!("organization, month, split, tag, place, {GROUP_COLUMNS}");
    insertion(backend, "chargeback_group", &columns, 14, rows)
});
static INSERT_CHARGES: Wide = Wide::new(|backend, rows| {
    let columns = format!("organization, month, place, {}", charges::COLUMNS);
    insertion(backend, "chargeback_charge", &columns, 3 + charges::COLUMN_COUNT, rows)
});

/// What a month's requests come to, and how often somebody had a hand in it. Requests only come in and are priced anew: as
/// long as this is the same, so are they.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    /// By the sums of its days, which every request and every adjustment is in.
    sums: [i64; 5],
    late: i64,
    reprices: i64,
}

/// Who keeps a month, and how far that is.
#[derive(Debug)]
struct Run<'a> {
    db: &'a Db,
    organization: OrganizationId,
    month: Month,
    id: Uuid,
    done: i64,
    portions: i64,
}

impl Db {
    /// Keeps what a month comes to, for it to be locked. This takes as long as reading all of its requests several times, and
    /// nobody who writes waits for it. A conflict where the month is not over for long enough, is locked or being locked, or
    /// is not whole.
    pub async fn prepare_lock(&self, organization: OrganizationId, month: Month) -> Result<(), WriteError> {
        let mut run = Run {
            db: self,
            organization,
            month,
            id: Uuid::now_v7(),
            done: 0,
            portions: 0,
        };
        run.begin().await?;
        let kept = self
            .at_one_moment(async |read| {
                hold_parts(read).await?;
                run.keep_all(read).await
            })
            .await;
        match kept {
            Ok(Some(())) => Ok(()),
            Ok(None) => {
                let message = format!("{month} was taken up by another one who locks it: try again");
                Err(WriteError::conflict("month", message))
            }
            Err(error) => {
                // Where that fails too, others wait until it is clear that nobody goes on.
                drop(Entity::delete_many().filter(run.own()).exec(&self.write).await);
                Err(error.into())
            }
        }
    }
}

/// What was kept of a month, which is no longer being locked. A conflict where not all is.
pub(super) async fn take(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    month: Month,
) -> Result<Watermark, WriteError> {
    let row = of_month(transaction, organization, month).await?;
    let watermark = row.as_ref().and_then(|row| row.watermark.as_deref());
    let Some(watermark) = watermark else {
        return Err(WriteError::conflict("month", being_locked(month, row.as_ref())));
    };
    let watermark = stored::json("watermark", watermark)?;
    let all = Condition::all()
        .add(Column::Organization.eq(organization.uuid()))
        .add(Column::Month.eq(month.to_string()));
    Entity::delete_many().filter(all).exec(transaction).await?;
    Ok(watermark)
}

/// Months that are being locked, and how far that is.
pub(super) async fn under_way(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<HashMap<String, ChargebackLocking>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Organization.eq(organization.uuid()))
        .filter(Column::Watermark.is_null())
        .filter(Column::BusyUntil.gt(stored::now()))
        .all(connection)
        .await?;
    let read = |row: Model| {
        let locking = ChargebackLocking {
            done: stored::count(row.done),
            portions: stored::count(row.portions),
        };
        (row.month, locking)
    };
    Ok(rows.into_iter().map(read).collect())
}

impl Watermark {
    pub(super) async fn of(
        connection: &impl ConnectionTrait,
        organization: OrganizationId,
        month: Month,
    ) -> Result<Self, DbErr> {
        let sum = |column: &str| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT)");
        let sums = ["requests", "unpriced", "input_tokens", "output_tokens", "cost_nanos"].map(sum);
        let sql = format!(
            "SELECT {} FROM usage_rollup WHERE organization = ?1 AND granularity_seconds = {DAY} \
             AND \"start\" >= ?2 AND \"start\" < ?3",
            sums.join(", ")
        );
        let number = async |sql: &str, values: Vec<Value>| {
            let statement = stored::statement(connection.get_database_backend(), sql, values);
            let row = connection.query_one_raw(statement).await?;
            row.ok_or_else(|| DbErr::RecordNotFound("sums give a row".to_owned()))
        };
        let own = Value::from(organization.uuid());
        let times = [month.start(), month.end()].map(|time| Value::from(time.timestamp()));
        let [from, to] = times;
        let row = number(&sql, vec![own.clone(), from, to]).await?;
        let mut sums = [0; 5];
        for (index, sum) in sums.iter_mut().enumerate() {
            *sum = row.try_get_by_index(index)?;
        }
        let late = "SELECT COUNT(*) FROM usage_late WHERE organization = ?1 AND (counted_in = ?2 OR month = ?2)";
        let late = number(late, vec![own.clone(), month.to_string().into()]).await?;
        let reprices = "SELECT COUNT(*) FROM reprice WHERE organization = ?1 AND from_at < ?3 AND to_at > ?2";
        let reprices = number(reprices, vec![own, month.start().into(), month.end().into()]).await?;
        Ok(Self {
            sums,
            late: late.try_get_by_index(0)?,
            reprices: reprices.try_get_by_index(0)?,
        })
    }
}

impl Run<'_> {
    async fn begin(&self) -> Result<(), WriteError> {
        let transaction = self.db.begin().await?;
        lock::check(&transaction, self.organization, self.month).await?;
        let before = of_month(&transaction, self.organization, self.month).await?;
        if before
            .as_ref()
            .is_some_and(|row| row.watermark.is_none() && row.busy_until > stored::now())
        {
            return Err(WriteError::conflict("month", being_locked(self.month, before.as_ref())));
        }
        // What another one kept who came no further.
        lock::forget(&transaction, self.organization, self.month).await?;
        let row = Model {
            organization: self.organization.uuid(),
            month: self.month.to_string(),
            run: self.id,
            done: 0,
            portions: 0,
            busy_until: stored::now() + BUSY_FOR,
            watermark: None,
        };
        let instead = OnConflict::columns([Column::Organization, Column::Month])
            .update_columns([
                Column::Run,
                Column::Done,
                Column::Portions,
                Column::BusyUntil,
                Column::Watermark,
            ])
            .to_owned();
        Entity::insert(row.into_active_model())
            .on_conflict(instead)
            .exec_without_returning(&transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Nothing where another one took it over.
    async fn keep_all(&mut self, read: &DatabaseTransaction) -> Result<Option<()>, DbErr> {
        let all = Entries::all(self.organization, self.month);
        let watermark = Watermark::of(read, self.organization, self.month).await?;
        let tags = tags_of(read, &all).await?;
        let by_tag = tags.iter().map(|tag| Split {
            by: ChargebackBy::Tag,
            tag: Some(tag),
        });
        let splits: Vec<_> = ChargebackBy::ALL
            .into_iter()
            .map(|by| Split { by, tag: None })
            .chain(by_tag)
            .collect();
        let days: Vec<_> = std::iter::once(Part::Late)
            .chain(self.month.days().map(Part::Day))
            .collect();
        self.portions = i64::try_from(splits.len() + days.len()).unwrap_or(i64::MAX);
        for split in splits {
            let mut groups = groups::groups(read, &all, split).await?;
            groups.sort_by(|one, other| order(one).cmp(&order(other)));
            let rows: Vec<_> = (1_i64..).zip(groups).collect();
            let values = |(place, group): &(i64, Group)| self.of_group(split, *place, group);
            if self.write(&INSERT_GROUPS, &rows, values).await?.is_none() {
                return Ok(None);
            }
            self.done += 1;
        }
        for part in days {
            let rows = charges::to_keep(read, &Entries { part, ..all }).await?;
            let values = |(place, charge): &(i64, Vec<Value>)| {
                let own = [
                    self.organization.uuid().into(),
                    self.month.to_string().into(),
                    (*place).into(),
                ];
                own.into_iter().chain(charge.iter().cloned()).collect()
            };
            if self.write(&INSERT_CHARGES, &rows, values).await?.is_none() {
                return Ok(None);
            }
            self.done += 1;
        }
        let ended = Entity::update_many()
            .col_expr(Column::Watermark, Expr::value(stored::to_json(&watermark)))
            .col_expr(Column::Done, Expr::value(self.done))
            .filter(self.own())
            .exec(&self.db.write)
            .await?;
        Ok((ended.rows_affected > 0).then_some(()))
    }

    async fn write<R>(
        &self,
        statement: &Wide,
        rows: &[R],
        values: impl Fn(&R) -> Vec<Value>,
    ) -> Result<Option<()>, DbErr> {
        let mut rest = rows;
        loop {
            let (portion, others) = rest.split_at(rest.len().min(AT_A_TIME));
            let transaction = self.db.begin().await?;
            let going = Entity::update_many()
                .col_expr(Column::Done, Expr::value(self.done))
                .col_expr(Column::Portions, Expr::value(self.portions))
                .col_expr(Column::BusyUntil, Expr::value(stored::time(Utc::now() + BUSY_FOR)))
                .filter(self.own())
                .exec(&transaction)
                .await?;
            if going.rows_affected == 0 {
                transaction.rollback().await?;
                return Ok(None);
            }
            bulk::write(&transaction, statement, portion, &values).await?;
            transaction.commit().await?;
            rest = others;
            if rest.is_empty() {
                return Ok(Some(()));
            }
        }
    }

    fn own(&self) -> Condition {
        Condition::all()
            .add(Column::Organization.eq(self.organization.uuid()))
            .add(Column::Month.eq(self.month.to_string()))
            .add(Column::Run.eq(self.id))
    }

    fn of_group(&self, split: Split<'_>, place: i64, group: &Group) -> Vec<Value> {
        let Sums {
            requests,
            unpriced,
            input_tokens,
            output_tokens,
            cost_nanos,
        } = group.sums;
        vec![
            self.organization.uuid().into(),
            self.month.to_string().into(),
            split.by.as_str().into(),
            split.tag_text().into(),
            place.into(),
            group.kind.as_str().into(),
            group.subject.clone().into(),
            group.name.clone().into(),
            group.subjects.into(),
            requests.into(),
            unpriced.into(),
            input_tokens.into(),
            output_tokens.into(),
            cost_nanos.into(),
        ]
    }
}

/// The dearest first.
fn order(group: &Group) -> (std::cmp::Reverse<i64>, &'static str, Option<&str>) {
    (
        std::cmp::Reverse(group.sums.cost_nanos),
        group.kind.as_str(),
        group.subject.as_deref(),
    )
}

fn being_locked(month: Month, row: Option<&Model>) -> String {
    match row {
        Some(row) => format!(
            "{month} is being locked: {} of {} portions of it are kept",
            row.done, row.portions
        ),
        None => format!("nothing of {month} was kept: try again"),
    }
}

async fn of_month(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    month: Month,
) -> Result<Option<Model>, DbErr> {
    let key = (organization.uuid(), month.to_string());
    Entity::find_by_id(key).one(transaction).await
}

fn insertion(backend: DbBackend, table: &str, columns: &str, width: usize, rows: usize) -> String {
    let mut sql = format!("{} INTO {table} ({columns}) VALUES ", insert_of_many(backend));
    placeholders(&mut sql, backend, 0, rows, width);
    sql
}

/// All that any request of the month has.
async fn tags_of(transaction: &DatabaseTransaction, entries: &Entries) -> Result<Vec<TagName>, DbErr> {
    let backend = transaction.get_database_backend();
    let names = match backend {
        DbBackend::Postgres => "SELECT DISTINCT jsonb_object_keys(CAST(tags AS jsonb)) AS name",
        _ => "SELECT DISTINCT json_each.key AS name",
    };
    let each = match backend {
        DbBackend::Postgres => "",
        _ => ", json_each(entry.tags)",
    };
    let sql = format!(
        "WITH entry AS ({}) {names} FROM entry{each} WHERE tags IS NOT NULL ORDER BY name",
        entries.sql()
    );
    let statement = stored::statement(backend, &sql, entries.parameters());
    let rows = transaction.query_all_raw(statement).await?;
    let name = |text: String| stored::parsed("tag", &text);
    rows.iter().map(|row| row.try_get_by_index(0).and_then(name)).collect()
}
