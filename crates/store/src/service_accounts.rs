//! Service accounts: what keys of programs belong to. One with active keys stays.

use std::collections::HashMap;

use gatewright_types::api::ServiceAccount;
use gatewright_types::{CostCentre, DisplayName, OrganizationId, Page, PageQuery, ServiceAccountId, TeamId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _, Select};
use uuid::Uuid;

use crate::entity::key;
use crate::entity::service_account::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

impl Scope<'_> {
    pub async fn service_accounts(&self, query: &PageQuery) -> Result<Page<ServiceAccount>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        let counts = key_counts(&self.connection, &rows).await?;
        part.page(rows, |row| row.id, |row| read(&row, &counts))
    }

    pub async fn service_account(&self, id: ServiceAccountId) -> Result<Option<ServiceAccount>, DatabaseError> {
        let select = ours(self.id).filter(Column::Id.eq(id.uuid()));
        let Some(row) = select.one(&self.connection).await? else {
            return Ok(None);
        };
        let counts = key_counts(&self.connection, std::slice::from_ref(&row)).await?;
        Ok(Some(read(&row, &counts)?))
    }
}

impl WriteTx {
    pub async fn create_service_account(
        &mut self,
        organization: OrganizationId,
        id: ServiceAccountId,
        name: &DisplayName,
        team: Option<TeamId>,
        created_by: &str,
    ) -> Result<ServiceAccount, WriteError> {
        if let Some(team) = team
            && self.organization(organization).team(team).await?.is_none()
        {
            return Err(WriteError::invalid("team", "there is no such team"));
        }
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            name: name.as_str().to_owned(),
            team: team.map(TeamId::uuid),
            created_at: self.at,
            created_by: created_by.to_owned(),
            cost_centre: None,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(&row, &HashMap::new())?)
    }

    pub async fn rename_service_account(
        &mut self,
        organization: OrganizationId,
        id: ServiceAccountId,
        name: &DisplayName,
    ) -> Result<ServiceAccount, WriteError> {
        Entity::update_many()
            .col_expr(Column::Name, Expr::value(name.as_str()))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        let account = self.organization(organization).service_account(id).await?;
        account.ok_or(WriteError::NotFound)
    }

    /// One with a team is invalid: its keys are charged where the team says.
    pub async fn charge_service_account(
        &mut self,
        organization: OrganizationId,
        id: ServiceAccountId,
        cost_centre: Option<&CostCentre>,
    ) -> Result<ServiceAccount, WriteError> {
        let account = self.organization(organization).service_account(id).await?;
        let account = account.ok_or(WriteError::NotFound)?;
        if cost_centre.is_some() && account.team.is_some() {
            let message = "is for a service account without a team: this one is charged where its team says";
            return Err(WriteError::invalid("cost_centre", message));
        }
        Entity::update_many()
            .col_expr(Column::CostCentre, Expr::value(cost_centre.map(CostCentre::as_str)))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        Ok(ServiceAccount {
            cost_centre: cost_centre.cloned(),
            ..account
        })
    }

    /// One with active keys is a conflict; its revoked keys lose it.
    pub async fn delete_service_account(
        &mut self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<(), WriteError> {
        let account = self.organization(organization).service_account(id).await?;
        let account = account.ok_or(WriteError::NotFound)?;
        if account.key_count > 0 {
            let keys = if account.key_count == 1 { "key" } else { "keys" };
            let message = format!(
                "{} {keys} of it must be revoked or handed over first",
                account.key_count
            );
            return Err(WriteError::conflict("service_account", message));
        }
        key::Entity::update_many()
            .col_expr(key::Column::ServiceAccount, Expr::value(None::<Uuid>))
            .filter(key::Column::ServiceAccount.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        Entity::delete_by_id(id.uuid()).exec(&self.transaction).await?;
        Ok(())
    }

    /// A team that service accounts are of is a conflict.
    pub(crate) async fn check_no_service_account(
        &self,
        organization: OrganizationId,
        team: TeamId,
    ) -> Result<(), WriteError> {
        let of_team = ours(organization).filter(Column::Team.eq(team.uuid()));
        match of_team.one(&self.transaction).await? {
            Some(account) => {
                let message = format!("the service account {} is of the team: delete it first", account.name);
                Err(WriteError::conflict("team", message))
            }
            None => Ok(()),
        }
    }
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

/// How many keys that are not revoked each has.
async fn key_counts(connection: &impl ConnectionTrait, accounts: &[Model]) -> Result<HashMap<Uuid, i64>, DbErr> {
    let counts: Vec<(Uuid, i64)> = key::Entity::find()
        .select_only()
        .column(key::Column::ServiceAccount)
        .column_as(key::Column::Id.count(), "keys")
        .filter(key::Column::ServiceAccount.is_in(accounts.iter().map(|account| account.id)))
        .filter(key::Column::RevokedAt.is_null())
        .group_by(key::Column::ServiceAccount)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(counts.into_iter().collect())
}

fn read(row: &Model, key_counts: &HashMap<Uuid, i64>) -> Result<ServiceAccount, DbErr> {
    Ok(ServiceAccount {
        id: ServiceAccountId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        team: row.team.map(TeamId::from_uuid),
        cost_centre: stored::parsed_or_none("cost_centre", row.cost_centre.as_deref())?,
        key_count: key_counts.get(&row.id).copied().map_or(0, stored::count),
        created_at: row.created_at,
        created_by: row.created_by.clone(),
    })
}
