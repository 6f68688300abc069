//! First run: one-time tokens that let somebody make the owner and the first organization. Each start of a server may
//! issue one; the first that is used takes all others with it.

use gatewright_contract::Digest;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};

use crate::entity::person;
use crate::entity::setup_token::{Entity, Model};
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
}
