//! The audit log: who changed what, and who was refused. It refers to no other table, so that it outlives what it tells.

use sea_orm_migration::prelude::*;

use crate::column::{id, id_or_null, text, text_or_null, time};
use crate::index::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let audit = Table::create()
            .table("audit")
            .col(id("id").primary_key())
            .col(id_or_null("organization"))
            .col(time("at"))
            .col(text("actor_kind"))
            .col(id_or_null("actor_id"))
            .col(text("actor"))
            .col(text("action"))
            .col(text_or_null("target"))
            .col(text("outcome"))
            .col(text("detail"))
            .col(text_or_null("address"))
            .col(text("request_id"))
            .to_owned();
        manager.create_table(audit).await?;
        manager
            .create_index(index("audit", "list", &["organization", "id"]))
            .await?;
        manager
            .create_index(index("audit", "action", &["organization", "action", "id"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit").to_owned()).await
    }
}
