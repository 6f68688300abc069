//! One suite for both databases: each test is written once and runs on a SQLite file and on a PostgreSQL database of
//! its own. `GATEWRIGHT_TEST_POSTGRES` is the address of a server's maintenance database; without it the PostgreSQL
//! half is skipped, except in continuous integration, where it must not be missing.

mod adjusting;
mod budget_kept;
mod budgets;
mod canaries;
mod catalog;
mod chargeback;
mod cloud_providers;
mod feed;
mod fixture;
mod ingesting;
mod key_owners;
mod key_rotation;
mod key_upkeep;
mod ledger;
mod migrating;
mod people;
mod plans;
mod rotation;
mod series;
mod tenancy;
mod traces;
mod usage_parts;
mod writing;

/// Makes two tests of each function: one a database.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::tests::fixture::Fixture::sqlite().await).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                if let Some(fixture) = $crate::tests::fixture::Fixture::postgres().await {
                    super::$name(fixture).await;
                }
            })+
        }
    };
}

use on_both_databases;
