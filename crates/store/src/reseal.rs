//! Rotation of the master key: what is sealed under an older one is opened and sealed under the newest, and the
//! provider is published anew. Idempotent, and safe beside other writers: a credential that changed meanwhile is left.

use std::collections::{BTreeMap, BTreeSet};

use gatewright_contract::{Keyring, Sealed};
use gatewright_types::{CredentialId, OrganizationId, ProviderId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde_json::json;
use uuid::Uuid;

use crate::entity::credential::{Column, Entity, Model};
use crate::error::{DatabaseError, WriteError};
use crate::system::System;
use crate::write::{Actor, Change, WriteTx};

const BATCH: u64 = 200;

/// What a rotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Credentials that are now sealed under the newest master key.
    pub resealed: u64,
    /// Credentials that no master key of the ring opens: they were left as they are.
    pub unopened: u64,
}

struct Fresh {
    credential: Uuid,
    provider: Uuid,
    old: String,
    new: Sealed,
}

impl System<'_> {
    /// Seals every credential under the first key of the ring that is not yet.
    pub async fn reseal(&self, keyring: &Keyring) -> Result<Resealed, WriteError> {
        let mut done = Resealed::default();
        let mut stale: BTreeMap<Uuid, Vec<Fresh>> = BTreeMap::new();
        let mut after = Uuid::nil();
        loop {
            let rows = self.credentials_after(after).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in rows {
                let sealed = Sealed::from_stored(row.sealed.clone());
                if !keyring.is_stale(&sealed) {
                    continue;
                }
                let owner = CredentialId::from_uuid(row.id).to_string();
                let Ok(secret) = keyring.open(&sealed, &owner) else {
                    done.unopened += 1;
                    continue;
                };
                let new = keyring.seal(&secret, &owner);
                let fresh = Fresh {
                    credential: row.id,
                    provider: row.provider,
                    old: row.sealed,
                    new,
                };
                stale.entry(row.organization).or_default().push(fresh);
            }
        }
        let actor = Actor::system("reseal");
        for (organization, fresh) in stale {
            let organization = OrganizationId::from_uuid(organization);
            let detail = json!({ "credentials": fresh.len() });
            let change = Change::new(organization, "credential.reseal", organization, detail);
            let written = self
                .db
                .write(&actor, change, async |tx| replace(tx, organization, &fresh).await)
                .await?;
            done.resealed += written.value;
        }
        Ok(done)
    }

    async fn credentials_after(&self, after: Uuid) -> Result<Vec<Model>, DatabaseError> {
        let next = Entity::find()
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(BATCH);
        Ok(next.all(&self.db.read).await?)
    }
}

async fn replace(tx: &mut WriteTx, organization: OrganizationId, fresh: &[Fresh]) -> Result<u64, WriteError> {
    let mut replaced = 0;
    let mut providers = BTreeSet::new();
    for credential in fresh {
        let change = Entity::update_many()
            .col_expr(Column::Sealed, Expr::value(credential.new.as_str()))
            .filter(Column::Id.eq(credential.credential))
            .filter(Column::Sealed.eq(credential.old.as_str()));
        if change.exec(&tx.transaction).await?.rows_affected > 0 {
            replaced += 1;
            providers.insert(credential.provider);
        }
    }
    for provider in providers {
        tx.publish_provider(organization, ProviderId::from_uuid(provider))
            .await?;
    }
    Ok(replaced)
}
