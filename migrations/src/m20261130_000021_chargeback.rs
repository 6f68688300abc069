//! Who is charged for what: cost centres, and the months that are locked with all their reports were made of. A locked
//! month refers to nothing: it stays as it was, whatever is renamed, moved or deleted afterwards.

use sea_orm_migration::prelude::*;

use crate::column::{flag, id, id_or_null, number, text, text_or_null, time};
use crate::index::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const WITH_COST_CENTRE: [&str; 4] = ["organization", "team", "key", "service_account"];
const TABLES: [&str; 4] = [
    "usage_late",
    "chargeback_charge",
    "chargeback_group",
    "chargeback_month",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in WITH_COST_CENTRE {
            add(manager, table, text_or_null("cost_centre")).await?;
        }
        add(manager, "organization", text_or_null("shared_cost")).await?;
        add(manager, "team", flag("shared").default(false).take()).await?;
        for table in [
            chargeback_month(),
            chargeback_group(),
            chargeback_charge(),
            usage_late(),
        ] {
            manager.create_table(table).await?;
        }
        for made in [
            index("usage_late", "counted_in", &["organization", "counted_in"]),
            index("usage_late", "month", &["organization", "month"]),
        ] {
            manager.create_index(made).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        drop_column(manager, "team", "shared").await?;
        drop_column(manager, "organization", "shared_cost").await?;
        for table in WITH_COST_CENTRE {
            drop_column(manager, table, "cost_centre").await?;
        }
        Ok(())
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    let with = Table::alter().table(table).add_column(column).to_owned();
    manager.alter_table(with).await
}

async fn drop_column(manager: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    let without = Table::alter().table(table).drop_column(column).to_owned();
    manager.alter_table(without).await
}

/// A month that is locked, written `2026-11`, and what it came to.
fn chargeback_month() -> TableCreateStatement {
    Table::create()
        .table("chargeback_month")
        .col(id("organization"))
        .col(text("month"))
        .col(time("locked_at"))
        .col(text("locked_by"))
        .col(text("shared_cost"))
        .col(number("requests"))
        .col(number("unpriced"))
        .col(number("input_tokens"))
        .col(number("output_tokens"))
        .col(number("cost_nanos"))
        .primary_key(Index::create().col("organization").col("month"))
        .to_owned()
}

/// What each row of a locked month's reports is made of, the dearest first. `tag` is empty but for reports by a tag.
fn chargeback_group() -> TableCreateStatement {
    Table::create()
        .table("chargeback_group")
        .col(id("organization"))
        .col(text("month"))
        .col(text("split"))
        .col(text("tag"))
        .col(number("place"))
        .col(text("kind"))
        .col(text_or_null("subject"))
        .col(text_or_null("name"))
        .col(number("subjects"))
        .col(number("requests"))
        .col(number("unpriced"))
        .col(number("input_tokens"))
        .col(number("output_tokens"))
        .col(number("cost_nanos"))
        .primary_key(
            Index::create()
                .col("organization")
                .col("month")
                .col("split")
                .col("tag")
                .col("place"),
        )
        .to_owned()
}

/// What the charges of a locked month are made of. A row with a `unit` is of one unit at one price; one without is what all
/// units of the same day, key and model cost together, by the ledger.
fn chargeback_charge() -> TableCreateStatement {
    Table::create()
        .table("chargeback_charge")
        .col(id("organization"))
        .col(text("month"))
        .col(text("day"))
        .col(number("place"))
        .col(flag("correction"))
        .col(id("key"))
        .col(text_or_null("key_name"))
        .col(id_or_null("team"))
        .col(text_or_null("team_name"))
        .col(id_or_null("owner"))
        .col(text_or_null("user_name"))
        .col(text_or_null("cost_centre"))
        .col(text_or_null("provider"))
        .col(text_or_null("upstream_model"))
        .col(text("unit"))
        .col(text_or_null("price"))
        .col(text_or_null("price_version"))
        .col(number("quantity"))
        .col(number("requests"))
        .col(number("cost_nanos"))
        .primary_key(Index::create().col("organization").col("month").col("day").col("place"))
        .to_owned()
}

/// Requests that came in after their month was locked, and the month in which they are counted instead.
fn usage_late() -> TableCreateStatement {
    Table::create()
        .table("usage_late")
        .col(id("organization"))
        .col(id("request"))
        .col(text("month"))
        .col(text("counted_in"))
        .col(time("arrived_at"))
        .primary_key(Index::create().col("organization").col("request"))
        .to_owned()
}
