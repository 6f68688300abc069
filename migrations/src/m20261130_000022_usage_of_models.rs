//! An index for the requests of a model. Of a model that is called seldom the list would otherwise be looked for in all
//! requests of the organization.

use sea_orm_migration::prelude::*;

use crate::index::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_index(index("usage", "model", &["organization", "model", "id"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("usage__model").table("usage").to_owned())
            .await
    }
}
