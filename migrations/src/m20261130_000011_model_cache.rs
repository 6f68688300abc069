//! What of a model's answers is kept. Absent where nothing is, as for all models that the release before makes.

use sea_orm_migration::prelude::*;

use crate::column::text_or_null;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cache = text_or_null("cache");
        manager
            .alter_table(Table::alter().table("model").add_column(cache).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("model").drop_column("cache").to_owned())
            .await
    }
}
