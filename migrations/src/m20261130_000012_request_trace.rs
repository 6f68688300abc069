//! Traces of requests: which ones an organization keeps, and those that are kept. A trace goes before its request's row
//! does, and refers to nothing.

use sea_orm_migration::prelude::*;

use crate::column::{id, text, text_or_null, time};
use crate::index::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let traces = text_or_null("traces");
        manager
            .alter_table(Table::alter().table("organization").add_column(traces).to_owned())
            .await?;
        manager.create_table(request_trace()).await?;
        manager.create_index(index("request_trace", "age", &["at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("request_trace").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("organization").drop_column("traces").to_owned())
            .await
    }
}

fn request_trace() -> TableCreateStatement {
    Table::create()
        .table("request_trace")
        .col(id("organization"))
        .col(id("request"))
        .col(time("at"))
        .col(text("decision"))
        .primary_key(Index::create().col("organization").col("request"))
        .to_owned()
}
