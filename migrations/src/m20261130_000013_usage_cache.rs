//! What the cache had for a request and what that saved, and the sums of both. A request that was not looked for has
//! neither; the release before writes none, and its sums are of requests without a cache.

use sea_orm_migration::prelude::*;

use crate::column::{number, number_or_null, text_or_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SUMS: [&str; 3] = ["cache_hits", "cache_misses", "saved_nanos"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [text_or_null("cache"), number_or_null("saved_nanos")] {
            manager
                .alter_table(Table::alter().table("usage").add_column(column).to_owned())
                .await?;
        }
        for name in SUMS {
            let column = number(name).default(0).take();
            manager
                .alter_table(Table::alter().table("usage_rollup").add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in SUMS {
            manager
                .alter_table(Table::alter().table("usage_rollup").drop_column(name).to_owned())
                .await?;
        }
        for name in ["saved_nanos", "cache"] {
            manager
                .alter_table(Table::alter().table("usage").drop_column(name).to_owned())
                .await?;
        }
        Ok(())
    }
}
