//! All that a model says besides where it leads, its time limits included. Absent in rows of the release before, which
//! reads and writes `timeouts`.

use sea_orm_migration::prelude::*;

use crate::column::text_or_null;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let settings = text_or_null("settings");
        manager
            .alter_table(Table::alter().table("model").add_column(settings).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("model").drop_column("settings").to_owned())
            .await
    }
}
