//! Runs that price requests anew. A run goes through its requests in the order of their identifiers, a portion at a time:
//! adjustments, sums, budgets and how far it is are one transaction, conditional on how far it was, so that a run that is
//! taken up again, or by two nodes at once, adjusts no request twice. A dry run goes the same way and adds nothing.

mod adding;
mod asking;
mod charged;
mod row;
mod working;

use chrono::{DateTime, Utc};
use gatewright_contract::Revision;
use gatewright_types::api::Reprice;
use gatewright_types::{OrganizationId, Page, PageQuery, RepriceId};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, Select,
};

use self::row::read;
use crate::entity::config_unit;
use crate::entity::reprice::{Column, Entity};
use crate::error::{DatabaseError, ListError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;

pub use adding::Adjustment;
pub use charged::ChargedRequest;
pub use row::{RepriceRange, RepriceRun};
pub use working::RepriceStep;

/// What decides prices, beside the catalogue.
const OF_PRICES: [&str; 2] = ["price", "overlay"];

impl Scope<'_> {
    pub async fn reprices(&self, query: &PageQuery) -> Result<Page<Reprice>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, read)
    }

    pub async fn reprice(&self, id: RepriceId) -> Result<Option<Reprice>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(read).transpose()?)
    }

    /// Changes with each change of what decides prices.
    pub async fn price_revision(&self) -> Result<Revision, DatabaseError> {
        use config_unit::Column;
        let own = Condition::all()
            .add(Column::Organization.eq(self.id.uuid()))
            .add(Column::Kind.is_in(OF_PRICES));
        let catalog = Condition::all()
            .add(Column::Organization.eq(OrganizationId::INSTALLATION.uuid()))
            .add(Column::Kind.eq("catalog"));
        let newest = config_unit::Entity::find()
            .filter(Condition::any().add(own).add(catalog))
            .order_by_desc(Column::Revision)
            .one(&self.connection)
            .await?;
        Ok(Revision(newest.map_or(0, |newest| stored::count(newest.revision))))
    }
}

/// A run under way that adds to what requests of a time cost.
pub(crate) async fn running_within(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<RepriceId>, DbErr> {
    let overlaps = Condition::all()
        .add(Column::DryRun.eq(false))
        .add(Column::FromAt.lt(stored::time(to)))
        .add(Column::ToAt.gt(stored::time(from)));
    running(connection, organization, overlaps).await
}

async fn running(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    which: Condition,
) -> Result<Option<RepriceId>, DbErr> {
    let running = ours(organization).filter(Column::FinishedAt.is_null()).filter(which);
    Ok(running.one(connection).await?.map(|row| RepriceId::from_uuid(row.id)))
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}
