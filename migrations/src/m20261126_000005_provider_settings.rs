//! Settings of providers, and what kind of secret a credential has. Both have defaults, so that the release before, which
//! writes neither, goes on making providers whose credentials are API keys.

use sea_orm_migration::prelude::*;

use crate::column::text;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let settings = text("settings").default("{}").take();
        manager
            .alter_table(Table::alter().table("provider").add_column(settings).to_owned())
            .await?;
        let kind = text("kind").default("api_key").take();
        manager
            .alter_table(Table::alter().table("credential").add_column(kind).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("credential").drop_column("kind").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("provider").drop_column("settings").to_owned())
            .await
    }
}
