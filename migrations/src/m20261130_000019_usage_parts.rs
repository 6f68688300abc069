//! By which windows budgets count, and since when. On PostgreSQL requests are kept in a table a month, so that old ones go
//! at once; `usage_from` is since when an installation keeps them.

mod divided;

use sea_orm_migration::prelude::*;

use crate::column::{id, number, text, time, time_or_null};
use crate::index::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let usage_from = time_or_null("usage_from");
        manager
            .alter_table(Table::alter().table("installation").add_column(usage_from).to_owned())
            .await?;
        manager.create_table(budget_counting()).await?;
        for table in ["budget_spend", "budget_opening"] {
            manager
                .create_index(index(table, "window", &["organization", "from_ms"]))
                .await?;
        }
        match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => divided::divide(manager.get_connection()).await,
            _ => Ok(()),
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == sea_orm::DbBackend::Postgres {
            divided::unite(manager.get_connection()).await?;
        }
        for table in ["budget_opening", "budget_spend"] {
            let name = format!("{table}__window");
            manager
                .drop_index(Index::drop().name(name).table(table).to_owned())
                .await?;
        }
        manager
            .drop_table(Table::drop().table("budget_counting").to_owned())
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("installation")
                    .drop_column("usage_from")
                    .to_owned(),
            )
            .await
    }
}

/// What was spent before `since` in the window that begins at `from_ms` is the budget's opening.
fn budget_counting() -> TableCreateStatement {
    Table::create()
        .table("budget_counting")
        .col(id("organization"))
        .col(id("budget"))
        .col(text("counting"))
        .col(time("since"))
        .col(number("from_ms"))
        .primary_key(Index::create().col("organization").col("budget"))
        .to_owned()
}
