//! Data-plane keys. A key is known by the digest of its secret; a revoked one keeps its row, and gives its name free.

mod owners;
mod rotation;
mod row;
mod secrets;
mod timing;
mod upkeep;
mod used;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gatewright_contract::{Digest, UnitId};
use gatewright_types::api::{Key, KeyChange, KeyOwner, KeyScopes, KeyUpkeep, LimitScope};
use gatewright_types::{CostCentre, DisplayName, KeyId, ModelName, OrganizationId, Page, PageQuery, TagName, TeamId};
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    Select,
};

use uuid::Uuid;

use self::row::{Settings, read, read_one};
use crate::entity::former_secret;
use crate::entity::key::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

pub use owners::KeysOfMember;
pub use rotation::{Rotated, Rotation};
pub use secrets::KeyOfSecret;
#[cfg(test)]
pub(crate) use secrets::{by_digest, former_by_digest};
pub use timing::KeyAct;
pub use upkeep::DueKey;
#[cfg(test)]
pub(crate) use upkeep::to_look_at;

#[derive(Debug, Clone)]
pub struct KeyInsert {
    pub id: KeyId,
    pub name: DisplayName,
    pub team: Option<TeamId>,
    pub owner: Option<KeyOwner>,
    pub models: Option<Vec<ModelName>>,
    pub tags: BTreeMap<TagName, DisplayName>,
    pub scopes: KeyScopes,
    pub upkeep: KeyUpkeep,
    pub faults: bool,
    pub cost_centre: Option<CostCentre>,
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
        match row {
            Some(row) => Ok(Some(read_one(&self.connection, row).await?)),
            None => Ok(None),
        }
    }

    /// The active key of that name.
    pub async fn key_by_name(&self, name: &DisplayName) -> Result<Option<Key>, DatabaseError> {
        let named = ours(self.id)
            .filter(Column::Name.eq(name.as_str()))
            .filter(Column::RevokedAt.is_null());
        match named.one(&self.connection).await? {
            Some(row) => Ok(Some(read_one(&self.connection, row).await?)),
            None => Ok(None),
        }
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
        let now = stored::now();
        let former = rotation::working(&self.connection, rows.iter().map(|row| row.id), now).await?;
        part.page(
            rows,
            |row| row.id,
            |row| {
                let of_key = former.iter().filter(|secret| secret.key == row.id);
                read(&row, of_key, now)
            },
        )
    }
}

impl WriteTx {
    pub async fn create_key(&mut self, organization: OrganizationId, key: &KeyInsert) -> Result<Key, WriteError> {
        let team = self.settled_team(organization, key.owner, key.team).await?;
        self.check_secret(organization, None, &key.digest).await?;
        let settings = Settings {
            tags: key.tags.clone(),
            scopes: key.scopes.clone(),
            upkeep: key.upkeep,
            faults: key.faults,
        };
        let row = Model {
            id: key.id.uuid(),
            organization: organization.uuid(),
            name: key.name.as_str().to_owned(),
            team: team.map(TeamId::uuid),
            digest: key.digest.as_bytes().to_vec(),
            hint: key.hint.clone(),
            models: key.models.as_ref().map(stored::to_json),
            expires_at: key.expires_at.map(stored::time),
            created_at: self.at,
            created_by: key.created_by.clone(),
            revoked_at: None,
            owner: key.owner.and_then(KeyOwner::person).map(|person| person.uuid()),
            service_account: key
                .owner
                .and_then(KeyOwner::service_account)
                .map(|account| account.uuid()),
            settings: settings.written(),
            secret_made_at: None,
            last_used_at: None,
            idle_from: None,
            disabled_at: None,
            disabled_for: None,
            noticed: None,
            next_look_at: None,
            cost_centre: key
                .cost_centre
                .as_ref()
                .map(|cost_centre| cost_centre.as_str().to_owned()),
        };
        let row = timing::scheduled(row)?;
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
        let mut row = self.active_key(organization, id).await?;
        let owner = match change.owner {
            Some(owner) => {
                row.owner = owner.and_then(KeyOwner::person).map(|person| person.uuid());
                row.service_account = owner.and_then(KeyOwner::service_account).map(|account| account.uuid());
                owner
            }
            // Whoever it is: only a service account says something about the team.
            None => row::owner(&row).filter(|owner| owner.service_account().is_some()),
        };
        let team = self.settled_team(organization, owner, change.team).await?;
        row.name = change.name.as_str().to_owned();
        row.team = team.map(TeamId::uuid);
        row.models = change.models.as_ref().map(stored::to_json);
        if let Some(expires_at) = change.expires_at {
            row.expires_at = expires_at.map(stored::time);
        }
        if let Some(cost_centre) = &change.cost_centre {
            row.cost_centre = cost_centre.as_ref().map(|cost_centre| cost_centre.as_str().to_owned());
        }
        let mut settings = Settings::of(&row)?;
        if let Some(tags) = &change.tags {
            settings.tags.clone_from(tags);
        }
        if let Some(scopes) = &change.scopes {
            settings.scopes.clone_from(scopes);
        }
        if let Some(upkeep) = change.upkeep {
            if upkeep.disable_after_idle != settings.upkeep.disable_after_idle {
                row.idle_from = Some(self.at);
            }
            settings.upkeep = upkeep;
        }
        settings.faults = change.faults.unwrap_or(settings.faults);
        row.settings = settings.written();
        self.put_key(organization, row).await
    }

