//! On PostgreSQL sums by minute, by hour and by day are parts of their table each. In one they lie among one another as they
//! came, and whoever reads a week by the hour reads a page for each of two hundred thousand sums. SQLite keeps its rows in
//! the order of their key.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const PARTS: [(&str, i64); 3] = [("minute", 60), ("hour", 3_600), ("day", 86_400)];
const KEY: &str = r#"organization, granularity_seconds, "start", model, provider, team, "key""#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => divide(manager.get_connection()).await,
            _ => Ok(()),
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => unite(manager.get_connection()).await,
            _ => Ok(()),
        }
    }
}

async fn divide(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    run(connection, "ALTER TABLE usage_rollup RENAME TO usage_rollup_before").await?;
    for name in ["_pkey", "__age"] {
        let rename = format!("ALTER INDEX usage_rollup{name} RENAME TO usage_rollup_before{name}");
        run(connection, &rename).await?;
    }
    run(
        connection,
        "CREATE TABLE usage_rollup (LIKE usage_rollup_before INCLUDING DEFAULTS) PARTITION BY LIST (granularity_seconds)",
    )
    .await?;
    for (name, seconds) in PARTS {
        // A sum is added to while its time lasts: there is room for that beside it.
        let part = format!(
            "CREATE TABLE usage_rollup_{name} PARTITION OF usage_rollup FOR VALUES IN ({seconds}) WITH (fillfactor = 80)"
        );
        run(connection, &part).await?;
    }
    let order = r#"granularity_seconds, organization, "start""#;
    let copy = format!("INSERT INTO usage_rollup SELECT * FROM usage_rollup_before ORDER BY {order}");
    run(connection, &copy).await?;
    run(connection, "DROP TABLE usage_rollup_before").await?;
    index(connection).await
}

async fn unite(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    run(
        connection,
        "CREATE TABLE usage_rollup_one (LIKE usage_rollup INCLUDING DEFAULTS)",
    )
    .await?;
    run(connection, "INSERT INTO usage_rollup_one SELECT * FROM usage_rollup").await?;
    run(connection, "DROP TABLE usage_rollup").await?;
    run(connection, "ALTER TABLE usage_rollup_one RENAME TO usage_rollup").await?;
    index(connection).await
}

async fn index(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let key = format!("ALTER TABLE usage_rollup ADD CONSTRAINT usage_rollup_pkey PRIMARY KEY ({KEY})");
    run(connection, &key).await?;
    let age = r#"CREATE INDEX usage_rollup__age ON usage_rollup (granularity_seconds, "start")"#;
    run(connection, age).await
}

async fn run(connection: &impl ConnectionTrait, sql: &str) -> Result<(), DbErr> {
    connection.execute_unprepared(sql).await.map(drop)
}
