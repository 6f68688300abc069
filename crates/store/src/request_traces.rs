//! Traces of requests: kept with the rows of those that have one, read one at a time, removed when their organization's
//! time for them is over. An identifier tells when it was minted, so that an organization's oldest are found by the key.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::UsageRecord;
use gatewright_types::api::{Decision, TraceSettings};
use gatewright_types::{OrganizationId, RequestId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, ExprTrait as _, IntoActiveModel, QueryFilter as _,
    QuerySelect as _, QueryTrait as _, Select,
};

use crate::entity::organization;
use crate::entity::request_trace::{Column, Entity, Model};
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;
use crate::system::System;
use crate::usage::first_id_of;

/// So many go in by one statement, and out.
const PORTION: usize = 200;

impl Scope<'_> {
    /// What was kept of a request; nothing when it kept none, or no longer does.
    pub async fn request_trace(&self, request: RequestId) -> Result<Option<Decision>, DatabaseError> {
        let row = Entity::find_by_id((self.id.uuid(), request.uuid()))
            .one(&self.connection)
            .await?;
        let decision = row.map(|row| stored::json("trace", &row.decision));
        Ok(decision.transpose()?)
    }
}

impl System<'_> {
    /// Removes what is older than its organization keeps it, a portion at a time so that nobody waits long for the
    /// database, and tells how many those were.
    pub async fn remove_old_traces(&self, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let organizations = organization::Entity::find().all(&self.db.read).await?;
        let mut removed = 0;
        for row in &organizations {
            let keep = crate::organizations::traces(row)?.keep;
            let oldest = before(now, keep.get());
            let old = Entity::find()
                .filter(Column::Organization.eq(row.id))
                .filter(Column::Request.lt(first_id_of(oldest)));
            removed += self.remove(old).await?;
        }
        // Of organizations that are gone: requests may have ended after they were.
        let oldest = before(now, TraceSettings::LONGEST_KEEP.get());
        removed += self.remove(Entity::find().filter(Column::At.lt(oldest))).await?;
        Ok(removed)
    }

    async fn remove(&self, old: Select<Entity>) -> Result<u64, DbErr> {
        let mut removed = 0;
        loop {
            let columns = [Column::Organization, Column::Request];
            let portion = old
                .clone()
                .select_only()
                .columns(columns)
                .limit(PORTION as u64)
                .into_query();
            let gone = Entity::delete_many()
                .filter(Expr::tuple(columns.map(Expr::col)).in_subquery(portion))
                .exec(&self.db.write)
                .await?
                .rows_affected;
            removed += gone;
            if gone < PORTION as u64 {
                return Ok(removed);
            }
        }
    }
}

/// Keeps the traces of records whose rows have just gone in.
pub(crate) async fn keep(transaction: &DatabaseTransaction, records: &[&UsageRecord]) -> Result<(), DbErr> {
    let traced = records.iter().filter_map(|record| {
        let decision = record.trace.as_ref()?;
        Some(Model {
            organization: record.organization.uuid(),
            request: record.id.uuid(),
            at: stored::time(record.started_at),
            decision: decision.clone(),
        })
    });
    let rows: Vec<_> = traced.collect();
    for portion in rows.chunks(PORTION) {
        let rows = portion.iter().cloned().map(IntoActiveModel::into_active_model);
        Entity::insert_many(rows).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// All an organization has.
pub(crate) async fn remove_all(transaction: &DatabaseTransaction, organization: OrganizationId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::Organization.eq(organization.uuid()))
        .exec(transaction)
        .await?;
    Ok(())
}

fn before(now: DateTime<Utc>, time: std::time::Duration) -> DateTime<Utc> {
    let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(time).unwrap_or(DateTime::<Utc>::MIN_UTC)
}
