//! What requests that are no longer kept had spent, for budgets whose windows reach further back. `known_from` says of
//! a budget before when requests were removed without that; of budgets that there are already it is when the last
//! were. Beside it, the tags that charges of a locked month are told by, and months that are being locked.

use sea_orm_migration::prelude::*;

use crate::column::{id, number, text, text_or_null, time, time_or_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let known_from = time_or_null("known_from");
        manager
            .alter_table(
                Table::alter()
                    .table("budget_counting")
                    .add_column(known_from)
                    .to_owned(),
            )
            .await?;
        let removed = Query::select()
            .column("usage_from")
            .from("installation")
            .limit(1)
            .to_owned();
        let known = Query::update()
            .table("budget_counting")
            .value("known_from", SimpleExpr::SubQuery(None, Box::new(removed.into())))
            .to_owned();
        manager.execute(known).await?;
        manager.create_table(budget_kept()).await?;
        let tags = text_or_null("tags");
        manager
            .alter_table(Table::alter().table("chargeback_charge").add_column(tags).to_owned())
            .await?;
        manager.create_table(chargeback_locking()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["chargeback_locking", "budget_kept"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        manager
            .alter_table(Table::alter().table("chargeback_charge").drop_column("tags").to_owned())
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("budget_counting")
                    .drop_column("known_from")
                    .to_owned(),
            )
            .await
    }
}

/// `from_ms` begins a day of the budget's time zone, an hour, or a part of a window that rolls. `counted_from_ms` is the
/// window in which the requests count by themselves, and -1 where they count in none.
fn budget_kept() -> TableCreateStatement {
    Table::create()
        .table("budget_kept")
        .col(id("organization"))
        .col(id("budget"))
        .col(number("from_ms"))
        .col(text("name"))
        .col(number("counted_from_ms"))
        .col(number("cost_nanos"))
        .col(number("requests"))
        .primary_key(
            Index::create()
                .col("organization")
                .col("budget")
                .col("from_ms")
                .col("name")
                .col("counted_from_ms"),
        )
        .to_owned()
}

/// A month whose report and charges are being kept, who does it, how many of its portions are done, and until when that one
/// is waited for. Once all are, `watermark` says what the month came to when they were read.
fn chargeback_locking() -> TableCreateStatement {
    Table::create()
        .table("chargeback_locking")
        .col(id("organization"))
        .col(text("month"))
        .col(id("run"))
        .col(number("done"))
        .col(number("portions"))
        .col(time("busy_until"))
        .col(text_or_null("watermark"))
        .primary_key(Index::create().col("organization").col("month"))
        .to_owned()
}
