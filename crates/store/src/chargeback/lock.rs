//! Months that are locked: what their reports and charges are made of is kept as it is at that moment, so that nothing that
//! happens afterwards changes it.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use gatewright_types::api::{ChargebackBy, ChargebackLock, Organization, SharedCost};
use gatewright_types::{Month, OrganizationId};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, Statement, Value,
};

use super::groups::{self, GROUP_COLUMNS, Group, Split, Sums};
use super::late;
use super::locking::{self, Watermark};
use crate::entity::{chargeback_month, usage_late};
use crate::error::{DatabaseError, WriteError};
use crate::reprices;
use crate::scope::Scope;
use crate::stored;
use crate::usage_parts;
use crate::write::WriteTx;

/// So long nodes have to deliver what is in their journals. What comes later is a correction in another month.
const DELIVERED_WITHIN: TimeDelta = TimeDelta::days(1);

/// A lock with all that was kept beside it.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    pub(super) told: ChargebackLock,
    pub(super) shared_cost: SharedCost,
    pub(super) sums: Sums,
}

impl Scope<'_> {
    /// The locked months that a time touches, the first one first.
    pub async fn locked_months(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Month>, DatabaseError> {
        let last = to - TimeDelta::nanoseconds(1);
        let rows = chargeback_month::Entity::find()
            .filter(chargeback_month::Column::Organization.eq(self.id.uuid()))
            .filter(chargeback_month::Column::Month.gte(Month::of(from).to_string()))
            .filter(chargeback_month::Column::Month.lte(Month::of(last).to_string()))
            .order_by_asc(chargeback_month::Column::Month)
            .all(&self.connection)
            .await?;
        let months = rows.iter().map(|row| stored::parsed("month", &row.month));
        Ok(months.collect::<Result<_, _>>()?)
    }
}

impl WriteTx {
    /// Locks a month with what was kept of it a moment ago (`locking.rs`). A conflict where that is not what it comes to by
    /// now.
    pub async fn lock_month(
        &mut self,
        organization: &Organization,
        month: Month,
    ) -> Result<ChargebackLock, WriteError> {
        let (id, connection) = (organization.id, &self.transaction);
        check(connection, id, month).await?;
        let found = Watermark::of(connection, id, month).await?;
        if locking::take(connection, id, month).await? != found {
            let message = format!("requests of {month} came in meanwhile: try again");
            return Err(WriteError::conflict("month", message));
        }
        let kept = sums(&groups(connection, id, month, BY_TEAM).await?);
        let row = chargeback_month::Model {
            organization: id.uuid(),
            month: month.to_string(),
            locked_at: self.at,
            locked_by: self.actor_label(),
            shared_cost: organization.shared_cost.as_str().to_owned(),
            requests: kept.requests,
            unpriced: kept.unpriced,
            input_tokens: kept.input_tokens,
            output_tokens: kept.output_tokens,
            cost_nanos: kept.cost_nanos,
        };
        let lock = read(&row, 0)?;
        stored::insert(connection, row).await?;
        Ok(lock.told)
    }

    /// Has a month added up from its rows again. Requests of it that are counted in another month that is locked stay there.
    pub async fn unlock_month(&mut self, organization: OrganizationId, month: Month) -> Result<(), WriteError> {
        let connection = &self.transaction;
        late::hold_back(connection).await?;
        let deleted = connection
            .execute_raw(deletion(connection, organization, month, "chargeback_month", ""))
            .await?;
        if deleted.rows_affected() == 0 {
            return Err(WriteError::NotFound);
        }
        forget(connection, organization, month).await?;
        let in_open_months = " AND counted_in NOT IN (SELECT month FROM chargeback_month WHERE organization = ?1)";
        let late = deletion(connection, organization, month, "usage_late", in_open_months);
        connection.execute_raw(late).await?;
        Ok(())
    }
}

const BY_TEAM: Split<'static> = Split {
    by: ChargebackBy::Team,
    tag: None,
};

