//! Budgets and limits, what is added to budgets for a while, who asked for more, and what was reached. `kind` and `subject`
//! say whom or what one is for in columns that can be asked by; `scope` says the same as it is published.

use sea_orm_migration::prelude::*;

use crate::column::{flag, id, id_or_null, number, number_or_null, small, text, text_or_null, time, time_or_null};
use crate::index::{belongs_to, index, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tags = text_or_null("tags");
        manager
            .alter_table(Table::alter().table("organization").add_column(tags).to_owned())
            .await?;
        for table in [
            budget(),
            budget_increase(),
            budget_request(),
            budget_alert(),
            rate_limit(),
        ] {
            manager.create_table(table).await?;
        }
        let whole = ["organization", "kind", "subject", "window"];
        manager.create_index(unique("budget", "window", &whole)).await?;
        let whole = ["organization", "kind", "subject", "shadow"];
        manager.create_index(unique("rate_limit", "scope", &whole)).await?;
        for table in ["budget", "rate_limit", "budget_request"] {
            manager
                .create_index(index(table, "list", &["organization", "id"]))
                .await?;
        }
        manager
            .create_index(index("budget", "downgrade", &["organization", "downgrade"]))
            .await?;
        manager
            .create_index(index("budget_increase", "budget", &["budget"]))
            .await?;
        manager
            .create_index(index("budget_increase", "age", &["expires_at"]))
            .await?;
        manager
            .create_index(unique("budget_request", "window", &["budget", "asked_in_ms"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "rate_limit",
            "budget_alert",
            "budget_request",
            "budget_increase",
            "budget",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        manager
            .alter_table(Table::alter().table("organization").drop_column("tags").to_owned())
            .await
    }
}

/// `window`, `amount` and `downgrade` stand in `spec`, too: those of keys are compared by them without reading all.
fn budget() -> TableCreateStatement {
    Table::create()
        .table("budget")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("kind"))
        .col(text("subject"))
        .col(id_or_null("subject_id"))
        .col(text("scope"))
        .col(text("window"))
        .col(number("amount"))
        .col(text_or_null("downgrade"))
        .col(text("spec"))
        .col(time("created_at"))
        .col(text("created_by"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}

fn budget_increase() -> TableCreateStatement {
    Table::create()
        .table("budget_increase")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(id("budget"))
        .col(number("amount"))
        .col(text("reason"))
        .col(time("expires_at"))
        .col(time("created_at"))
        .col(text("created_by"))
        .foreign_key(&mut belongs_to("budget", "budget"))
        .to_owned()
}

/// `asked_in_ms` is the beginning of the window in which a refused request asked; a person's has none.
fn budget_request() -> TableCreateStatement {
    Table::create()
        .table("budget_request")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(id("budget"))
        .col(number_or_null("asked_in_ms"))
        .col(number_or_null("amount"))
        .col(text("reason"))
        .col(text("state"))
        .col(id_or_null("increase"))
        .col(time("created_at"))
        .col(text("created_by"))
        .col(time_or_null("decided_at"))
        .col(text_or_null("decided_by"))
        .foreign_key(&mut belongs_to("budget", "budget"))
        .to_owned()
}

/// `name` is empty but where a budget is for each.
fn budget_alert() -> TableCreateStatement {
    Table::create()
        .table("budget_alert")
        .col(id("budget"))
        .col(text("name"))
        .col(number("from_ms"))
        .col(small("step"))
        .col(id("organization"))
        .col(number("cap"))
        .col(number("spent"))
        .col(time("at"))
        .primary_key(Index::create().col("budget").col("name").col("from_ms").col("step"))
        .foreign_key(&mut belongs_to("budget", "budget"))
        .to_owned()
}

fn rate_limit() -> TableCreateStatement {
    Table::create()
        .table("rate_limit")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("kind"))
        .col(text("subject"))
        .col(id_or_null("subject_id"))
        .col(text("scope"))
        .col(flag("shadow"))
        .col(text("spec"))
        .col(time("created_at"))
        .col(text("created_by"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}
