//! Indexes for the filters of the list of requests: by key, and by outcome where it is not the usual one. Each ends with
//! the identifier, which gives the order, so that a page costs what a page holds.
//!
//! Every index costs each insert, and a single node inserts in the process that serves. So there is none for complete
//! requests, as nearly all are, nor for models: an organization uses few, and the table's own key lists them. Whoever asks for another outcome says that it is not `complete`, without which no planner takes a partial index.

use sea_orm_migration::prelude::*;

use crate::index::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_index(index("usage", "key", &["organization", "key", "id"]))
            .await?;
        let mut unusual = index("usage", "unusual", &["organization", "outcome", "id"]);
        unusual.and_where(Expr::col("outcome").ne("complete"));
        manager.create_index(unusual).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["usage__unusual", "usage__key"] {
            manager
                .drop_index(Index::drop().name(name).table("usage").to_owned())
                .await?;
        }
        Ok(())
    }
}
