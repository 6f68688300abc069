//! Passwords as PHC strings, and the lock that wrong ones lead to. Hashing and the length of a lock are the control
//! plane's business.

use chrono::{DateTime, Utc};
use gatewright_types::PersonId;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, UpdateMany};

use crate::entity::person::{Column, Entity};
use crate::error::{DatabaseError, WriteError};
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

impl System<'_> {
    /// Counts one more wrong password and tells how many there were in a row.
    pub async fn count_failed_sign_in(&self, person: PersonId) -> Result<u32, DatabaseError> {
        let counted = of(person)
            .col_expr(Column::FailedCount, Expr::col(Column::FailedCount).add(1_i64))
            .exec_with_returning(&self.db.write)
            .await?;
        let row = counted
            .first()
            .ok_or_else(|| DbErr::RecordNotFound(format!("there is no {person}")))?;
        Ok(stored::count_u32(row.failed_count))
    }

    pub async fn lock_out(&self, person: PersonId, until: DateTime<Utc>) -> Result<(), DatabaseError> {
        of(person)
            .col_expr(Column::LockedUntil, Expr::value(stored::time(until)))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }

    /// After a right password: no failures, no lock.
    pub async fn clear_failed_sign_ins(&self, person: PersonId) -> Result<(), DatabaseError> {
        cleared(of(person)).exec(&self.db.write).await?;
        Ok(())
    }

    /// The same password under newer hashing parameters; not a change anybody made. Nothing happens when the password
    /// was changed meanwhile.
    pub async fn refresh_password_hash(&self, person: PersonId, old: &str, new: &str) -> Result<(), DatabaseError> {
        of(person)
            .col_expr(Column::Password, Expr::value(new))
            .filter(Column::Password.eq(old))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }
}

impl WriteTx {
    /// Sets the PHC string and clears failures and lock.
    pub async fn set_password(&mut self, person: PersonId, password: &str) -> Result<(), WriteError> {
        let change = cleared(of(person)).col_expr(Column::Password, Expr::value(password));
        match change.exec(&self.transaction).await?.rows_affected {
            0 => Err(WriteError::NotFound),
            _ => Ok(()),
        }
    }
}

fn of(person: PersonId) -> UpdateMany<Entity> {
    Entity::update_many().filter(Column::Id.eq(person.uuid()))
}

fn cleared(update: UpdateMany<Entity>) -> UpdateMany<Entity> {
    update
        .col_expr(Column::FailedCount, Expr::value(0_i64))
        .col_expr(Column::LockedUntil, Expr::value(None::<DateTime<Utc>>))
}
