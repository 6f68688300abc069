//! The schedule by which newer catalogues are fetched. Whose turn it is to try is a claim in its row: it is taken by
//! moving the next try on, so that of several control nodes one tries, and another one does when that one died.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_types::HumanDuration;
use gatewright_types::api::{AutomaticApproval, CatalogSchedule, CatalogTry, CatalogTryOutcome, NewCatalogSchedule};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};

use crate::entity::catalog_schedule::{Column, Entity, Model};
use crate::error::{DatabaseError, WriteError};
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

const SINGLETON: i16 = 1;

/// The right to make one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogTurn {
    pub setting: NewCatalogSchedule,
    /// Until then nobody else tries. A turn whose schedule was changed meanwhile has another time there, or none.
    until: DateTime<Utc>,
}

impl System<'_> {
    pub async fn catalog_schedule(&self) -> Result<CatalogSchedule, DatabaseError> {
        let row = Entity::find_by_id(SINGLETON).one(&self.db.read).await?;
        Ok(row.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    /// Takes the turn when a try is due. Whoever takes it has `patience` to end it.
    pub async fn take_catalog_turn(
        &self,
        now: DateTime<Utc>,
        patience: Duration,
    ) -> Result<Option<CatalogTurn>, DatabaseError> {
        let Some(row) = Entity::find_by_id(SINGLETON).one(&self.db.read).await? else {
            return Ok(None);
        };
        if row.next_try_at > now {
            return Ok(None);
        }
        let (due, until) = (row.next_try_at, later(now, patience));
        let taken = Entity::update_many()
            .col_expr(Column::NextTryAt, Expr::value(until))
            .filter(Column::Singleton.eq(SINGLETON))
            .filter(Column::NextTryAt.eq(due))
            .exec(&self.db.write)
            .await?;
        if taken.rows_affected == 0 {
            return Ok(None);
        }
        Ok(Some(CatalogTurn {
            setting: setting(&row)?,
            until,
        }))
    }

    /// Keeps how the try ended. Of a turn that is no longer held nothing is kept.
    pub async fn end_catalog_turn(
        &self,
        turn: &CatalogTurn,
        made: &CatalogTry,
        next_in: Duration,
    ) -> Result<(), DatabaseError> {
        Entity::update_many()
            .col_expr(Column::NextTryAt, Expr::value(later(made.at, next_in)))
            .col_expr(Column::TriedAt, Expr::value(Some(stored::time(made.at))))
            .col_expr(Column::Outcome, Expr::value(Some(made.outcome.as_str())))
            .col_expr(Column::Version, Expr::value(made.version.clone()))
            .col_expr(Column::Error, Expr::value(made.error.clone()))
            .filter(Column::Singleton.eq(SINGLETON))
            .filter(Column::NextTryAt.eq(turn.until))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }
}

impl WriteTx {
    /// The next try is due at once; how the last one ended is forgotten when it was made at another address.
    pub async fn set_catalog_schedule(&mut self, new: &NewCatalogSchedule) -> Result<CatalogSchedule, WriteError> {
        let before = Entity::find_by_id(SINGLETON).one(&self.transaction).await?;
        let before = before.filter(|row| row.url == new.url);
        let row = Model {
            singleton: SINGLETON,
            url: new.url.clone(),
            every_ms: stored::number(u64::try_from(new.every.get().as_millis()).unwrap_or(u64::MAX)),
            approval: new.approval.as_str().to_owned(),
            next_try_at: self.at,
            tried_at: before.as_ref().and_then(|row| row.tried_at),
            outcome: before.as_ref().and_then(|row| row.outcome.clone()),
            version: before.as_ref().and_then(|row| row.version.clone()),
            error: before.and_then(|row| row.error),
        };
        let replaced = OnConflict::column(Column::Singleton)
            .update_columns([
                Column::Url,
                Column::EveryMs,
                Column::Approval,
                Column::NextTryAt,
                Column::TriedAt,
                Column::Outcome,
                Column::Version,
                Column::Error,
            ])
            .to_owned();
        Entity::insert(row.clone().into_active_model())
            .on_conflict(replaced)
            .exec_without_returning(&self.transaction)
            .await?;
        Ok(read(&row)?)
    }

    pub async fn remove_catalog_schedule(&mut self) -> Result<(), WriteError> {
        let removed = Entity::delete_by_id(SINGLETON).exec(&self.transaction).await?;
        if removed.rows_affected == 0 {
            return Err(WriteError::NotFound);
        }
        Ok(())
    }
}

fn later(time: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
    stored::time(time.checked_add_signed(span).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

fn setting(row: &Model) -> Result<NewCatalogSchedule, DbErr> {
    Ok(NewCatalogSchedule {
        url: row.url.clone(),
        every: HumanDuration::from_millis(stored::count(row.every_ms)),
        approval: stored::one_of(
            "approval",
            &row.approval,
            AutomaticApproval::ALL,
            AutomaticApproval::as_str,
        )?,
    })
}

fn read(row: &Model) -> Result<CatalogSchedule, DbErr> {
    let outcome = row
        .outcome
        .as_deref()
        .map(|outcome| stored::one_of("outcome", outcome, CatalogTryOutcome::ALL, CatalogTryOutcome::as_str));
    let last_try = match (row.tried_at, outcome.transpose()?) {
        (Some(at), Some(outcome)) => Some(CatalogTry {
            at,
            outcome,
            version: row.version.clone(),
            error: row.error.clone(),
        }),
        _ => None,
    };
    Ok(CatalogSchedule {
        setting: Some(setting(row)?),
        next_try_at: Some(row.next_try_at),
        last_try,
    })
}
