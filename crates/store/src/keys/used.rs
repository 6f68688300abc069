//! When keys were last used, as far as usage was taken in: to the minute, by one statement a batch.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::UsageRecord;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::entity::key::{Column, Entity};
use crate::error::DatabaseError;
use crate::stored;
use crate::system::System;

/// A use is noted when the last one noted is older.
pub(super) const COARSE: TimeDelta = TimeDelta::minutes(1);

impl System<'_> {
    /// Notes that the keys of these records were used. All are taken to be as late as the latest of them: a batch is from one
    /// moment, and a key that seems younger than it is is shut later, never earlier.
    ///
    /// Apart from taking the records in: nobody waits for the rows of keys, and a use that is not noted is with the next one.
    pub async fn note_key_use(&self, records: &[UsageRecord]) -> Result<(), DatabaseError> {
        let Some(latest) = records.iter().map(|record| record.started_at).max() else {
            return Ok(());
        };
        let latest: DateTime<Utc> = stored::time(latest);
        let mut keys: Vec<_> = records.iter().map(|record| record.key.uuid()).collect();
        keys.sort_unstable();
        keys.dedup();
        let unknown = Column::LastUsedAt.is_null();
        Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(latest))
            .filter(Column::Id.is_in(keys))
            .filter(unknown.or(Column::LastUsedAt.lt(latest - COARSE)))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }
}
