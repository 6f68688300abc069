//! Data-plane keys. A key is known by the digest of its secret; a revoked one keeps its row, and gives its name free.

use chrono::{DateTime, Utc};
use gatewright_contract::{Digest, KeyUnit, UnitBody, UnitId};
use gatewright_types::api::{Key, KeyChange, LimitScope};
use gatewright_types::{DisplayName, KeyId, ModelName, OrganizationId, Page, PageQuery, TeamId};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue, ColumnTrait as _, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, Select,
};

use crate::entity::key::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::write::WriteTx;
use crate::{budgets, limits, stored};

#[derive(Debug, Clone)]
pub struct KeyInsert {
    pub id: KeyId,
    pub name: DisplayName,
    pub team: Option<TeamId>,
    pub models: Option<Vec<ModelName>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub digest: Digest,
    pub hint: String,
    pub created_by: String,
}

impl Scope<'_> {
    /// Revoked keys too.
    pub async fn keys(&self, query: &PageQuery) -> Result<Page<Key>, ListError> {
        self.key_page(ours(self.id), query).await
    }

    /// Only keys that are not revoked.
    pub async fn active_keys(&self, query: &PageQuery) -> Result<Page<Key>, ListError> {
        self.key_page(ours(self.id).filter(Column::RevokedAt.is_null()), query)
            .await
    }

    pub async fn key(&self, id: KeyId) -> Result<Option<Key>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(read).transpose()?)
    }

    /// The active key of that name.
    pub async fn key_by_name(&self, name: &DisplayName) -> Result<Option<Key>, DatabaseError> {
        let named = ours(self.id)
            .filter(Column::Name.eq(name.as_str()))
            .filter(Column::RevokedAt.is_null());
        Ok(named.one(&self.connection).await?.map(read).transpose()?)
    }

    /// To tell whether an imported secret is the one that is there.
    pub async fn key_digest(&self, id: KeyId) -> Result<Option<Digest>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(|row| stored::digest(&row.digest)).transpose()?)
    }

    async fn key_page(&self, select: Select<Entity>, query: &PageQuery) -> Result<Page<Key>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(select, Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, read)
    }
}

impl WriteTx {
    pub async fn create_key(&mut self, organization: OrganizationId, key: &KeyInsert) -> Result<Key, WriteError> {
        self.check_team(organization, key.team).await?;
        self.check_secret(organization, &key.digest).await?;
        let row = Model {
            id: key.id.uuid(),
            organization: organization.uuid(),
            name: key.name.as_str().to_owned(),
            team: key.team.map(TeamId::uuid),
            digest: key.digest.as_bytes().to_vec(),
            hint: key.hint.clone(),
            models: key.models.as_ref().map(stored::to_json),
            expires_at: key.expires_at.map(stored::time),
            created_at: self.at,
            created_by: key.created_by.clone(),
            revoked_at: None,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_key(organization, row).await
    }

    /// A revoked key is a conflict.
    pub async fn change_key(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
        change: &KeyChange,
    ) -> Result<Key, WriteError> {
        let mut row = self.active_key(organization, id).await?.into_active_model();
        self.check_team(organization, change.team).await?;
        row.name = ActiveValue::Set(change.name.as_str().to_owned());
        row.team = ActiveValue::Set(change.team.map(TeamId::uuid));
        row.models = ActiveValue::Set(change.models.as_ref().map(stored::to_json));
        let row = row.update(&self.transaction).await?;
        self.publish_key(organization, row).await
    }

    /// A revoked key is a conflict.
    pub async fn set_key_expiry(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<Key, WriteError> {
        let mut row = self.active_key(organization, id).await?.into_active_model();
        row.expires_at = ActiveValue::Set(expires_at.map(stored::time));
        let row = row.update(&self.transaction).await?;
        self.publish_key(organization, row).await
    }

    /// The row stays; revoking again changes nothing.
    pub async fn revoke_key(&mut self, organization: OrganizationId, id: KeyId) -> Result<Key, WriteError> {
        let row = self.key_row(organization, id).await?;
        if row.revoked_at.is_some() {
            return Ok(read(row)?);
        }
        let digest = stored::digest(&row.digest)?;
        let mut row = row.into_active_model();
        row.revoked_at = ActiveValue::Set(Some(self.at));
        let row = row.update(&self.transaction).await?;
        self.tombstone(organization, UnitId::Key(digest)).await?;
        self.delete_caps_of(organization, &LimitScope::Key(id)).await?;
        Ok(read(row)?)
    }

    async fn key_row(&self, organization: OrganizationId, id: KeyId) -> Result<Model, WriteError> {
        let row = ours(organization)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.transaction)
            .await?;
        row.ok_or(WriteError::NotFound)
    }

    async fn active_key(&self, organization: OrganizationId, id: KeyId) -> Result<Model, WriteError> {
        let row = self.key_row(organization, id).await?;
        if row.revoked_at.is_some() {
            return Err(WriteError::conflict("key", "is revoked"));
        }
        Ok(row)
    }

    async fn check_team(&self, organization: OrganizationId, team: Option<TeamId>) -> Result<(), WriteError> {
        let Some(team) = team else { return Ok(()) };
        match self.organization(organization).team(team).await? {
            Some(_) => Ok(()),
            None => Err(WriteError::invalid("team", "there is no such team")),
        }
    }

    /// A secret opens one organization, for ever: nodes learn of units one by one, and the digest of a key that was
    /// revoked here and made there could be missing between the two.
    async fn check_secret(&self, organization: OrganizationId, digest: &Digest) -> Result<(), WriteError> {
        let others = Entity::find()
            .filter(Column::Digest.eq(digest.as_bytes().to_vec()))
            .filter(Column::Organization.ne(organization.uuid()));
        match others.one(&self.transaction).await? {
            None => Ok(()),
            Some(_) => Err(WriteError::conflict("secret", "is taken")),
        }
    }

    /// After something else was changed that nodes learn with the key. There is nothing to be told of a revoked one.
    pub(crate) async fn publish_key_again(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
    ) -> Result<(), WriteError> {
        let row = self.key_row(organization, id).await?;
        match row.revoked_at {
            Some(_) => Ok(()),
            None => self.publish_key(organization, row).await.map(drop),
        }
    }

    async fn publish_key(&mut self, organization: OrganizationId, row: Model) -> Result<Key, WriteError> {
        let digest = stored::digest(&row.digest)?;
        let key = read(row)?;
        let budgets = budgets::of_key(&self.transaction, organization, key.id, self.at).await?;
        let limits = limits::of_key(&self.transaction, organization, key.id).await?;
        if !budgets.is_empty() || !limits.is_empty() {
            self.compare_key(organization, key.id);
        }
        let unit = KeyUnit {
            name: Some(key.name.clone()),
            team: key.team,
            models: key.models.clone(),
            expires_at: key.expires_at,
            budgets,
            limits,
            ..KeyUnit::new(key.id)
        };
        self.publish(organization, UnitId::Key(digest), UnitBody::Key(unit))
            .await?;
        Ok(key)
    }
}

pub(crate) fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

fn read(row: Model) -> Result<Key, DbErr> {
    Ok(Key {
        id: KeyId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        team: row.team.map(TeamId::from_uuid),
        hint: row.hint,
        models: row.models.map(|models| stored::json("models", &models)).transpose()?,
        expires_at: row.expires_at,
        created_at: row.created_at,
        created_by: row.created_by,
        revoked_at: row.revoked_at,
    })
}
