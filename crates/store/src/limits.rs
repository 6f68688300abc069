//! Limits. A key's are published with the key, all others as units of their own.

use std::collections::BTreeMap;

use gatewright_contract::{LimitUnit, UnitBody, UnitId};
use gatewright_types::api::{LimitScope, LimitScopeQuery, LimitSpec, NewRateLimit, RateLimit, ScopeKind};
use gatewright_types::{KeyId, LimitId, OrganizationId, Page};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, Select,
};

use crate::entity::rate_limit::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::scopes::{Names, asked, of_scope, page_of, subject_id};
use crate::stored;
use crate::write::WriteTx;

impl Scope<'_> {
    pub async fn limits(&self, query: &LimitScopeQuery) -> Result<Page<RateLimit>, ListError> {
        let part = Part::asked(&page_of(query))?;
        let rows = part
            .of(asked(ours(self.id), query), Column::Id)
            .all(&self.connection)
            .await?;
        let Page { items, next_cursor } = part.page(rows, |row| row.id, Ok)?;
        let items = read_all(&self.connection, items).await?;
        Ok(Page { items, next_cursor })
    }

    pub async fn limit(&self, id: LimitId) -> Result<Option<RateLimit>, DatabaseError> {
        let row = ours(self.id).filter(Column::Id.eq(id.uuid()));
        let rows = row.all(&self.connection).await?;
        Ok(read_all(&self.connection, rows).await?.pop())
    }
}

impl WriteTx {
    pub async fn create_limit(
        &mut self,
        organization: OrganizationId,
        id: LimitId,
        new: &NewRateLimit,
    ) -> Result<RateLimit, WriteError> {
        self.check_scope(organization, &new.scope).await?;
        self.check_shadow(organization, id, &new.scope, &new.spec).await?;
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            kind: new.scope.kind().as_str().to_owned(),
            subject: new.scope.subject(),
            subject_id: subject_id(&new.scope),
            scope: stored::to_json(&new.scope),
            shadow: new.spec.shadow,
            spec: stored::to_json(&new.spec),
            created_at: self.at,
            created_by: self.actor_label(),
        };
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_limit(organization, row).await
    }

    pub async fn change_limit(
        &mut self,
        organization: OrganizationId,
        id: LimitId,
        spec: &LimitSpec,
    ) -> Result<RateLimit, WriteError> {
        let row = self.limit_row(organization, id).await?;
        self.check_shadow(organization, id, &scope(&row)?, spec).await?;
        let mut row = row.into_active_model();
        row.shadow = ActiveValue::Set(spec.shadow);
        row.spec = ActiveValue::Set(stored::to_json(spec));
        let row = row.update(&self.transaction).await?;
        self.publish_limit(organization, row).await
    }

    pub async fn delete_limit(&mut self, organization: OrganizationId, id: LimitId) -> Result<(), WriteError> {
        let row = self.limit_row(organization, id).await?;
        Entity::delete_by_id(row.id).exec(&self.transaction).await?;
        if let LimitScope::Key(key) = scope(&row)? {
            return self.publish_key_again(organization, key).await;
        }
        self.tombstone(organization, UnitId::Limit(id)).await
    }

    /// Takes along the limits of something that goes. A key's went out with the key.
    pub(crate) async fn delete_limits_of(
        &mut self,
        organization: OrganizationId,
        scope: &LimitScope,
    ) -> Result<(), WriteError> {
        let theirs = of_scope(ours(organization), scope);
        for row in theirs.all(&self.transaction).await? {
            Entity::delete_by_id(row.id).exec(&self.transaction).await?;
            if scope.kind() != ScopeKind::Key {
                self.tombstone(organization, UnitId::Limit(LimitId::from_uuid(row.id)))
                    .await?;
            }
        }
        Ok(())
    }

    async fn limit_row(&self, organization: OrganizationId, id: LimitId) -> Result<Model, WriteError> {
        let row = ours(organization)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.transaction)
            .await?;
        row.ok_or(WriteError::NotFound)
    }

    /// A scope has one limit, and one more in shadow.
    async fn check_shadow(
        &self,
        organization: OrganizationId,
        id: LimitId,
        scope: &LimitScope,
        spec: &LimitSpec,
    ) -> Result<(), WriteError> {
        let same = of_scope(ours(organization), scope)
            .filter(Column::Shadow.eq(spec.shadow))
            .filter(Column::Id.ne(id.uuid()));
        let message = match (same.one(&self.transaction).await?, spec.shadow) {
            (None, _) => return Ok(()),
            (Some(_), false) => "has a limit already: change that one",
            (Some(_), true) => "has a limit in shadow already: change that one",
        };
        Err(WriteError::conflict("scope", message))
    }

    async fn publish_limit(&mut self, organization: OrganizationId, row: Model) -> Result<RateLimit, WriteError> {
        let scope = scope(&row)?;
        let names = Names::of(&self.transaction, [&scope]).await?;
        let limit = read(row, scope, &names)?;
        if let LimitScope::Key(key) = limit.scope {
            self.note_changed(organization, UnitId::Limit(limit.id));
            self.publish_key_again(organization, key).await?;
        } else {
            self.publish(organization, UnitId::Limit(limit.id), UnitBody::Limit(unit(&limit)))
                .await?;
        }
        Ok(limit)
    }
}

/// What is published of a key's.
pub(crate) async fn of_key(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    key: KeyId,
) -> Result<BTreeMap<LimitId, LimitUnit>, DbErr> {
    let scope = LimitScope::Key(key);
    let rows = of_scope(ours(organization), &scope).all(connection).await?;
    let read = |row: Model| {
        let limit = read(row, scope.clone(), &Names::default())?;
        Ok((limit.id, unit(&limit)))
    };
    rows.into_iter().map(read).collect()
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

fn scope(row: &Model) -> Result<LimitScope, DbErr> {
    stored::json("scope", &row.scope)
}

fn unit(limit: &RateLimit) -> LimitUnit {
    LimitUnit {
        scope: limit.scope.clone(),
        spec: limit.spec.clone(),
    }
}

async fn read_all(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<RateLimit>, DbErr> {
    let scopes = rows.iter().map(scope).collect::<Result<Vec<_>, _>>()?;
    let names = Names::of(connection, &scopes).await?;
    let both = rows.into_iter().zip(scopes);
    both.map(|(row, scope)| read(row, scope, &names)).collect()
}

fn read(row: Model, scope: LimitScope, names: &Names) -> Result<RateLimit, DbErr> {
    Ok(RateLimit {
        id: LimitId::from_uuid(row.id),
        scope_name: names.in_words(&scope),
        scope,
        spec: stored::json("limit", &row.spec)?,
        created_at: row.created_at,
        created_by: row.created_by,
    })
}
