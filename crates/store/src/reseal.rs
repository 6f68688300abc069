//! Rotation of the master key: what is sealed under an older one is opened and sealed under the newest, and the
//! provider is published anew. Idempotent, and safe beside other writers: what changed meanwhile is left.

use std::collections::{BTreeMap, BTreeSet};

use gatewright_contract::{Keyring, NetworkUnit, Sealed, reseal_network};
use gatewright_types::{CredentialId, OrganizationId, ProviderId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde_json::json;
use uuid::Uuid;

use crate::entity::credential::{Column, Entity, Model};
use crate::entity::provider;
use crate::error::{DatabaseError, WriteError};
use crate::providers::network;
use crate::stored;
use crate::system::System;
use crate::write::{Actor, Change, WriteTx};

const BATCH: u64 = 200;

/// What a rotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Credentials, and networks of providers, that are now sealed under the newest master key.
    pub resealed: u64,
    /// Those that no master key of the ring opens: they were left as they are.
    pub unopened: u64,
}

struct Fresh {
    credential: Uuid,
    provider: Uuid,
    old: String,
    new: Sealed,
}

impl System<'_> {
    /// Seals every secret of a provider's under the first key of the ring that is not yet.
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
        self.reseal_networks(keyring, &mut done).await?;
        Ok(done)
    }

    async fn reseal_networks(&self, keyring: &Keyring, done: &mut Resealed) -> Result<(), WriteError> {
        let rows = provider::Entity::find()
            .filter(provider::Column::Network.is_not_null())
            .order_by_asc(provider::Column::Id);
        for row in rows.all(&self.db.read).await? {
            let id = ProviderId::from_uuid(row.id);
            let Some(unit) = network(&row)? else { continue };
            let new = match reseal_network(keyring, id, &unit) {
                Ok(Some(new)) => new,
                Ok(None) => continue,
                Err(_) => {
                    done.unopened += 1;
                    continue;
                }
            };
            let organization = OrganizationId::from_uuid(row.organization);
            let change = Change::new(organization, "network.reseal", organization, json!({ "provider": id }));
            let replace = async |tx: &mut WriteTx| replace_network(tx, organization, &row, &new).await;
            done.resealed += self.db.write(&Actor::system("reseal"), change, replace).await?.value;
        }
        Ok(())
    }

    async fn credentials_after(&self, after: Uuid) -> Result<Vec<Model>, DatabaseError> {
        let next = Entity::find()
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(BATCH);
        Ok(next.all(&self.db.read).await?)
    }
}

async fn replace_network(
    tx: &mut WriteTx,
    organization: OrganizationId,
    row: &provider::Model,
    new: &NetworkUnit,
) -> Result<u64, WriteError> {
    let change = provider::Entity::update_many()
        .col_expr(provider::Column::Network, Expr::value(stored::to_json(new)))
        .filter(provider::Column::Id.eq(row.id))
        .filter(provider::Column::Network.eq(row.network.clone()));
    let replaced = change.exec(&tx.transaction).await?.rows_affected;
    if replaced > 0 {
        tx.publish_provider(organization, ProviderId::from_uuid(row.id)).await?;
    }
    Ok(replaced)
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
