//! Models: the names callers ask for, and where each goes. Whether a route leads anywhere is for the compile check.

use chrono::{DateTime, Utc};
use gatewright_contract::{ModelUnit, UnitBody, UnitId};
use gatewright_types::api::{LimitScope, ModelChange, ModelSettings, NewModel, Route};
use gatewright_types::{ModelId, ModelName, OrganizationId, Page, PageQuery};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, Select};
use uuid::Uuid;

use crate::entity::model::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

/// A model as stored; which price applies is for the caller to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRow {
    pub id: ModelId,
    pub name: ModelName,
    pub route: Route,
    pub settings: ModelSettings,
    pub created_at: DateTime<Utc>,
}

impl Scope<'_> {
    pub async fn models(&self, query: &PageQuery) -> Result<Page<ModelRow>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, |row| read(&row))
    }

    pub async fn model(&self, id: ModelId) -> Result<Option<ModelRow>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    pub async fn model_by_name(&self, name: &ModelName) -> Result<Option<ModelRow>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Name.eq(name.as_str()))
            .one(&self.connection)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }
}

impl WriteTx {
    pub async fn create_model(
        &mut self,
        organization: OrganizationId,
        id: ModelId,
        model: &NewModel,
    ) -> Result<ModelRow, WriteError> {
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            name: model.name.as_str().to_owned(),
            route: stored::to_json(&model.route),
            timeouts: stored::to_json(&model.settings.timeouts),
            settings: Some(stored::to_json(&model.settings)),
            created_at: self.at,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_model(organization, &row).await
    }

    pub async fn change_model(
        &mut self,
        organization: OrganizationId,
        id: ModelId,
        change: &ModelChange,
    ) -> Result<ModelRow, WriteError> {
        let changed = Entity::update_many()
            .col_expr(Column::Route, Expr::value(stored::to_json(&change.route)))
            .col_expr(
                Column::Timeouts,
                Expr::value(stored::to_json(&change.settings.timeouts)),
            )
            .col_expr(Column::Settings, Expr::value(stored::to_json(&change.settings)))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec_with_returning(&self.transaction)
            .await?;
        let row = changed.into_iter().next().ok_or(WriteError::NotFound)?;
        self.publish_model(organization, &row).await
    }

    /// Its budgets and limits go with it. Refused at commit, by the compile check, while a budget sends requests to it.
    pub async fn delete_model(&mut self, organization: OrganizationId, id: ModelId) -> Result<(), WriteError> {
        let model = self.organization(organization).model(id).await?;
        let model = model.ok_or(WriteError::NotFound)?;
        Entity::delete_by_id(id.uuid()).exec(&self.transaction).await?;
        self.compare_keys_downgraded_to(organization, &model.name).await?;
        self.delete_caps_of(organization, &LimitScope::Model(model.name))
            .await?;
        self.tombstone(organization, UnitId::Model(id)).await
    }

    /// After something else was changed that nodes learn with the model.
    pub(crate) async fn publish_model_again(
        &mut self,
        organization: OrganizationId,
        id: ModelId,
    ) -> Result<ModelRow, WriteError> {
        let row = ours(organization)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.transaction)
            .await?;
        self.publish_model(organization, &row.ok_or(WriteError::NotFound)?)
            .await
    }

    async fn publish_model(&mut self, organization: OrganizationId, row: &Model) -> Result<ModelRow, WriteError> {
        let model = read(row)?;
        let unit = ModelUnit {
            name: model.name.clone(),
            route: model.route.clone(),
            canaries: self.follow_canaries(organization, &model).await?,
            settings: model.settings.clone(),
        };
        self.publish(organization, UnitId::Model(model.id), UnitBody::Model(unit))
            .await?;
        Ok(model)
    }
}

pub(crate) async fn by_ids(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<ModelRow>, DbErr> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).all(connection).await?;
    rows.iter().map(read).collect()
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

fn read(row: &Model) -> Result<ModelRow, DbErr> {
    Ok(ModelRow {
        id: ModelId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        route: stored::json("route", &row.route)?,
        settings: settings(row)?,
        created_at: row.created_at,
    })
}

/// A row that the release before wrote has its time limits only.
fn settings(row: &Model) -> Result<ModelSettings, DbErr> {
    match &row.settings {
        Some(settings) => stored::json("settings", settings),
        None => Ok(ModelSettings {
            timeouts: stored::json("timeouts", &row.timeouts)?,
            ..ModelSettings::default()
        }),
    }
}
