//! The ledger of budgets: in which of them each request counts, what was spent in their windows, and what had been spent
//! in a window before its budget was made. Nothing refers to another table: what was spent stays, whatever is deleted.

use sea_orm_migration::prelude::*;

use crate::column::{flag, id, id_or_null, number, text, text_or_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const USAGE: [&str; 7] = [
    "owner",
    "end_user",
    "tags",
    "budgets",
    "credential",
    "downgraded_to",
    "over",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in USAGE {
            let column = match name {
                "owner" | "credential" => id_or_null(name),
                _ => text_or_null(name),
            };
            manager
                .alter_table(Table::alter().table("usage").add_column(column).to_owned())
                .await?;
        }
        manager.create_table(of_windows("budget_spend")).await?;
        let mut opening = of_windows("budget_opening");
        manager.create_table(opening.col(flag("settled")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["budget_opening", "budget_spend"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for name in USAGE {
            manager
                .alter_table(Table::alter().table("usage").drop_column(name).to_owned())
                .await?;
        }
        Ok(())
    }
}

/// A row for each budget, window or part of one, and name where a budget is for each; else the name is empty.
fn of_windows(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(id("organization"))
        .col(id("budget"))
        .col(number("from_ms"))
        .col(text("name"))
        .col(number("cost_nanos"))
        .col(number("requests"))
        .primary_key(
            Index::create()
                .col("organization")
                .col("budget")
                .col("from_ms")
                .col("name"),
        )
        .to_owned()
}
