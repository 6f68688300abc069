//! A new secret for a key that stays the same. The one from before goes on working for a while, as a unit of its own.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::Digest;
use gatewright_types::api::{DisabledReason, Key};
use gatewright_types::{KeyId, OrganizationId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::row;
use crate::entity::former_secret::{Column, Entity, Model};
use crate::error::{DatabaseError, WriteError};
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

/// So many secrets from before work beside the one of now.
const MOST_FORMER: usize = 5;

#[derive(Debug, Clone)]
pub struct Rotation {
    pub digest: Digest,
    pub hint: String,
    /// How long the secret from before still works.
    pub grace: Duration,
    /// The rotation is made once under it, however often it is asked for.
    pub idempotency_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    Done(Key),
    /// An earlier call did it.
    Before(Key),
}

impl System<'_> {
    /// Keys with secrets from before whose time is over, and of which nodes still know.
    pub async fn keys_with_secrets_over(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<(OrganizationId, KeyId)>, DatabaseError> {
        let over: Vec<(Uuid, Uuid)> = Entity::find()
            .select_only()
            .columns([Column::Organization, Column::Key])
            .distinct()
            .filter(Column::EndedAt.is_null())
            .filter(Column::EndsAt.lte(now))
            .into_tuple()
            .all(&self.db.read)
            .await?;
        let ids = over.into_iter();
        Ok(ids
            .map(|(organization, key)| (OrganizationId::from_uuid(organization), KeyId::from_uuid(key)))
            .collect())
    }
}

impl WriteTx {
    /// A key that was disabled because nobody rotated it works again. A revoked one is a conflict.
    pub async fn rotate_key(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
        rotation: &Rotation,
    ) -> Result<Rotated, WriteError> {
        let mut row = self.active_key(organization, id).await?;
        if let Some(key) = &rotation.idempotency_key {
            let made = of_key(id).filter(Column::IdempotencyKey.eq(key.as_str()));
            if made.one(&self.transaction).await?.is_some() {
                let former = working(&self.transaction, [row.id], self.at).await?;
                return Ok(Rotated::Before(row::read(&row, &former, self.at)?));
            }
        }
        self.check_secret(organization, Some(id), &rotation.digest).await?;
        self.take_back(id, &rotation.digest).await?;
        let grace = TimeDelta::from_std(rotation.grace).unwrap_or(TimeDelta::MAX);
        let ends_at = self.at.checked_add_signed(grace).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let goes_on = ends_at > self.at;
        if goes_on && working(&self.transaction, [row.id], self.at).await?.len() >= MOST_FORMER {
            let message = format!("{MOST_FORMER} secrets from before still work: end the rotation first");
            return Err(WriteError::conflict("rotation", message));
        }
        let before = Model {
            id: Uuid::now_v7(),
            organization: organization.uuid(),
            key: row.id,
            digest: std::mem::replace(&mut row.digest, rotation.digest.as_bytes().to_vec()),
            hint: std::mem::replace(&mut row.hint, rotation.hint.clone()),
            replaced_at: self.at,
            ends_at,
            ended_at: (!goes_on).then_some(self.at),
            idempotency_key: rotation.idempotency_key.clone(),
        };
        if !goes_on {
            self.tombstone_secret(organization, &before.digest).await?;
        }
        stored::insert(&self.transaction, before).await?;
        row.secret_made_at = Some(self.at);
        let overdue = DisabledReason::RotationOverdue.as_str();
        if row.disabled_for.as_deref() == Some(overdue) {
            (row.disabled_at, row.disabled_for) = (None, None);
            row.idle_from = Some(self.at);
        }
        Ok(Rotated::Done(self.put_key(organization, row).await?))
    }

    /// A secret from before that becomes the one of now is no former one any more. It is published anew.
    async fn take_back(&self, id: KeyId, digest: &Digest) -> Result<(), WriteError> {
        Entity::update_many()
            .col_expr(Column::EndedAt, Expr::value(Some(self.at)))
            .filter(Column::Key.eq(id.uuid()))
            .filter(Column::Digest.eq(digest.as_bytes().to_vec()))
            .filter(Column::EndedAt.is_null())
            .exec(&self.transaction)
            .await?;
        Ok(())
    }

    /// From now on only the secret of now works.
    pub async fn end_rotation(&mut self, organization: OrganizationId, id: KeyId) -> Result<Key, WriteError> {
        let row = self.active_key(organization, id).await?;
        self.end_all_former(organization, id).await?;
        Ok(row::read(&row, [], self.at)?)
    }

    /// Tells nodes of secrets whose time is over. `NotFound` means that somebody else did.
    pub async fn end_secrets_over(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
        now: DateTime<Utc>,
    ) -> Result<(), WriteError> {
        let over = of_key(id)
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::EndedAt.is_null())
            .filter(Column::EndsAt.lte(now));
        match self.end_former(organization, over).await? {
            0 => Err(WriteError::NotFound),
            _ => Ok(()),
        }
    }

    pub(super) async fn end_all_former(&mut self, organization: OrganizationId, id: KeyId) -> Result<(), WriteError> {
        let not_over = of_key(id).filter(Column::EndedAt.is_null());
        self.end_former(organization, not_over).await.map(drop)
    }

    pub(super) async fn end_former(
        &mut self,
        organization: OrganizationId,
        which: sea_orm::Select<Entity>,
    ) -> Result<usize, WriteError> {
        let ended = which.all(&self.transaction).await?;
        for secret in &ended {
            self.tombstone_secret(organization, &secret.digest).await?;
        }
        Entity::update_many()
            .col_expr(Column::EndedAt, Expr::value(Some(self.at)))
            .filter(Column::Id.is_in(ended.iter().map(|secret| secret.id)))
            .exec(&self.transaction)
            .await?;
        Ok(ended.len())
    }
}

/// The secrets from before of these keys that still work, the newest first.
pub(super) async fn working(
    connection: &impl ConnectionTrait,
    keys: impl IntoIterator<Item = Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Key.is_in(keys))
        .filter(Column::EndedAt.is_null())
        .filter(Column::EndsAt.gt(now))
        .order_by_desc(Column::Id)
        .all(connection)
        .await
}

fn of_key(id: KeyId) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::Key.eq(id.uuid()))
}
