//! Editions of the catalogue with their approvals, and organizations' own facts of models.

use sea_orm_migration::prelude::*;

use crate::column::{flag, id, id_or_null, text, text_or_null, time, time_or_null};
use crate::index::{belongs_to, index, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(catalog_refresh()).await?;
        manager.create_table(overlay()).await?;
        manager
            .create_index(index("catalog_refresh", "published", &["published", "effective_from"]))
            .await?;
        manager
            .create_index(index("catalog_refresh", "decided", &["state", "decided_at"]))
            .await?;
        manager
            .create_index(unique("overlay", "model", &["organization", "kind", "model"]))
            .await?;
        manager
            .create_index(index("overlay", "list", &["organization", "id"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["overlay", "catalog_refresh"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Belongs to the installation, not to an organization. `document` goes when nobody can need it any more.
fn catalog_refresh() -> TableCreateStatement {
    Table::create()
        .table("catalog_refresh")
        .col(id("id").primary_key())
        .col(text("state"))
        .col(text("version"))
        .col(text("origin"))
        .col(time("effective_from"))
        .col(id_or_null("based_on"))
        .col(text_or_null("document"))
        .col(text("diff"))
        .col(flag("published"))
        .col(time("created_at"))
        .col(text("created_by"))
        .col(time_or_null("decided_at"))
        .col(text_or_null("decided_by"))
        .to_owned()
}

fn overlay() -> TableCreateStatement {
    Table::create()
        .table("overlay")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("kind"))
        .col(text("model"))
        .col(text("facts"))
        .col(time("created_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}
