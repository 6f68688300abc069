//! Teams: groups of keys within an organization.

use std::collections::HashMap;

use gatewright_contract::{TeamUnit, UnitBody, UnitId};
use gatewright_types::api::{LimitScope, Team, TeamChange};
use gatewright_types::{DisplayName, IpRange, OrganizationId, Page, PageQuery, TeamId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _, Select};
use uuid::Uuid;

use crate::entity::key;
use crate::entity::team::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

impl Scope<'_> {
    pub async fn teams(&self, query: &PageQuery) -> Result<Page<Team>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        let counts = key_counts(&self.connection, &rows).await?;
        part.page(rows, |row| row.id, |row| read(&row, &counts))
    }

    pub async fn team(&self, id: TeamId) -> Result<Option<Team>, DatabaseError> {
        Ok(one(&self.connection, ours(self.id).filter(Column::Id.eq(id.uuid()))).await?)
    }

    pub async fn team_by_name(&self, name: &DisplayName) -> Result<Option<Team>, DatabaseError> {
        Ok(one(&self.connection, ours(self.id).filter(Column::Name.eq(name.as_str()))).await?)
    }
}

impl WriteTx {
    pub async fn create_team(
        &mut self,
        organization: OrganizationId,
        id: TeamId,
        name: &DisplayName,
    ) -> Result<Team, WriteError> {
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            name: name.as_str().to_owned(),
            created_at: self.at,
            ip_ranges: None,
            cost_centre: None,
            shared: false,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        let team = read(&row, &HashMap::new())?;
        self.publish_team(organization, &team).await?;
        Ok(team)
    }

    pub async fn change_team(
        &mut self,
        organization: OrganizationId,
        id: TeamId,
        change: &TeamChange,
    ) -> Result<Team, WriteError> {
        let mut update = Entity::update_many().col_expr(Column::Name, Expr::value(change.name.as_str()));
        if let Some(ranges) = &change.ip_ranges {
            update = update.col_expr(Column::IpRanges, Expr::value(written(ranges)));
        }
        if let Some(cost_centre) = &change.cost_centre {
            let text = cost_centre.as_ref().map(|cost_centre| cost_centre.as_str().to_owned());
            update = update.col_expr(Column::CostCentre, Expr::value(text));
        }
        if let Some(shared) = change.shared {
            update = update.col_expr(Column::Shared, Expr::value(shared));
        }
        update
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        let team = self.organization(organization).team(id).await?;
        let team = team.ok_or(WriteError::NotFound)?;
        self.publish_team(organization, &team).await?;
        Ok(team)
    }

    /// A team with active keys is a conflict; its revoked keys lose it. Its budgets and limits go with it.
    pub async fn delete_team(&mut self, organization: OrganizationId, id: TeamId) -> Result<(), WriteError> {
        let team = self
            .organization(organization)
            .team(id)
            .await?
            .ok_or(WriteError::NotFound)?;
        if team.key_count > 0 {
            let keys = if team.key_count == 1 {
                "1 key"
            } else {
                &format!("{} keys", team.key_count)
            };
            return Err(WriteError::conflict(
                "team",
                format!("{keys} of the team must be revoked or moved first"),
            ));
        }
        self.check_no_service_account(organization, id).await?;
        Entity::delete_by_id(id.uuid()).exec(&self.transaction).await?;
        self.delete_caps_of(organization, &LimitScope::Team(id)).await?;
        self.tombstone(organization, UnitId::Team(id)).await
    }

    async fn publish_team(&mut self, organization: OrganizationId, team: &Team) -> Result<(), WriteError> {
        let unit = TeamUnit {
            name: team.name.clone(),
            ip_ranges: team.ip_ranges.clone(),
        };
        self.publish(organization, UnitId::Team(team.id), UnitBody::Team(unit))
            .await
    }
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

async fn one(connection: &impl ConnectionTrait, select: Select<Entity>) -> Result<Option<Team>, DbErr> {
    let Some(row) = select.one(connection).await? else {
        return Ok(None);
    };
    let counts = key_counts(connection, std::slice::from_ref(&row)).await?;
    read(&row, &counts).map(Some)
}

/// How many keys that are not revoked each team has.
async fn key_counts(connection: &impl ConnectionTrait, teams: &[Model]) -> Result<HashMap<Uuid, i64>, DbErr> {
    let counts: Vec<(Uuid, i64)> = key::Entity::find()
        .select_only()
        .column(key::Column::Team)
        .column_as(key::Column::Id.count(), "keys")
        .filter(key::Column::Team.is_in(teams.iter().map(|team| team.id)))
        .filter(key::Column::RevokedAt.is_null())
        .group_by(key::Column::Team)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(counts.into_iter().collect())
}

fn read(row: &Model, key_counts: &HashMap<Uuid, i64>) -> Result<Team, DbErr> {
    Ok(Team {
        id: TeamId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        key_count: key_counts.get(&row.id).copied().map_or(0, stored::count),
        ip_ranges: row
            .ip_ranges
            .as_ref()
            .map_or(Ok(Vec::new()), |text| stored::json("ip_ranges", text))?,
        cost_centre: stored::parsed_or_none("cost_centre", row.cost_centre.as_deref())?,
        shared: row.shared,
        created_at: row.created_at,
    })
}

fn written(ranges: &[IpRange]) -> Option<String> {
    (!ranges.is_empty()).then(|| stored::to_json(&ranges))
}
