//! Disabling and enabling keys, by hand and because it is due.

use chrono::{DateTime, Utc};
use gatewright_contract::UnitId;
use gatewright_types::api::{DisabledReason, Key};
use gatewright_types::{KeyId, OrganizationId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};

use super::timing::{self, KeyAct};
use crate::entity::key::{Column, Entity, Model};
use crate::error::{DatabaseError, WriteError};
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

/// A key with something to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueKey {
    pub organization: OrganizationId,
    pub id: KeyId,
    pub act: KeyAct,
}

/// So many are looked at at once.
const AT_ONCE: u64 = 200;

impl System<'_> {
    /// Keys about which something is due. Of those that were used in the meantime it is only noted when to look again.
    pub async fn due_keys(&self, now: DateTime<Utc>) -> Result<Vec<DueKey>, DatabaseError> {
        let mut found = Vec::new();
        for row in to_look_at(now).all(&self.db.read).await? {
            match timing::due(&row, now)? {
                Some(act) => found.push(DueKey {
                    organization: OrganizationId::from_uuid(row.organization),
                    id: KeyId::from_uuid(row.id),
                    act,
                }),
                None => self.look_later(row).await?,
            }
        }
        Ok(found)
    }

    async fn look_later(&self, row: Model) -> Result<(), DatabaseError> {
        let before = row.next_look_at;
        let row = timing::scheduled(row)?;
        Entity::update_many()
            .col_expr(Column::NextLookAt, Expr::value(row.next_look_at))
            .filter(Column::Id.eq(row.id))
            .filter(Column::NextLookAt.eq(before))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }
}

impl WriteTx {
    /// Does what is due about a key. `NotFound` means that it is not due any more: it was used, or somebody else did it.
    pub async fn act_on_key(&mut self, due: &DueKey, now: DateTime<Utc>) -> Result<(), WriteError> {
        let row = self.key_row(due.organization, due.id).await?;
        if timing::due(&row, now)? != Some(due.act) {
            return Err(WriteError::NotFound);
        }
        match due.act {
            KeyAct::Disable(reason) => {
                let row = self.disabled(row, reason);
                self.put_key(due.organization, row).await.map(drop)
            }
            KeyAct::Notice(warning, about) => {
                let mut noticed = timing::noticed(&row)?;
                noticed.insert(warning, about);
                let row = timing::scheduled(Model {
                    noticed: Some(stored::to_json(&noticed)),
                    ..row
                })?;
                self.update_key_row(row).await
            }
        }
    }

    /// A key that is disabled already keeps its reason; a revoked one is a conflict.
    pub async fn disable_key(&mut self, organization: OrganizationId, id: KeyId) -> Result<Key, WriteError> {
        let row = self.active_key(organization, id).await?;
        let row = match row.disabled_at {
            Some(_) => row,
            None => self.disabled(row, DisabledReason::ByHand),
        };
        self.put_key(organization, row).await
    }

    /// It counts as idle from now on. One whose rotation is overdue has to be rotated: a conflict.
    pub async fn enable_key(&mut self, organization: OrganizationId, id: KeyId) -> Result<Key, WriteError> {
        let mut row = self.active_key(organization, id).await?;
        (row.disabled_at, row.disabled_for) = (None, None);
        row.idle_from = Some(self.at);
        if timing::due(&row, self.at)? == Some(KeyAct::Disable(DisabledReason::RotationOverdue)) {
            return Err(WriteError::conflict(
                "rotation",
                "is overdue: rotate the key, which enables it, or give it more time first",
            ));
        }
        self.put_key(organization, row).await
    }

    fn disabled(&self, row: Model, reason: DisabledReason) -> Model {
        Model {
            disabled_at: Some(self.at),
            disabled_for: Some(reason.as_str().to_owned()),
            ..row
        }
    }

    /// Publishes that a secret is gone.
    pub(super) async fn tombstone_secret(
        &mut self,
        organization: OrganizationId,
        digest: &[u8],
    ) -> Result<(), WriteError> {
        let digest = stored::digest(digest)?;
        self.tombstone(organization, UnitId::Key(digest)).await
    }
}

pub(crate) fn to_look_at(now: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .filter(Column::NextLookAt.lte(now))
        .order_by_asc(Column::NextLookAt)
        .limit(AT_ONCE)
}
