//! Organizations' own prices for other sizes of requests and other ways to be served. The release before writes none, and
//! prices by what it knows.

use sea_orm_migration::prelude::*;

use crate::column::text;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tiers = text("tiers").default("{}").take();
        manager
            .alter_table(Table::alter().table("price").add_column(tiers).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("price").drop_column("tiers").to_owned())
            .await
    }
}
