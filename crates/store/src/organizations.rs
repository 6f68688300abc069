//! Organizations: the tenants. Deleting one takes all it has, except what was used and the audit log.

use gatewright_contract::{OrganizationUnit, UnitBody, UnitId};
use gatewright_types::api::{Organization, SharedCost, TagRule, TraceSettings};
use gatewright_types::{CostCentre, DisplayName, OrganizationId, PersonId, Role, Slug};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::entity::membership;
use crate::entity::organization::{Column, Entity, Model};
use crate::error::{DatabaseError, WriteError};
use crate::scope::Scope;
use crate::system::System;
use crate::write::WriteTx;
use crate::{members, request_traces, stored};

impl System<'_> {
    pub async fn organization_by_slug(&self, slug: &Slug) -> Result<Option<Organization>, DatabaseError> {
        Ok(by_slug(&self.db.read, slug).await?)
    }

    /// The one that runs the installation: the first of all. It was made by whoever set the installation up.
    pub async fn first_organization(&self) -> Result<Option<Organization>, DatabaseError> {
        let first = Entity::find().order_by_asc(Column::Id).one(&self.db.read).await?;
        Ok(first.as_ref().map(read).transpose()?)
    }

    /// Where somebody is a member, and as what; in the order of slugs.
    pub async fn memberships(&self, person: PersonId) -> Result<Vec<(Organization, Role)>, DatabaseError> {
        let mine = membership::Column::Person.eq(person.uuid());
        let memberships = membership::Entity::find().filter(mine).all(&self.db.read).await?;
        let ids = memberships.iter().map(|membership| membership.organization);
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids))
            .order_by_asc(Column::Slug)
            .all(&self.db.read)
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(membership) = memberships.iter().find(|membership| membership.organization == row.id) else {
                continue;
            };
            found.push((read(&row)?, members::role(&membership.role)?));
        }
        Ok(found)
    }
}

impl Scope<'_> {
    /// The organization itself.
    pub async fn organization(&self) -> Result<Option<Organization>, DatabaseError> {
        Ok(by_id(&self.connection, self.id).await?)
    }
}

impl WriteTx {
    pub async fn create_organization(
        &mut self,
        id: OrganizationId,
        slug: &Slug,
        name: &DisplayName,
    ) -> Result<Organization, WriteError> {
        let (slug_text, name) = (slug.as_str().to_owned(), name.as_str().to_owned());
        let row = Model {
            id: id.uuid(),
            slug: slug_text,
            name,
            traces: None,
            tags: None,
            cost_centre: None,
            shared_cost: None,
            created_at: self.at,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_organization(&row).await
    }

    pub async fn organization_by_slug(&self, slug: &Slug) -> Result<Option<Organization>, DatabaseError> {
        Ok(by_slug(&self.transaction, slug).await?)
    }

    pub async fn rename_organization(
        &mut self,
        id: OrganizationId,
        name: &DisplayName,
    ) -> Result<Organization, WriteError> {
        self.set_column(id, Column::Name, Expr::value(name.as_str())).await
    }

    /// For what nodes are told nothing of.
    async fn set_column(&self, id: OrganizationId, column: Column, value: Expr) -> Result<Organization, WriteError> {
        Entity::update_many()
            .col_expr(column, value)
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        by_id(&self.transaction, id).await?.ok_or(WriteError::NotFound)
    }

    pub async fn change_traces(
        &mut self,
        id: OrganizationId,
        traces: TraceSettings,
    ) -> Result<Organization, WriteError> {
        self.change_organization(id, Column::Traces, stored::to_json(&traces))
            .await
    }

    /// Budgets and limits of a tag that is left out are refused at commit, by the compile check.
    pub async fn change_tags(&mut self, id: OrganizationId, tags: &[TagRule]) -> Result<Organization, WriteError> {
        self.change_organization(id, Column::Tags, stored::to_json(&tags)).await
    }

    /// Where what neither a key nor a team says is charged to. Nodes are told nothing of it.
    pub async fn change_cost_centre(
        &mut self,
        id: OrganizationId,
        cost_centre: Option<&CostCentre>,
    ) -> Result<Organization, WriteError> {
        let text = Expr::value(cost_centre.map(CostCentre::as_str));
        self.set_column(id, Column::CostCentre, text).await
    }

    pub async fn change_shared_cost(
        &mut self,
        id: OrganizationId,
        shared_cost: SharedCost,
    ) -> Result<Organization, WriteError> {
        self.set_column(id, Column::SharedCost, Expr::value(shared_cost.as_str()))
            .await
    }

    async fn change_organization(
        &mut self,
        id: OrganizationId,
        column: Column,
        text: String,
    ) -> Result<Organization, WriteError> {
        let changed = Entity::update_many()
            .col_expr(column, Expr::value(text))
            .filter(Column::Id.eq(id.uuid()))
            .exec_with_returning(&self.transaction)
            .await?;
        let row = changed.into_iter().next().ok_or(WriteError::NotFound)?;
        self.publish_organization(&row).await
    }

    async fn publish_organization(&mut self, row: &Model) -> Result<Organization, WriteError> {
        let organization = read(row)?;
        let unit = OrganizationUnit {
            slug: organization.slug.clone(),
            traces: organization.traces,
            tags: organization.tags.clone(),
        };
        self.publish(organization.id, UnitId::Organization, UnitBody::Organization(unit))
            .await?;
        Ok(organization)
    }

    /// Removes all it has, except what was used and the audit log, and tombstones all of its units.
    pub async fn delete_organization(&mut self, id: OrganizationId) -> Result<(), WriteError> {
        let deleted = Entity::delete_by_id(id.uuid()).exec(&self.transaction).await?;
        stored::there(deleted.rows_affected)?;
        request_traces::remove_all(&self.transaction, id).await?;
        self.tombstone_all(id).await
    }
}

pub(crate) async fn by_id(
    connection: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Option<Organization>, DbErr> {
    Entity::find_by_id(id.uuid())
        .one(connection)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

async fn by_slug(connection: &impl ConnectionTrait, slug: &Slug) -> Result<Option<Organization>, DbErr> {
    Entity::find()
        .filter(Column::Slug.eq(slug.as_str()))
        .one(connection)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

fn read(row: &Model) -> Result<Organization, DbErr> {
    Ok(Organization {
        id: OrganizationId::from_uuid(row.id),
        slug: stored::parsed("slug", &row.slug)?,
        name: stored::parsed("name", &row.name)?,
        traces: traces(row)?,
        tags: tags(row)?,
        cost_centre: stored::parsed_or_none("cost_centre", row.cost_centre.as_deref())?,
        shared_cost: shared_cost(row)?,
        created_at: row.created_at,
    })
}

/// An organization that never said anything has the usual settings, whatever those are.
pub(crate) fn traces(row: &Model) -> Result<TraceSettings, DbErr> {
    let traces = row.traces.as_ref();
    traces.map_or_else(|| Ok(TraceSettings::default()), |text| stored::json("traces", text))
}

fn shared_cost(row: &Model) -> Result<SharedCost, DbErr> {
    let text = row.shared_cost.as_deref();
    text.map_or(Ok(SharedCost::default()), |text| {
        stored::one_of("shared_cost", text, &SharedCost::ALL, SharedCost::as_str)
    })
}

fn tags(row: &Model) -> Result<Vec<TagRule>, DbErr> {
    let tags = row.tags.as_ref();
    tags.map_or_else(|| Ok(Vec::new()), |text| stored::json("tags", text))
}
