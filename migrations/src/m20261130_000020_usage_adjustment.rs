//! Requests that are priced anew: rows of usage stay as they are, and what is to be added to their cost stands beside them.
//! A request is adjusted once by each run. Nothing refers to another table: an adjustment goes when its request's row does.

use sea_orm_migration::prelude::*;

use crate::column::{flag, id, number, text, text_or_null, time, time_or_null};
use crate::index::{index, unique_where_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(usage_adjustment()).await?;
        manager
            .create_index(index("usage_adjustment", "age", &["request"]))
            .await?;
        manager.create_table(reprice()).await?;
        manager
            .create_index(index("reprice", "organization", &["organization", "id"]))
            .await?;
        manager
            .create_index(unique_where_null(
                "reprice",
                "running",
                &["organization"],
                "finished_at",
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["reprice", "usage_adjustment"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// `delta_nanos` is added to what the request's row and its earlier adjustments cost, which gives `cost_nanos`. `priced`: it
/// had no cost until then.
fn usage_adjustment() -> TableCreateStatement {
    Table::create()
        .table("usage_adjustment")
        .col(id("organization"))
        .col(id("request"))
        .col(id("reprice"))
        .col(time("started_at"))
        .col(number("delta_nanos"))
        .col(number("cost_nanos"))
        .col(flag("priced"))
        .col(text("lines"))
        .col(time("created_at"))
        .primary_key(Index::create().col("organization").col("request").col("reprice"))
        .to_owned()
}

/// `position` is the last request that was looked at, `revision` that of the prices it goes by, and whoever works on it says
/// until when.
fn reprice() -> TableCreateStatement {
    Table::create()
        .table("reprice")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(time("from_at"))
        .col(time("to_at"))
        .col(text_or_null("provider"))
        .col(text_or_null("model"))
        .col(time_or_null("priced_at"))
        .col(text("reason"))
        .col(text("created_by"))
        .col(time("created_at"))
        .col(number("revision"))
        .col(id("position"))
        .col(time_or_null("busy_until"))
        .col(number("requests"))
        .col(number("changed"))
        .col(number("unpriceable"))
        .col(number("before_nanos"))
        .col(number("after_nanos"))
        .col(text("parts"))
        .col(time_or_null("finished_at"))
        .col(text_or_null("failure"))
        .to_owned()
}
