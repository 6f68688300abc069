//! Whose keys are, what they may do, how their secrets are rotated and when they are shut. What the release before wrote of
//! a key means the same: nobody's, open, never rotated.

use sea_orm_migration::prelude::*;

use crate::column::{digest, id, id_or_null, text, text_or_null, time, time_or_null};
use crate::index::{belongs_to, index, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Of a million keys few are looked after.
const LOOKED_AFTER: &str = "key__looked_after";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in key_columns() {
            let with = Table::alter().table("key").add_column(column).to_owned();
            manager.alter_table(with).await?;
        }
        let ranges = text_or_null("ip_ranges");
        manager
            .alter_table(Table::alter().table("team").add_column(ranges).to_owned())
            .await?;
        manager.create_table(service_account()).await?;
        manager
            .create_index(unique("service_account", "name", &["organization", "name"]))
            .await?;
        manager.create_table(former_secret()).await?;
        for made in [
            index("former_secret", "digest", &["digest"]),
            unique("former_secret", "idempotency_key", &["key", "idempotency_key"]),
            index("former_secret", "end", &["ended_at", "ends_at"]),
            index("key", "owner", &["owner"]),
            index("key", "service_account", &["service_account"]),
            index("key", "looked_after", &["next_look_at"])
                .and_where(Expr::col("next_look_at").is_not_null())
                .to_owned(),
        ] {
            manager.create_index(made).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in [LOOKED_AFTER, "key__service_account", "key__owner"] {
            manager
                .drop_index(Index::drop().name(name).table("key").to_owned())
                .await?;
        }
        for table in ["former_secret", "service_account"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        manager
            .alter_table(Table::alter().table("team").drop_column("ip_ranges").to_owned())
            .await?;
        for column in key_columns() {
            let name = column.get_column_name();
            let without = Table::alter().table("key").drop_column(name).to_owned();
            manager.alter_table(without).await?;
        }
        Ok(())
    }
}

fn key_columns() -> [ColumnDef; 10] {
    [
        id_or_null("owner"),
        id_or_null("service_account"),
        text_or_null("settings"),
        time_or_null("secret_made_at"),
        time_or_null("last_used_at"),
        time_or_null("idle_from"),
        time_or_null("disabled_at"),
        text_or_null("disabled_for"),
        text_or_null("noticed"),
        time_or_null("next_look_at"),
    ]
}

fn service_account() -> TableCreateStatement {
    Table::create()
        .table("service_account")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("name"))
        .col(id_or_null("team"))
        .col(time("created_at"))
        .col(text("created_by"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}

/// Rows stay when a secret's time is over: one that worked once opens nothing else, ever.
fn former_secret() -> TableCreateStatement {
    Table::create()
        .table("former_secret")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(id("key"))
        .col(digest("digest"))
        .col(text("hint"))
        .col(time("replaced_at"))
        .col(time("ends_at"))
        .col(time_or_null("ended_at"))
        .col(text_or_null("idempotency_key"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .foreign_key(&mut belongs_to("key", "key"))
        .to_owned()
}
