//! Who may come in: the installation, its setup tokens, people, sessions, organizations, memberships, invitations and
//! control-plane tokens.

use sea_orm_migration::prelude::*;

use crate::column::{digest, id, number, small, text, text_or_null, time, time_or_null};
use crate::index::{belongs_to, index, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(installation()).await?;
        manager.create_table(setup_token()).await?;
        manager.create_table(organization()).await?;
        manager.create_table(person()).await?;
        manager.create_table(membership()).await?;
        manager.create_table(session()).await?;
        manager.create_table(invitation()).await?;
        manager.create_table(token()).await?;

        manager.create_index(unique("organization", "slug", &["slug"])).await?;
        manager.create_index(unique("person", "email", &["email"])).await?;
        manager.create_index(index("membership", "person", &["person"])).await?;
        manager.create_index(unique("session", "digest", &["digest"])).await?;
        manager
            .create_index(index("session", "list", &["person", "id"]))
            .await?;
        manager
            .create_index(unique("invitation", "digest", &["digest"]))
            .await?;
        manager
            .create_index(unique("invitation", "email", &["organization", "email"]))
            .await?;
        manager
            .create_index(index("invitation", "list", &["organization", "id"]))
            .await?;
        manager.create_index(unique("token", "secret", &["digest"])).await?;
        manager
            .create_index(unique("token", "name", &["organization", "name"]))
            .await?;
        manager
            .create_index(index("token", "list", &["organization", "id"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "token",
            "invitation",
            "session",
            "membership",
            "person",
            "organization",
            "setup_token",
            "installation",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// One row: which database this is, and how often its configuration has changed.
fn installation() -> TableCreateStatement {
    Table::create()
        .table("installation")
        .col(small("singleton").primary_key())
        .col(id("id"))
        .col(number("revision"))
        .col(time("created_at"))
        .check(Expr::col("singleton").eq(1))
        .to_owned()
}

fn setup_token() -> TableCreateStatement {
    Table::create()
        .table("setup_token")
        .col(digest("digest").primary_key())
        .col(time("created_at"))
        .to_owned()
}

fn organization() -> TableCreateStatement {
    Table::create()
        .table("organization")
        .col(id("id").primary_key())
        .col(text("slug"))
        .col(text("name"))
        .col(time("created_at"))
        .to_owned()
}

fn person() -> TableCreateStatement {
    Table::create()
        .table("person")
        .col(id("id").primary_key())
        .col(text("email"))
        .col(text("name"))
        .col(text_or_null("password"))
        .col(number("failed_count"))
        .col(time_or_null("locked_until"))
        .col(time("created_at"))
        .to_owned()
}

fn membership() -> TableCreateStatement {
    Table::create()
        .table("membership")
        .col(id("organization"))
        .col(id("person"))
        .col(text("role"))
        .col(time("joined_at"))
        .primary_key(Index::create().col("organization").col("person"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .foreign_key(&mut belongs_to("person", "person"))
        .to_owned()
}

fn session() -> TableCreateStatement {
    Table::create()
        .table("session")
        .col(id("id").primary_key())
        .col(id("person"))
        .col(digest("digest"))
        .col(time("created_at"))
        .col(time("last_seen_at"))
        .col(time("expires_at"))
        .col(text("address"))
        .col(text("user_agent"))
        .foreign_key(&mut belongs_to("person", "person"))
        .to_owned()
}

fn invitation() -> TableCreateStatement {
    Table::create()
        .table("invitation")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("email"))
        .col(text("role"))
        .col(digest("digest"))
        .col(text("invited_by"))
        .col(time("created_at"))
        .col(time("expires_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}

fn token() -> TableCreateStatement {
    Table::create()
        .table("token")
        .col(id("id").primary_key())
        .col(id("organization"))
        .col(text("name"))
        .col(text("role"))
        .col(digest("digest"))
        .col(text("hint"))
        .col(time("created_at"))
        .col(time_or_null("expires_at"))
        .foreign_key(&mut belongs_to("organization", "organization"))
        .to_owned()
}
