//! The only crate that knows SQL. Reads of an organization's data go through `Scope`, which filters by organization;
//! the few unscoped queries are in `System`; every change of configuration or membership goes through `Db::write`,
//! which adds the audit row, the revision and the compile check. It knows neither HTTP nor Redis nor the environment.

mod audit;
mod budget_spend;
mod bulk;
mod cache_purges;
mod canaries;
mod canary_usage;
mod catalog;
mod catalog_schedule;
mod config_units;
mod db;
mod entity;
mod error;
mod histogram;
mod ingest;
mod invitations;
mod keys;
mod ledger;
mod members;
mod models;
mod organizations;
mod overlays;
mod page;
mod passwords;
mod people;
mod prices;
mod providers;
mod request_traces;
mod reseal;
mod rollup;
mod scope;
mod series;
mod sessions;
mod setup;
mod stored;
mod system;
mod teams;
mod tokens;
mod usage;
mod write;

pub use budget_spend::BudgetSpend;
pub use canaries::{CanaryMove, CanaryRow};
pub use canary_usage::CanarySums;
pub use catalog::{CatalogRefreshInsert, KnownRefresh, PublishedCatalog};
pub use catalog_schedule::CatalogTurn;
pub use config_units::Place;
pub use db::{DatabaseUrl, Db, MigrateError, OpenError};
pub use error::{DatabaseError, ListError, WriteError};
pub use ingest::Ingested;
pub use invitations::{NewInvitationRow, PendingInvitation};
pub use keys::KeyInsert;
pub use models::ModelRow;
pub use people::{NewPerson, Person};
pub use providers::{CredentialInsert, CredentialUpdate, ProviderUpdate, SealedCredential, SealedSecret};
pub use reseal::Resealed;
pub use scope::Scope;
pub use sessions::{NewSession, Session};
pub use system::System;
pub use tokens::{TokenHolder, TokenInsert};
pub use write::{Actor, ActorKind, Change, WriteTx, Written};

#[cfg(test)]
mod tests;
