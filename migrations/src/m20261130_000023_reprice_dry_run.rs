//! Runs that only tell what pricing requests anew would come to, and runs that somebody ended. `taken_until` takes the place
//! of `busy_until`: the release before takes up each run that nobody is busy with, and would add adjustments in a dry run.

use sea_orm_migration::prelude::*;

use crate::column::{flag, text_or_null, time_or_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            let with = Table::alter().table("reprice").add_column(column).to_owned();
            manager.alter_table(with).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            let name = column.get_column_name();
            let without = Table::alter().table("reprice").drop_column(name).to_owned();
            manager.alter_table(without).await?;
        }
        Ok(())
    }
}

fn columns() -> [ColumnDef; 3] {
    [
        flag("dry_run").default(false).take(),
        time_or_null("taken_until"),
        text_or_null("cancelled_by"),
    ]
}
