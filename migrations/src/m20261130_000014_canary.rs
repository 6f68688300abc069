//! How far the canaries of models' routes are, and what their two sides did. A sum refers to no other table: a record may
//! come in after its canary is gone.

use sea_orm_migration::prelude::*;

use crate::column::{digest, id, number, small, text, text_or_null, time};
use crate::index::belongs_to;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(canary()).await?;
        manager.create_table(canary_usage()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["canary_usage", "canary"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// `spec` is the digest of what is written at the place, `round` the revision since which it is compared with this part.
fn canary() -> TableCreateStatement {
    Table::create()
        .table("canary")
        .col(id("model"))
        .col(text("place"))
        .col(id("organization"))
        .col(digest("spec"))
        .col(small("percent"))
        .col(text("state"))
        .col(number("round"))
        .col(time("since"))
        .col(text_or_null("reason"))
        .primary_key(Index::create().col("model").col("place"))
        .foreign_key(&mut belongs_to("model", "model"))
        .to_owned()
}

fn canary_usage() -> TableCreateStatement {
    let mut table = Table::create()
        .table("canary_usage")
        .col(id("model"))
        .col(text("place"))
        .col(number("round"))
        .col(text("side"))
        .col(id("organization"))
        .primary_key(Index::create().col("model").col("place").col("round").col("side"))
        .to_owned();
    for counter in ["requests", "failed", "latency_us", "priced", "cost_nanos"] {
        table.col(number(counter));
    }
    table
}
