//! Sums of what the two sides of each canary did, by the round in which a node gave the request to one of them. They are
//! taken in with the records themselves, so that nobody has to read those; most batches have none.

use std::collections::{BTreeMap, HashMap};

use gatewright_contract::{Revision, UsageRecord};
use gatewright_types::ModelId;
use gatewright_types::api::CanarySide;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _,
};
use uuid::Uuid;

use crate::entity::canary_usage::{Column, Entity, Model};
use crate::error::DatabaseError;
use crate::stored;
use crate::system::System;

const COUNTERS: [Column; 5] = [
    Column::Requests,
    Column::Failed,
    Column::LatencyUs,
    Column::Priced,
    Column::CostNanos,
];

/// What one side did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CanarySums {
    pub requests: u64,
    pub failed: u64,
    /// Of those that did not fail: until the first token, or until the end where all came at once.
    pub latency_us: u64,
    /// Those that did not fail and have a price.
    pub priced: u64,
    /// Of the priced ones.
    pub cost_nanos: u64,
}

/// Which sums are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Side {
    pub(crate) model: ModelId,
    pub(crate) place: String,
    pub(crate) round: Revision,
    pub(crate) side: CanarySide,
}

impl System<'_> {
    /// Removes the sums of rounds that are over, and of canaries that are gone.
    pub async fn prune_canary_usage(&self) -> Result<u64, DatabaseError> {
        const SQL: &str = "DELETE FROM canary_usage WHERE NOT EXISTS (SELECT 1 FROM canary \
             WHERE canary.model = canary_usage.model AND canary.place = canary_usage.place \
             AND canary.round = canary_usage.round)";
        Ok(self.db.write.execute_unprepared(SQL).await?.rows_affected())
    }
}

/// Adds records to the sums of the canaries on their way. Rows are written in the order of their key, as other sums are.
pub(crate) async fn add(transaction: &DatabaseTransaction, records: &[&UsageRecord]) -> Result<(), DbErr> {
    let mut rows: BTreeMap<_, CanarySums> = BTreeMap::new();
    for record in records {
        let Some(model) = record.model_id else { continue };
        for share in &record.canaries {
            let key = (
                model.uuid(),
                share.place.as_str(),
                share.round,
                share.side,
                record.organization.uuid(),
            );
            rows.entry(key).or_default().count(record, share.failed);
        }
    }
    for ((model, place, round, side, organization), sums) in rows {
        let row = Model {
            model,
            place: place.to_owned(),
            round: stored::number(round.0),
            side: side.as_str().to_owned(),
            organization,
            requests: stored::number(sums.requests),
            failed: stored::number(sums.failed),
            latency_us: stored::number(sums.latency_us),
            priced: stored::number(sums.priced),
            cost_nanos: stored::number(sums.cost_nanos),
        };
        let mut added = OnConflict::columns([Column::Model, Column::Place, Column::Round, Column::Side]);
        for counter in COUNTERS {
            let there = Expr::col((Entity, counter));
            added.value(counter, there.add(Expr::col(("excluded", counter))));
        }
        Entity::insert(row.into_active_model())
            .on_conflict(added)
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

/// All sums of these models.
pub(crate) async fn of_models(
    connection: &impl ConnectionTrait,
    models: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Side, CanarySums>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Model.is_in(models))
        .all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

fn read(row: Model) -> Result<(Side, CanarySums), DbErr> {
    let side = Side {
        model: ModelId::from_uuid(row.model),
        side: stored::one_of("side", &row.side, CanarySide::ALL, CanarySide::as_str)?,
        place: row.place,
        round: Revision(stored::count(row.round)),
    };
    let sums = CanarySums {
        requests: stored::count(row.requests),
        failed: stored::count(row.failed),
        latency_us: stored::count(row.latency_us),
        priced: stored::count(row.priced),
        cost_nanos: stored::count(row.cost_nanos),
    };
    Ok((side, sums))
}

impl CanarySums {
    fn count(&mut self, record: &UsageRecord, failed: bool) {
        self.requests += 1;
        if failed {
            self.failed += 1;
            return;
        }
        let latency_us = record.first_token_us.unwrap_or(record.duration_us);
        self.latency_us = self.latency_us.saturating_add(latency_us);
        if let Some(cost) = record.cost {
            self.priced += 1;
            self.cost_nanos = self.cost_nanos.saturating_add(stored::count(cost.get()));
        }
    }
}
