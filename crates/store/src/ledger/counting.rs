//! By which windows a budget counts, since when, and before when requests were removed without being kept for it.

use chrono::{DateTime, Utc};
use gatewright_contract::Budget;
use gatewright_types::api::BudgetWindow;
use gatewright_types::{OrganizationId, ZoneName};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _,
};

use super::openings::{bounds, is_by_sums, sums_of};
use crate::entity::budget_counting::{Column, Entity, Model};
use crate::entity::budget_opening;
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;
use crate::usage_parts::usage_from;

impl Scope<'_> {
    /// Before when requests were removed that a budget is for, in its window of a moment, and that nobody added up for it.
    /// Nothing where all of them are known.
    pub async fn known_from(
        &self,
        budget: &Budget,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, DatabaseError> {
        let Some(known) = of(&self.connection, self.id, budget).await? else {
            return Ok(None);
        };
        let first = budget.counting(now).since(now);
        let Some(known_from) = known.known_from.filter(|known_from| first < *known_from) else {
            return Ok(None);
        };
        let was_complete = known.since < known_from && is_settled(&self.connection, &known).await?;
        Ok((!was_complete).then_some(known_from))
    }
}

/// By which windows it counts.
pub(crate) fn written(budget: &Budget) -> String {
    stored::to_json(&(budget.spec.window, &budget.spec.time_zone))
}

/// As it counts now; nothing where that was not noted.
pub(crate) async fn of(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    budget: &Budget,
) -> Result<Option<Model>, DbErr> {
    let key = (organization.uuid(), budget.id.uuid());
    let known = Entity::find_by_id(key).one(connection).await?;
    Ok(known.filter(|known| known.counting == written(budget)))
}

pub(crate) async fn is_settled(connection: &impl ConnectionTrait, counting: &Model) -> Result<bool, DbErr> {
    let marker = (counting.organization, counting.budget, counting.from_ms, String::new());
    let marker = budget_opening::Entity::find_by_id(marker).one(connection).await?;
    Ok(marker.is_some_and(|marker| marker.settled))
}

/// Notes how it counts from now on, if it counts otherwise than is known.
pub(crate) async fn begin(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    budget: &Budget,
    now: DateTime<Utc>,
) -> Result<Model, DbErr> {
    let before = Entity::find()
        .filter(Column::Organization.eq(organization.uuid()))
        .filter(Column::Budget.eq(budget.id.uuid()))
        .one(transaction)
        .await?;
    let known_from = match &before {
        Some(before) if before.counting == written(budget) => return Ok(before.clone()),
        // Of what counts for ever, everything was kept.
        Some(before) if sums_of(&budget.scope).is_none() && counts_for_ever(before)? => before.known_from,
        _ => usage_from(transaction).await?,
    };
    let counting = budget.counting(now);
    let (first, _) = bounds(counting, now);
    let by_sums = is_by_sums(budget, counting, now, now);
    let begun = Model {
        organization: organization.uuid(),
        budget: budget.id.uuid(),
        counting: written(budget),
        since: stored::time(now),
        from_ms: budget.share(counting, now, None).from_ms,
        known_from: known_from.filter(|known_from| first < *known_from && !by_sums),
    };
    let changed = OnConflict::columns([Column::Organization, Column::Budget])
        .update_columns([Column::Counting, Column::Since, Column::FromMs, Column::KnownFrom])
        .to_owned();
    Entity::insert(begun.clone().into_active_model())
        .on_conflict(changed)
        .exec_without_returning(transaction)
        .await?;
    Ok(begun)
}

fn counts_for_ever(known: &Model) -> Result<bool, DbErr> {
    let (window, _): (BudgetWindow, ZoneName) = stored::json("counting", &known.counting)?;
    Ok(matches!(window, BudgetWindow::Total))
}
