//! First run: one-time tokens that let somebody make the owner and the first organization. Each start of a server may
//! issue one; the first that is used takes all others with it.

use gatewright_contract::Digest;
use gatewright_types::OrganizationId;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
};

use crate::entity::setup_token::{Entity, Model};
use crate::entity::{membership, organization, person};
use crate::error::{DatabaseError, WriteError};
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

impl System<'_> {
    /// True until somebody has an account.
    pub async fn setup_needed(&self) -> Result<bool, DatabaseError> {
        Ok(person::Entity::find().one(&self.db.read).await?.is_none())
    }

    /// Lets one more one-time token open the setup page.
    pub async fn issue_setup_token(&self, digest: &Digest) -> Result<(), DatabaseError> {
        let row = Model {
            digest: digest.as_bytes().to_vec(),
            created_at: stored::now(),
        };
        Ok(stored::insert(&self.db.write, row).await?)
    }
}

impl WriteTx {
    /// Uses up the token, and all others with it. `NotFound` for one that was not issued or is used up, and for any
    /// once somebody has an account.
    pub async fn use_setup_token(&mut self, digest: &Digest) -> Result<(), WriteError> {
        let known = Entity::find_by_id(digest.as_bytes().to_vec())
            .one(&self.transaction)
            .await?
            .is_some();
        let people = person::Entity::find().count(&self.transaction).await?;
        if !known || people > 0 {
            return Err(WriteError::NotFound);
        }
        Entity::delete_many().exec(&self.transaction).await?;
        Ok(())
    }

    /// Organizations that came from a file or from the first start, and that nobody can enter yet.
    pub async fn organizations_without_members(&self) -> Result<Vec<OrganizationId>, WriteError> {
        let taken = membership::Entity::find()
            .select_only()
            .column(membership::Column::Organization)
            .into_query();
        let rows = organization::Entity::find()
            .filter(organization::Column::Id.not_in_subquery(taken))
            .all(&self.transaction)
            .await?;
        Ok(rows.iter().map(|row| OrganizationId::from_uuid(row.id)).collect())
    }
}
