//! Between a key's row and what is told and published of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gatewright_contract::{KeyUnit, UnitBody, UnitId};
use gatewright_types::api::{Disabled, DisabledReason, FormerSecret, Key, KeyOwner, KeyScopes, KeyState, KeyUpkeep};
use gatewright_types::{DisplayName, KeyId, OrganizationId, PersonId, ServiceAccountId, TagName, TeamId};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};

use super::rotation;
use super::timing::Timing;
use crate::entity::former_secret;
use crate::entity::key::Model;
use crate::error::WriteError;
use crate::write::WriteTx;
use crate::{budgets, limits, stored};

/// What most keys have nothing of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<TagName, DisplayName>,
    #[serde(skip_serializing_if = "KeyScopes::is_open")]
    pub(super) scopes: KeyScopes,
    #[serde(skip_serializing_if = "KeyUpkeep::is_none")]
    pub(super) upkeep: KeyUpkeep,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) faults: bool,
}

impl Settings {
    pub(super) fn of(row: &Model) -> Result<Self, DbErr> {
        let settings = row.settings.as_ref();
        let read = settings.map(|text| stored::json("settings", text)).transpose()?;
        Ok(read.unwrap_or_default())
    }

    pub(super) fn written(&self) -> Option<String> {
        (*self != Self::default()).then(|| stored::to_json(self))
    }
}

impl WriteTx {
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

    /// Publishes a key under its secret, and under those from before that still work.
    pub(super) async fn publish_key(&mut self, organization: OrganizationId, row: Model) -> Result<Key, WriteError> {
        let former = rotation::working(&self.transaction, [row.id], self.at).await?;
        let key = read(&row, &former, self.at)?;
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
            owner: key.owner.and_then(KeyOwner::person),
            tags: key.tags.clone(),
            scopes: key.scopes.clone(),
            faults: key.faults,
            disabled: key.disabled.map(|disabled| disabled.reason),
            budgets,
            limits,
            ..KeyUnit::new(key.id)
        };
        for secret in &former {
            let digest = stored::digest(&secret.digest)?;
            let unit = KeyUnit {
                former_until: Some(secret.ends_at),
                ..unit.clone()
            };
            self.publish(organization, UnitId::Key(digest), UnitBody::Key(unit))
                .await?;
        }
        let digest = stored::digest(&row.digest)?;
        self.publish(organization, UnitId::Key(digest), UnitBody::Key(unit))
            .await?;
        Ok(key)
    }
}

pub(super) fn owner(row: &Model) -> Option<KeyOwner> {
    let account = row.service_account.map(ServiceAccountId::from_uuid);
    let person = row.owner.map(PersonId::from_uuid);
    account.map(KeyOwner::ServiceAccount).or(person.map(KeyOwner::Member))
}

pub(super) async fn read_one(connection: &impl ConnectionTrait, row: Model) -> Result<Key, DbErr> {
    let now = stored::now();
    let former = rotation::working(connection, [row.id], now).await?;
    read(&row, &former, now)
}

pub(super) fn read<'a>(
    row: &Model,
    former: impl IntoIterator<Item = &'a former_secret::Model>,
    now: DateTime<Utc>,
) -> Result<Key, DbErr> {
    let Settings {
        tags,
        scopes,
        upkeep,
        faults,
    } = Settings::of(row)?;
    let disabled = disabled(row)?;
    let timing = Timing::of(row, &upkeep);
    let is_expired = row.expires_at.is_some_and(|end| end <= now);
    let state = match (row.revoked_at, disabled) {
        (Some(_), _) => KeyState::Revoked,
        (None, Some(_)) => KeyState::Disabled,
        (None, None) if is_expired => KeyState::Expired,
        (None, None) => KeyState::Active,
    };
    let works = state == KeyState::Active;
    Ok(Key {
        id: KeyId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        team: row.team.map(TeamId::from_uuid),
        owner: owner(row),
        hint: row.hint.clone(),
        models: row
            .models
            .as_ref()
            .map(|models| stored::json("models", models))
            .transpose()?,
        tags,
        scopes,
        upkeep,
        faults,
        cost_centre: stored::parsed_or_none("cost_centre", row.cost_centre.as_deref())?,
        state,
        disabled,
        expires_at: row.expires_at,
        created_at: row.created_at,
        created_by: row.created_by.clone(),
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
        secret_made_at: row.secret_made_at.unwrap_or(row.created_at),
        former_secrets: former.into_iter().map(former_secret).collect(),
        rotation_due_at: timing.rotation_due.filter(|_| row.revoked_at.is_none()),
        disables_at: timing.disables_at().filter(|_| works),
        warnings: if works { timing.warnings(now) } else { Vec::new() },
    })
}

pub(super) fn disabled(row: &Model) -> Result<Option<Disabled>, DbErr> {
    let (Some(at), Some(reason)) = (row.disabled_at, &row.disabled_for) else {
        return Ok(None);
    };
    let reason = stored::one_of("disabled_for", reason, &DisabledReason::ALL, DisabledReason::as_str)?;
    Ok(Some(Disabled { at, reason }))
}

fn former_secret(row: &former_secret::Model) -> FormerSecret {
    FormerSecret {
        hint: row.hint.clone(),
        ends_at: row.ends_at,
    }
}