/// Whether a month may be locked. Until the transaction ends nothing that is late for it comes in.
pub(super) async fn check(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    month: Month,
) -> Result<(), WriteError> {
    let told = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let from = lockable_from(month);
    if stored::now() < from {
        let from = told(from);
        let message = format!("{month} can be locked from {from} on: nodes may still deliver requests of it");
        return Err(WriteError::conflict("month", message));
    }
    late::hold_back(transaction).await?;
    if of_month(transaction, organization, month).await?.is_some() {
        return Err(WriteError::conflict("month", format!("{month} is locked already")));
    }
    if let Some(run) = reprices::running_within(transaction, organization, (month.start(), month.end())).await? {
        let message = format!("{run} is pricing requests of {month} anew: lock it when that is done");
        return Err(WriteError::conflict("month", message));
    }
    let since = usage_parts::usage_from(transaction).await?;
    if let Some(since) = since.filter(|since| *since > month.start()) {
        let since = told(since);
        let message = format!("requests before {since} are no longer kept, so {month} cannot be added up");
        return Err(WriteError::conflict("month", message));
    }
    Ok(())
}

/// Removes what was kept of a month.
pub(super) async fn forget(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    month: Month,
) -> Result<(), DbErr> {
    for table in ["chargeback_group", "chargeback_charge"] {
        transaction
            .execute_raw(deletion(transaction, organization, month, table, ""))
            .await?;
    }
    Ok(())
}

fn deletion(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    month: Month,
    table: &str,
    also: &str,
) -> Statement {
    stored::statement(
        transaction.get_database_backend(),
        &format!("DELETE FROM {table} WHERE organization = ?1 AND month = ?2{also}"),
        [Value::from(organization.uuid()), month.to_string().into()],
    )
}

fn sums(groups: &[Group]) -> Sums {
    let mut sums = Sums::default();
    groups.iter().for_each(|group| sums.add(&group.sums));
    sums
}

/// From when on a month can be locked.
pub(super) fn lockable_from(month: Month) -> DateTime<Utc> {
    month.end() + DELIVERED_WITHIN
}

pub(super) async fn of_month(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    month: Month,
) -> Result<Option<Lock>, DbErr> {
    let row = chargeback_month::Entity::find_by_id((organization.uuid(), month.to_string()))
        .one(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let late = usage_late::Entity::find()
        .filter(usage_late::Column::Organization.eq(organization.uuid()))
        .filter(usage_late::Column::Month.eq(month.to_string()))
        .count(connection)
        .await?;
    read(&row, late).map(Some)
}

/// Of a locked month. A tag that no request had is on none of its rows.
pub(super) async fn groups(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    month: Month,
    split: Split<'_>,
) -> Result<Vec<Group>, DbErr> {
    let sql = format!(
        "SELECT {GROUP_COLUMNS} FROM chargeback_group \
         WHERE organization = ?1 AND month = ?2 AND split = ?3 AND tag = ?4 ORDER BY place"
    );
    let kept = async |tag: &str| {
        let values: [Value; 4] = [
            organization.uuid().into(),
            month.to_string().into(),
            split.by.as_str().into(),
            tag.into(),
        ];
        let statement = stored::statement(connection.get_database_backend(), &sql, values);
        let rows = connection.query_all_raw(statement).await?;
        rows.iter().map(groups::read).collect::<Result<Vec<_>, _>>()
    };
    let found = kept(split.tag_text()).await?;
    match found.is_empty() && split.tag.is_some() {
        true => kept("").await,
        false => Ok(found),
    }
}

pub(super) fn read(row: &chargeback_month::Model, late_requests: u64) -> Result<Lock, DbErr> {
    Ok(Lock {
        told: ChargebackLock {
            at: row.locked_at,
            by: row.locked_by.clone(),
            late_requests,
        },
        shared_cost: stored::one_of("shared_cost", &row.shared_cost, &SharedCost::ALL, SharedCost::as_str)?,
        sums: Sums {
            requests: row.requests,
            unpriced: row.unpriced,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            cost_nanos: row.cost_nanos,
        },
    })
}
