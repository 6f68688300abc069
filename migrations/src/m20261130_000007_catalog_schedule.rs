//! When a newer catalogue is fetched by itself, and how the last try ended. One row, or none.

use sea_orm_migration::prelude::*;

use crate::column::{number, small, text, text_or_null, time, time_or_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("catalog_schedule")
            .col(small("singleton").primary_key())
            .col(text("url"))
            .col(number("every_ms"))
            .col(text("approval"))
            .col(time("next_try_at"))
            .col(time_or_null("tried_at"))
            .col(text_or_null("outcome"))
            .col(text_or_null("version"))
            .col(text_or_null("error"))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("catalog_schedule").to_owned())
            .await
    }
}
