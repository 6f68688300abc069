//! What people ask for: that a run begins, and that it ends before its time.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::Revision;
use gatewright_types::api::{NewReprice, Reprice, RepriceSums};
use gatewright_types::{OrganizationId, RepriceId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::row::{model, provider, read};
use super::{ours, running};
use crate::entity::reprice::{Column, Entity, Model};
use crate::error::WriteError;
use crate::stored;
use crate::write::WriteTx;

/// To the release before, which knows no dry runs, they are somebody else's for ever. The last second that all databases
/// sort behind all others.
const NEVER_FREE: DateTime<Utc> = DateTime::from_timestamp(253_402_300_799, 0).expect("the end of the year 9999");
/// How long it is known what a dry run told.
const DRY_RUNS_KEPT: TimeDelta = TimeDelta::days(30);

impl WriteTx {
    /// Begins a run. A conflict while another one of the organization runs, and where prices are no longer those of the
    /// dry run that it is to do as.
    pub async fn create_reprice(
        &mut self,
        organization: OrganizationId,
        id: RepriceId,
        new: &NewReprice,
        revision: Revision,
    ) -> Result<Reprice, WriteError> {
        if let Some(running) = running(&self.transaction, organization, Condition::all()).await? {
            return Err(WriteError::conflict(
                "reprice",
                format!("{running} is running: wait until it is done, or cancel it"),
            ));
        }
        if let Some(told_by) = new.as_told_by {
            self.check_told(organization, told_by, new, revision).await?;
        }
        let locked = self.organization(organization).locked_months(new.from, new.to).await?;
        if let Some(month) = locked.first() {
            let message = format!("{month} is locked: what it cost stays; take a range without it, or unlock it");
            return Err(WriteError::conflict("from", message));
        }
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            from_at: stored::time(new.from),
            to_at: stored::time(new.to),
            provider: new.provider.as_ref().map(|name| name.as_str().to_owned()),
            model: new.model.as_ref().map(|name| name.as_str().to_owned()),
            priced_at: new.priced_at.map(stored::time),
            reason: new.reason.clone(),
            created_by: self.actor_label(),
            created_at: self.at,
            revision: stored::number(revision.0),
            position: Uuid::nil(),
            busy_until: new.dry_run.then_some(NEVER_FREE),
            requests: 0,
            changed: 0,
            unpriceable: 0,
            before_nanos: 0,
            after_nanos: 0,
            parts: stored::to_json(&RepriceSums::default().parts),
            finished_at: None,
            failure: None,
            dry_run: new.dry_run,
            taken_until: None,
            cancelled_by: None,
        };
        Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::DryRun.eq(true))
            .filter(Column::FinishedAt.lt(self.at - DRY_RUNS_KEPT))
            .exec(&self.transaction)
            .await?;
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(row)?)
    }

    async fn check_told(
        &self,
        organization: OrganizationId,
        told_by: RepriceId,
        new: &NewReprice,
        revision: Revision,
    ) -> Result<(), WriteError> {
        let dry_run = ours(organization)
            .filter(Column::Id.eq(told_by.uuid()))
            .filter(Column::DryRun.eq(true));
        let conflict = |what: String| Err(WriteError::conflict("as_told_by", what));
        match dry_run.one(&self.transaction).await? {
            None => conflict(format!(
                "{told_by} is no dry run of this organization, or is no longer known"
            )),
            Some(row) if row.finished_at.is_none() || row.failure.is_some() => {
                conflict(format!("{told_by} has not told all of it"))
            }
            Some(row) if row.revision != stored::number(revision.0) => {
                conflict(format!("prices have changed since {told_by}: make another dry run"))
            }
            Some(row) => {
                let told = (row.from_at, row.to_at, provider(&row)?, model(&row)?, row.priced_at);
                let (from, to) = (stored::time(new.from), stored::time(new.to));
                let priced_at = new.priced_at.map(stored::time);
                match told == (from, to, new.provider.clone(), new.model.clone(), priced_at) {
                    true => Ok(()),
                    false => conflict(format!("{told_by} told of other requests")),
                }
            }
        }
    }

    /// Ends a run before its time; what it has added stays.
    pub async fn cancel_reprice(&mut self, organization: OrganizationId, id: RepriceId) -> Result<(), WriteError> {
        let by = self.actor_label();
        let cancelled = Entity::update_many()
            .col_expr(Column::FinishedAt, Expr::value(self.at))
            .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Failure, Expr::value(format!("{by} cancelled it")))
            .col_expr(Column::CancelledBy, Expr::value(by))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::FinishedAt.is_null())
            .exec(&self.transaction)
            .await?;
        match cancelled.rows_affected {
            0 => Err(WriteError::conflict("reprice", format!("{id} is over already"))),
            _ => Ok(()),
        }
    }
}
