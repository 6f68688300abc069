//! An organization's own facts of models. They name a kind of provider and a model there by text, known to the catalogue
//! or not.

use gatewright_contract::{OverlayUnit, UnitBody, UnitId};
use gatewright_types::api::{ModelFacts, NewOverlay, Overlay, ProviderKind};
use gatewright_types::{OrganizationId, OverlayId, Page, PageQuery};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, Select};

use crate::entity::overlay::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

impl Scope<'_> {
    pub async fn overlays(&self, query: &PageQuery) -> Result<Page<Overlay>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, |row| read(&row))
    }

    pub async fn overlay(&self, id: OverlayId) -> Result<Option<Overlay>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }
}

impl WriteTx {
    pub async fn create_overlay(
        &mut self,
        organization: OrganizationId,
        id: OverlayId,
        new: &NewOverlay,
    ) -> Result<Overlay, WriteError> {
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            kind: new.kind.as_str().to_owned(),
            model: new.model.as_str().to_owned(),
            facts: stored::to_json(&new.facts),
            created_at: self.at,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_overlay(organization, &row).await
    }

    pub async fn change_overlay(
        &mut self,
        organization: OrganizationId,
        id: OverlayId,
        facts: &ModelFacts,
    ) -> Result<Overlay, WriteError> {
        let changed = Entity::update_many()
            .col_expr(Column::Facts, Expr::value(stored::to_json(facts)))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec_with_returning(&self.transaction)
            .await?;
        let row = changed.into_iter().next().ok_or(WriteError::NotFound)?;
        self.publish_overlay(organization, &row).await
    }

    pub async fn delete_overlay(&mut self, organization: OrganizationId, id: OverlayId) -> Result<(), WriteError> {
        let deleted = Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        stored::there(deleted.rows_affected)?;
        self.tombstone(organization, UnitId::Overlay(id)).await
    }

    async fn publish_overlay(&mut self, organization: OrganizationId, row: &Model) -> Result<Overlay, WriteError> {
        let overlay = read(row)?;
        let unit = OverlayUnit {
            kind: overlay.kind,
            model: overlay.model.clone(),
            facts: overlay.facts.clone(),
        };
        self.publish(organization, UnitId::Overlay(overlay.id), UnitBody::Overlay(unit))
            .await?;
        Ok(overlay)
    }
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

fn read(row: &Model) -> Result<Overlay, DbErr> {
    Ok(Overlay {
        id: OverlayId::from_uuid(row.id),
        kind: stored::one_of("kind", &row.kind, &ProviderKind::ALL, ProviderKind::as_str)?,
        model: stored::parsed("model", &row.model)?,
        facts: stored::json("facts", &row.facts)?,
        created_at: row.created_at,
    })
}
