//! How a provider says it served a request, and what it says it charges. Both may be missing: the release before writes
//! neither.

use sea_orm_migration::prelude::*;

use crate::column::{number_or_null, text_or_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [text_or_null("service_tier"), number_or_null("provider_cost_nanos")] {
            manager
                .alter_table(Table::alter().table("usage").add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["provider_cost_nanos", "service_tier"] {
            manager
                .alter_table(Table::alter().table("usage").drop_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
