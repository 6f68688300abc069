//! From a secret to the key that works with it; and what becomes of one that somebody found where it should not be.

use gatewright_contract::Digest;
use gatewright_types::{KeyId, OrganizationId};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};

use crate::entity::former_secret;
use crate::entity::key::{Column, Entity};
use crate::error::{DatabaseError, WriteError};
use crate::system::System;
use crate::write::WriteTx;

/// The key that a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyOfSecret {
    pub organization: OrganizationId,
    pub id: KeyId,
    /// The secret is one from before a rotation, and the key has another by now.
    pub is_former: bool,
}

impl System<'_> {
    /// The key that works with this secret.
    pub async fn key_of_secret(&self, digest: &Digest) -> Result<Option<KeyOfSecret>, DatabaseError> {
        // Both, whatever the first one gives: how long it takes tells nothing.
        let (key, former) = (
            by_digest(digest).one(&self.db.read).await?,
            former_by_digest(digest).one(&self.db.read).await?,
        );
        let of_key = key.map(|row| (row.organization, row.id, false));
        let found = of_key.or(former.map(|row| (row.organization, row.key, true)));
        Ok(found.map(|(organization, key, is_former)| KeyOfSecret {
            organization: OrganizationId::from_uuid(organization),
            id: KeyId::from_uuid(key),
            is_former,
        }))
    }
}

impl WriteTx {
    /// The secret opens nothing any more: the key is revoked, or, of one that has another secret by now, only this one ends.
    pub async fn shut_leak(&mut self, leaked: KeyOfSecret, digest: &Digest) -> Result<(), WriteError> {
        if !leaked.is_former {
            return self.revoke_key(leaked.organization, leaked.id).await.map(drop);
        }
        let this = former_by_digest(digest).filter(former_secret::Column::Key.eq(leaked.id.uuid()));
        self.end_former(leaked.organization, this).await.map(drop)
    }
}

pub(crate) fn by_digest(digest: &Digest) -> Select<Entity> {
    Entity::find()
        .filter(Column::Digest.eq(digest.as_bytes().to_vec()))
        .filter(Column::RevokedAt.is_null())
}

pub(crate) fn former_by_digest(digest: &Digest) -> Select<former_secret::Entity> {
    former_secret::Entity::find()
        .filter(former_secret::Column::Digest.eq(digest.as_bytes().to_vec()))
        .filter(former_secret::Column::EndedAt.is_null())
}
