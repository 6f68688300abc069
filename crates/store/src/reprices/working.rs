//! Working on runs: each portion is done by one, whoever takes the run up.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::Budget;
use gatewright_types::RequestId;
use gatewright_types::api::{AuditOutcome, RepriceSums};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, Condition, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _};

use super::adding::add;
use super::row::run;
use super::{Adjustment, RepriceRun};
use crate::audit;
use crate::db::Db;
use crate::entity::reprice::{Column, Entity};
use crate::error::DatabaseError;
use crate::stored;
use crate::system::System;
use crate::usage::first_id_of;
use crate::usage_parts::hold_removal;
use crate::write::{Actor, Change};

/// Whoever works on a run says so for this long: after it, another one takes over.
const TAKEN_FOR: TimeDelta = TimeDelta::seconds(10);

/// How a run went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepriceStep {
    Done,
    /// Somebody else did it, or ended the run.
    Lost,
}

impl System<'_> {
    /// Runs that nobody works on, each said to be worked on from now.
    pub async fn take_up_reprices(&self) -> Result<Vec<RepriceRun>, DatabaseError> {
        let now = stored::now();
        let idle = Condition::all().add(Column::FinishedAt.is_null()).add(
            Condition::any()
                .add(Column::TakenUntil.is_null())
                .add(Column::TakenUntil.lt(now)),
        );
        if Entity::find().filter(idle.clone()).one(&self.db.read).await?.is_none() {
            return Ok(Vec::new());
        }
        let taken = Entity::update_many()
            .col_expr(Column::TakenUntil, Expr::value(now + TAKEN_FOR))
            .filter(idle)
            .exec_with_returning(&self.db.write)
            .await?;
        Ok(taken.iter().map(run).collect::<Result<_, _>>()?)
    }

    /// Lets others take up a run at once.
    pub async fn put_down_reprice(&self, run: &RepriceRun) -> Result<(), DatabaseError> {
        Entity::update_many()
            .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(there(run))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }
}

impl Db {
    /// Adds a portion's adjustments to everything that their requests count in, and moves the run on to its last request.
    /// `after` are the run's sums with this portion.
    pub async fn adjust(
        &self,
        run: &RepriceRun,
        adjustments: &[Adjustment],
        budgets: &[Budget],
        position: RequestId,
        after: &RepriceSums,
    ) -> Result<RepriceStep, DatabaseError> {
        let transaction = self.begin().await?;
        let usage_from = hold_removal(&transaction).await?.map(first_id_of);
        let is_gone = |adjustment: &Adjustment| usage_from.is_some_and(|from| adjustment.request.row.id < from);
        if adjustments.iter().any(is_gone) {
            // Removed since they were read, with what they cost then. Whoever takes up the run begins after them.
            transaction.rollback().await?;
            return Ok(RepriceStep::Lost);
        }
        let now = stored::now();
        let moved = Entity::update_many()
            .col_expr(Column::Position, Expr::value(position.uuid()))
            .col_expr(Column::TakenUntil, Expr::value(now + TAKEN_FOR))
            .col_expr(Column::Requests, Expr::value(stored::number(after.requests)))
            .col_expr(Column::Changed, Expr::value(stored::number(after.changed)))
            .col_expr(Column::Unpriceable, Expr::value(stored::number(after.unpriceable)))
            .col_expr(Column::BeforeNanos, Expr::value(after.before.get()))
            .col_expr(Column::AfterNanos, Expr::value(after.after.get()))
            .col_expr(Column::Parts, Expr::value(stored::to_json(&after.parts)))
            .filter(there(run))
            .exec(&transaction)
            .await?;
        if moved.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(RepriceStep::Lost);
        }
        if !run.dry_run {
            add(&transaction, run, adjustments, budgets, now).await?;
        }
        transaction.commit().await?;
        Ok(RepriceStep::Done)
    }

    /// Ends a run, which the audit log tells.
    pub async fn end_reprice(&self, run: &RepriceRun, failure: Option<&str>) -> Result<RepriceStep, DatabaseError> {
        let transaction = self.begin().await?;
        let now = stored::now();
        let ended = Entity::update_many()
            .col_expr(Column::FinishedAt, Expr::value(now))
            .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Failure, Expr::value(failure.map(str::to_owned)))
            .filter(there(run))
            .exec(&transaction)
            .await?;
        if ended.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(RepriceStep::Lost);
        }
        // A dry run changed nothing.
        if !run.dry_run {
            tell_end(&transaction, run, failure, now).await?;
        }
        transaction.commit().await?;
        Ok(RepriceStep::Done)
    }
}

async fn tell_end(
    transaction: &DatabaseTransaction,
    run: &RepriceRun,
    failure: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let RepriceSums {
        requests,
        changed,
        unpriceable,
        before,
        after,
        parts: _,
    } = &run.sums;
    let detail = serde_json::json!({
        "requests": requests, "changed": changed, "unpriceable": unpriceable, "before": before, "after": after,
        "failure": failure,
    });
    let change = Change::new(run.organization, "reprice.end", run.id, detail);
    let row = audit::row(&Actor::system(run.id.to_string()), &change, AuditOutcome::Done, now);
    stored::insert(transaction, row).await
}

/// The run as far as somebody knows it.
fn there(run: &RepriceRun) -> Condition {
    Condition::all()
        .add(Column::Id.eq(run.id.uuid()))
        .add(Column::Position.eq(run.position.uuid()))
        .add(Column::FinishedAt.is_null())
}
