//! The schema, one step a file, up and down, for SQLite and PostgreSQL alike. README.md says how a step is written so
//! that the release before it goes on working.

mod column;
mod index;
mod m20261120_000001_identity;
mod m20261120_000002_configuration;
mod m20261120_000003_usage;
mod m20261120_000004_audit;
mod m20261126_000005_provider_settings;
mod m20261126_000006_catalog;
mod m20261130_000007_catalog_schedule;
mod m20261130_000008_usage_filters;
mod m20261130_000009_usage_terms;
mod m20261130_000010_provider_network;
mod m20261130_000011_model_settings;
mod m20261130_000012_request_trace;
mod m20261130_000013_usage_cache;
mod m20261130_000014_canary;
mod m20261130_000016_budget;
mod m20261130_000017_key_settings;
mod m20261130_000018_ledger;
mod m20261130_000019_usage_parts;
mod m20261130_000020_usage_adjustment;
mod m20261130_000021_chargeback;
mod m20261130_000022_usage_of_models;
mod m20261130_000023_reprice_dry_run;
mod m20261130_000024_kept;
mod m20261130_000025_price_tiers;
mod m20261130_000026_rollup_parts;

use sea_orm_migration::MigrationTrait;
/// What `Migrator` can do: up, down, and tell what has been applied.
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::async_trait::async_trait;

/// All steps, the oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261120_000001_identity::Migration),
            Box::new(m20261120_000002_configuration::Migration),
            Box::new(m20261120_000003_usage::Migration),
            Box::new(m20261120_000004_audit::Migration),
            Box::new(m20261126_000005_provider_settings::Migration),
            Box::new(m20261126_000006_catalog::Migration),
            Box::new(m20261130_000007_catalog_schedule::Migration),
            Box::new(m20261130_000008_usage_filters::Migration),
            Box::new(m20261130_000009_usage_terms::Migration),
            Box::new(m20261130_000010_provider_network::Migration),
            Box::new(m20261130_000011_model_settings::Migration),
            Box::new(m20261130_000012_request_trace::Migration),
            Box::new(m20261130_000013_usage_cache::Migration),
            Box::new(m20261130_000014_canary::Migration),
            Box::new(m20261130_000016_budget::Migration),
            Box::new(m20261130_000017_key_settings::Migration),
            Box::new(m20261130_000018_ledger::Migration),
            Box::new(m20261130_000019_usage_parts::Migration),
            Box::new(m20261130_000020_usage_adjustment::Migration),
            Box::new(m20261130_000021_chargeback::Migration),
            Box::new(m20261130_000022_usage_of_models::Migration),
            Box::new(m20261130_000023_reprice_dry_run::Migration),
            Box::new(m20261130_000024_kept::Migration),
            Box::new(m20261130_000025_price_tiers::Migration),
            Box::new(m20261130_000026_rollup_parts::Migration),
        ]
    }
}
