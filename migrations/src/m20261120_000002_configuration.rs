//! What is configured: teams, keys, providers with credentials, models, prices, and the units published from them.

use sea_orm_migration::prelude::*;

use crate::column::{digest, id, id_or_null, number, text, text_or_null, time, time_or_null};
use crate::index::{belongs_to, index, unique, unique_where_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(team()).await?;
        manager.create_table(key()).await?;
        manager.create_table(provider()).await?;
        manager.create_table(credential()).await?;
        manager.create_table(model()).await?;
        manager.create_table(price()).await?;
        manager
            .create_table(config_unit(manager.get_database_backend()))
            .await?;

        for table in ["team", "provider", "model"] {
            manager
                .create_index(unique(table, "name", &["organization", "name"]))
                .await?;
        }
        for table in ["team", "key", "provider", "model", "price"] {
            manager
                .create_index(index(table, "list", &["organization", "id"]))
                .await?;
        }
        // A revoked key gives its name and its secret free.
        manager
            .create_index(unique_where_null(
                "key",
                "name",
                &["organization", "name"],
                "revoked_at",
            ))
            .await?;
        manager
            .create_index(unique_where_null("key", "secret", &["digest"], "revoked_at"))
            .await?;
        manager.create_index(index("key", "digest", &["digest"])).await?;
        manager.create_index(index("key", "team", &["team"])).await?;
        manager
            .create_index(unique("credential", "name", &["provider", "name"]))
            .await?;
        let start = &["organization", "provider", "model", "effective_from"];
        manager.create_index(unique("price", "effective_from", start)).await?;
        manager
            .create_index(index("config_unit", "feed", &["revision", "organization", "unit"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["config_unit", "price", "model", "credential", "provider", "key", "team"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn team() -> TableCreateStatement {
    Table::create()
        .table("team")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("name"))
        .col(time("created_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}

fn key() -> TableCreateStatement {
    let team = ForeignKey::create()
        .from_col("team")
        .to("team", "id")
        .on_delete(ForeignKeyAction::SetNull)
        .to_owned();
    Table::create()
        .table("key")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("name"))
        .col(id_or_null("team"))
        .col(digest("digest"))
        .col(text("hint"))
        .col(text_or_null("models"))
        .col(time_or_null("expires_at"))
        .col(time("created_at"))
        .col(text("created_by"))
        .col(time_or_null("revoked_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .foreign_key(&mut team.to_owned())
        .to_owned()
}

fn provider() -> TableCreateStatement {
    Table::create()
        .table("provider")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("name"))
        .col(text("kind"))
        .col(text_or_null("base_url"))
        .col(time("created_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}

fn credential() -> TableCreateStatement {
    Table::create()
        .table("credential")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(id("provider"))
        .col(text("name"))
        .col(number("weight"))
        .col(text("hint"))
        .col(text("sealed"))
        .col(time("created_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .foreign_key(&mut belongs_to("provider", "provider"))
        .to_owned()
}

fn model() -> TableCreateStatement {
    Table::create()
        .table("model")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("name"))
        .col(text("route"))
        .col(text("timeouts"))
        .col(time("created_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}

fn price() -> TableCreateStatement {
    Table::create()
        .table("price")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("provider"))
        .col(text("model"))
        .col(text("rates"))
        .col(time("effective_from"))
        .col(time("created_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}

/// No reference to the organization: its tombstones outlive it. `kind` is in the key so that what must compile
/// together is read without touching the organization's keys.
fn config_unit(backend: sea_orm::DbBackend) -> TableCreateStatement {
    let mut table = Table::create()
        .table("config_unit")
        .col(id("organization"))
        .col(text("kind"))
        .col(text("unit"))
        .col(number("revision"))
        .col(text_or_null("body"))
        .primary_key(Index::create().col("organization").col("kind").col("unit"))
        .to_owned();
    if backend == sea_orm::DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}
