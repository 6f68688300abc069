//! The rows as they are stored, one file a table. Nothing outside of this crate sees them.

pub(crate) mod audit;
pub(crate) mod canary;
pub(crate) mod canary_usage;
pub(crate) mod catalog_refresh;
pub(crate) mod catalog_schedule;
pub(crate) mod config_unit;
pub(crate) mod credential;
pub(crate) mod installation;
pub(crate) mod invitation;
pub(crate) mod key;
pub(crate) mod membership;
pub(crate) mod model;
pub(crate) mod organization;
pub(crate) mod overlay;
pub(crate) mod person;
pub(crate) mod price;
pub(crate) mod provider;
pub(crate) mod request_trace;
pub(crate) mod session;
pub(crate) mod setup_token;
pub(crate) mod team;
pub(crate) mod token;
pub(crate) mod usage;
pub(crate) mod usage_ack;
