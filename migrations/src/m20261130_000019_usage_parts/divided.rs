//! Makes the table of requests one of parts, by the time in their identifiers, and one again. The rows that are there
//! become the first part as they are: nothing is copied.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use sea_orm_migration::prelude::DbErr;
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

const INDEXES: [&str; 3] = ["usage_pkey", "usage__key", "usage__unusual"];

pub(super) async fn divide(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let border = border(connection).await?;
    run(connection, "ALTER TABLE usage RENAME TO usage_before").await?;
    for name in INDEXES {
        let rest = name.strip_prefix("usage").unwrap_or_default();
        run(connection, &format!("ALTER INDEX {name} RENAME TO usage_before{rest}")).await?;
    }
    run(
        connection,
        "CREATE TABLE usage (LIKE usage_before INCLUDING DEFAULTS) PARTITION BY RANGE (id)",
    )
    .await?;
    index(connection).await?;
    let nil = Uuid::nil();
    let attach = format!("ALTER TABLE usage ATTACH PARTITION usage_before FOR VALUES FROM ('{nil}') TO ('{border}')");
    run(connection, &attach).await?;
    // For clocks that are wrong by months, and for a time in which nobody made the next part.
    run(connection, "CREATE TABLE usage_other PARTITION OF usage DEFAULT").await
}

pub(super) async fn unite(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    run(connection, "CREATE TABLE usage_one (LIKE usage INCLUDING DEFAULTS)").await?;
    run(connection, "INSERT INTO usage_one SELECT * FROM usage").await?;
    run(connection, "DROP TABLE usage").await?;
    run(connection, "ALTER TABLE usage_one RENAME TO usage").await?;
    index(connection).await
}

async fn index(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    for sql in [
        "ALTER TABLE usage ADD CONSTRAINT usage_pkey PRIMARY KEY (organization, id)",
        r#"CREATE INDEX usage__key ON usage (organization, "key", id)"#,
        "CREATE INDEX usage__unusual ON usage (organization, outcome, id) WHERE outcome <> 'complete'",
    ] {
        run(connection, sql).await?;
    }
    Ok(())
}

/// Where the next month begins, after all rows that are there.
async fn border(connection: &impl ConnectionTrait) -> Result<Uuid, DbErr> {
    let newest = "SELECT id FROM usage ORDER BY id DESC LIMIT 1";
    let newest = Statement::from_string(connection.get_database_backend(), newest);
    let newest: Option<Uuid> = match connection.query_one_raw(newest).await? {
        Some(row) => Some(row.try_get_by_index(0)?),
        None => None,
    };
    let minted = newest.and_then(|id| DateTime::from_timestamp_millis(i64::try_from(id.as_u128() >> 80).ok()?));
    let latest = minted
        .map_or_else(Utc::now, |minted| minted.max(Utc::now()))
        .date_naive();
    let first = latest.with_day(1).unwrap_or(latest);
    Ok(first_id_of(first + Months::new(1)))
}

fn first_id_of(day: NaiveDate) -> Uuid {
    let midnight = day.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc();
    Uuid::from_u128(u128::try_from(midnight.timestamp_millis()).unwrap_or(0) << 80)
}

async fn run(connection: &impl ConnectionTrait, sql: &str) -> Result<(), DbErr> {
    connection.execute_unprepared(sql).await.map(drop)
}
