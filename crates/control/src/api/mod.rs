//! The handlers, one file per resource; the same file names are found in types, store and dashboard.

pub(crate) mod audit;
pub(crate) mod budgets;
pub(crate) mod cache;
pub(crate) mod canaries;
pub(crate) mod catalog;
pub(crate) mod catalog_schedule;
pub(crate) mod configuration;
pub(crate) mod credentials;
pub(crate) mod explain;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod members;
pub(crate) mod models;
pub(crate) mod network;
pub(crate) mod organizations;
pub(crate) mod overlays;
pub(crate) mod prices;
pub(crate) mod providers;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod targets;
pub(crate) mod teams;
pub(crate) mod tokens;
pub(crate) mod usage;