    /// The row stays; revoking again changes nothing.
    pub async fn revoke_key(&mut self, organization: OrganizationId, id: KeyId) -> Result<Key, WriteError> {
        let mut row = self.key_row(organization, id).await?;
        if row.revoked_at.is_some() {
            return Ok(read(&row, [], self.at)?);
        }
        let digest = stored::digest(&row.digest)?;
        row.revoked_at = Some(self.at);
        row.next_look_at = None;
        self.update_key_row(row.clone()).await?;
        self.tombstone(organization, UnitId::Key(digest)).await?;
        self.end_all_former(organization, id).await?;
        self.delete_caps_of(organization, &LimitScope::Key(id)).await?;
        Ok(read(&row, [], self.at)?)
    }

    pub(super) async fn key_row(&self, organization: OrganizationId, id: KeyId) -> Result<Model, WriteError> {
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

    /// A secret opens one organization, for ever: nodes learn of units one by one, and the digest of a key that was
    /// revoked here and made there could be missing between the two. That of a key is not another one's, either, for as
    /// long as it works. A key may go back to one of its own from before.
    async fn check_secret(
        &self,
        organization: OrganizationId,
        key: Option<KeyId>,
        digest: &Digest,
    ) -> Result<(), WriteError> {
        let bytes = digest.as_bytes().to_vec();
        let keys = Entity::find()
            .filter(Column::Digest.eq(bytes.clone()))
            .filter(Column::Organization.ne(organization.uuid()));
        let elsewhere = former_secret::Column::Organization.ne(organization.uuid());
        let former = former_secret::Entity::find()
            .filter(former_secret::Column::Digest.eq(bytes))
            .filter(elsewhere.or(former_secret::Column::EndedAt.is_null()))
            .filter(former_secret::Column::Key.ne(key.unwrap_or(KeyId::from_uuid(Uuid::nil())).uuid()));
        let is_taken = keys.one(&self.transaction).await?.is_some() || former.one(&self.transaction).await?.is_some();
        match is_taken {
            false => Ok(()),
            true => Err(WriteError::conflict("secret", "is taken")),
        }
    }

    /// Writes a changed row and publishes it.
    async fn put_key(&mut self, organization: OrganizationId, row: Model) -> Result<Key, WriteError> {
        let row = timing::scheduled(row)?;
        self.update_key_row(row.clone()).await?;
        self.publish_key(organization, row).await
    }

    async fn update_key_row(&self, row: Model) -> Result<(), WriteError> {
        let id = row.id;
        let mut changed = row.into_active_model().reset_all();
        changed.id = ActiveValue::Unchanged(id);
        // Taken in with usage, which may come in at the same time.
        changed.last_used_at = ActiveValue::NotSet;
        Entity::update(changed).exec(&self.transaction).await?;
        Ok(())
    }
}

pub(crate) fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}
