//! How a provider is reached. Absent for those that are called straight, which are all that the release before makes.

use sea_orm_migration::prelude::*;

use crate::column::text_or_null;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let network = text_or_null("network");
        manager
            .alter_table(Table::alter().table("provider").add_column(network).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("provider").drop_column("network").to_owned())
            .await
    }
}
