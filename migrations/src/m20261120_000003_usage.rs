//! What was used: one row a request, sums by minute, hour and day, and how far each node's journal has come.
//! None of it refers to another table: a request that was made stays recorded, whatever is deleted meanwhile.

use sea_orm_migration::prelude::*;

use crate::column::{flag, id, id_or_null, number, number_or_null, small, text, text_or_null, time};
use crate::index::index;

/// Slots of each histogram. A column a slot, so that databases add them up by themselves.
const SLOTS: usize = 24;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        manager.create_table(usage(backend)).await?;
        manager.create_table(usage_rollup(backend)).await?;
        manager.create_table(usage_ack()).await?;
        manager
            .create_index(index("usage_rollup", "age", &["granularity_seconds", "start"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["usage_ack", "usage_rollup", "usage"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Stored in the order of its key, which is the order of the list of requests.
fn usage(backend: sea_orm::DbBackend) -> TableCreateStatement {
    let table = Table::create()
        .table("usage")
        .col(id("organization"))
        .col(id("id"))
        .col(time("started_at"))
        .col(id("key"))
        .col(id_or_null("team"))
        .col(text("dialect"))
        .col(text_or_null("model"))
        .col(text_or_null("provider"))
        .col(text_or_null("upstream_model"))
        .col(flag("stream"))
        .col(text("outcome"))
        .col(small("status"))
        .col(text_or_null("code"))
        .col(number("attempts"))
        .col(text("lines"))
        .col(flag("estimated"))
        .col(number_or_null("cost_nanos"))
        .col(number("input_tokens"))
        .col(number("output_tokens"))
        .col(number("duration_us"))
        .col(number_or_null("first_token_us"))
        .col(number("overhead_us"))
        .primary_key(Index::create().col("organization").col("id"))
        .to_owned();
    clustered(table, backend)
}

/// `start` is in seconds since 1970, so that both databases can put buckets together by arithmetic. A request without
/// a model, provider or team counts under the empty text or the nil UUID: key columns cannot be null.
fn usage_rollup(backend: sea_orm::DbBackend) -> TableCreateStatement {
    let key = [
        "organization",
        "granularity_seconds",
        "start",
        "model",
        "provider",
        "team",
        "key",
    ];
    let mut primary_key = Index::create().to_owned();
    for column in key {
        primary_key.col(column);
    }
    let mut table = Table::create()
        .table("usage_rollup")
        .col(id("organization"))
        .col(number("granularity_seconds"))
        .col(number("start"))
        .col(text("model"))
        .col(text("provider"))
        .col(id("team"))
        .col(id("key"))
        .primary_key(&mut primary_key)
        .to_owned();
    for counter in [
        "requests",
        "errors",
        "unpriced",
        "input_tokens",
        "output_tokens",
        "cost_nanos",
    ] {
        table.col(number(counter));
    }
    for histogram in ["duration", "first_token"] {
        for slot in 0..SLOTS {
            table.col(number(format!("{histogram}_{slot:02}")));
        }
    }
    clustered(table, backend)
}

fn usage_ack() -> TableCreateStatement {
    Table::create()
        .table("usage_ack")
        .col(id("node").primary_key())
        .col(number("acked"))
        .to_owned()
}

/// SQLite keeps the rows in the primary key itself; PostgreSQL has no such tables, and needs none for the result.
fn clustered(mut table: TableCreateStatement, backend: sea_orm::DbBackend) -> TableCreateStatement {
    if backend == sea_orm::DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}
