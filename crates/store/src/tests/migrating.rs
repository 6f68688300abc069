//! The schema on both databases: up, down, up; by several processes at once; and what is newer than the program.

use std::collections::BTreeSet;

use gatewright_contract::Batch;
use gatewright_migrations::{Migrator, MigratorTrait as _};
use gatewright_types::NodeId;
use sea_orm::{ConnectionTrait as _, Statement};

use super::fixture::Fixture;
use super::ingesting::records;
use super::on_both_databases;
use crate::MigrateError;

async fn migrations_go_up_down_and_up_again(fixture: Fixture) {
    let made = schema(&fixture).await;

    Migrator::down(&fixture.write, None).await.expect("all steps go down");
    let left = schema(&fixture).await;
    fixture.migrate().await.expect("all steps go up again");

    assert!(
        left.iter().all(|name| name.contains("seaql_migrations")),
        "left behind: {left:?}"
    );
    assert_eq!(schema(&fixture).await, made);
    assert_eq!(fixture.organization_named("acme").await.to_string().len(), 36);
}

async fn migrating_again_changes_nothing(fixture: Fixture) {
    let installation = fixture.system().installation_id().await.expect("an installation");
    fixture.organization_named("acme").await;

    fixture.migrate().await.expect("a migrated database migrates");

    assert_eq!(
        fixture.system().installation_id().await.expect("an installation"),
        installation
    );
    assert_eq!(fixture.system().revision().await.expect("a revision").0, 1);
}

async fn several_processes_may_migrate_at_once(fixture: Fixture) {
    Migrator::down(&fixture.write, None).await.expect("all steps go down");
    let (one, other) = (fixture.opened_again().await, fixture.opened_again().await);

    let (first, second, third) = tokio::join!(fixture.migrate(), one.migrate(), other.migrate());

    for migrated in [first, second, third] {
        migrated.expect("each of them finds a migrated database");
    }
    assert_eq!(fixture.number("SELECT COUNT(*) FROM installation").await, 1);
}

async fn a_newer_database_is_refused_with_a_sentence(fixture: Fixture) {
    fixture
        .run("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)")
        .await;

    let refused = fixture.migrate().await.expect_err("a newer database is refused");

    assert!(matches!(&refused, MigrateError::Newer { migration } if migration == "m29990101_000001_later"));
    assert_eq!(
        refused.to_string(),
        "the database is newer than this program: it has had the migration m29990101_000001_later, which this release \
         does not know; use the release that made it, or a later one"
    );
}

async fn an_unmigrated_database_answers_but_cannot_be_written(fixture: Fixture) {
    Migrator::down(&fixture.write, None).await.expect("all steps go down");

    assert!(fixture.check().await.is_ok());
    assert!(fixture.system().revision().await.is_err());
}

async fn sums_are_the_same_before_and_after_the_step_that_divides_them(fixture: Fixture) {
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records: records(fixture.organization_named("acme").await, 7),
    };
    fixture.system().ingest(&batch).await.expect("the batch comes in");
    let sums = async || {
        let sums = [60, 3_600, 86_400].map(|seconds| {
            format!("SELECT CAST(SUM(requests) AS BIGINT) FROM usage_rollup WHERE granularity_seconds = {seconds}")
        });
        let [minutes, hours, days] = sums;
        [
            fixture.number(&minutes).await,
            fixture.number(&hours).await,
            fixture.number(&days).await,
        ]
    };
    let place = Migrator::migrations()
        .iter()
        .rev()
        .position(|step| step.name().ends_with("_rollup_parts"))
        .expect("the step is there");
    let steps = u32::try_from(place + 1).ok();

    Migrator::down(&fixture.write, steps).await.expect("the step goes down");
    assert_eq!(sums().await, [7; 3]);
    fixture.migrate().await.expect("it goes up again");

    assert_eq!(sums().await, [7; 3]);
    if fixture.is_postgres() {
        assert_eq!(
            fixture
                .number("SELECT SUM(requests)::BIGINT FROM usage_rollup_hour")
                .await,
            7
        );
    }
}

/// Names of all tables and indexes.
async fn schema(fixture: &Fixture) -> BTreeSet<String> {
    let sql = if fixture.is_postgres() {
        "SELECT tablename || '.' || indexname FROM pg_indexes WHERE schemaname = 'public'"
    } else {
        "SELECT tbl_name || '.' || name FROM sqlite_master"
    };
    let statement = Statement::from_string(fixture.write.get_database_backend(), sql);
    let rows = fixture.write.query_all_raw(statement).await.expect("the catalogue");
    rows.iter()
        .map(|row| row.try_get_by_index(0).expect("a name"))
        .collect()
}

on_both_databases!(
    migrations_go_up_down_and_up_again,
    sums_are_the_same_before_and_after_the_step_that_divides_them,
    migrating_again_changes_nothing,
    several_processes_may_migrate_at_once,
    a_newer_database_is_refused_with_a_sentence,
    an_unmigrated_database_answers_but_cannot_be_written,
);
