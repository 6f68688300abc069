//! The control plane: the API by which an installation is configured, its sessions and permissions, the configuration
//! file, the dashboard's files, and the background tasks that keep feed and usage in step with the database. It never
//! touches a request of the data plane, reads no environment and knows no SQL.

mod access;
mod api;
mod auth;
mod background;
mod budget_explanation;
mod budget_news;
mod budget_state;
mod canary;
mod catalog;
mod check;
mod configuration;
mod control;
mod dashboard;
mod edge;
mod endpoint;
mod error;
mod focus;
mod key_settings;
mod ledger;
mod openapi;
mod packing;
mod refusals;
mod routes;
mod self_test;

pub use auth::setup_link;
pub use background::{canaries, expiry, ingest, key_upkeep, publisher, reconciler, refresh, repricing};
pub use catalog::{CatalogFetcher, CatalogKeys, CatalogKeysError};
pub use check::FieldProblem;
pub use configuration::{
    BootstrapError, Compiled, SampleError, SecretReader, UnreadableSecret, assertions_schema, bootstrap,
    check_assertions, check_document, check_sample, compile_document, document_schema, failures, resolve_secrets,
};
pub use control::{Control, ControlSettings, Parts};
pub use edge::configure;
pub use openapi::openapi;
pub use routes::{Access, RouteInfo, route_table};
pub use self_test::{SelfTestCall, SelfTester};
