//! The product as seen from outside, in one of its two topologies: see `GATEWRIGHT_TEST_TOPOLOGY`.

mod bad_input;
mod catalog;
mod chat;
mod config_push;
mod configuration;
mod counting;
mod dialects;
mod embeddings;
mod environment;
mod identity;
mod membership;
mod metering;
mod native;
mod people;
mod providers;
mod rbac;
mod resources;
mod responses;
mod sdk;
mod secrets;
mod shutdown;
mod streaming;
mod telemetry;
mod tenancy;
mod tidy;
mod walk;
