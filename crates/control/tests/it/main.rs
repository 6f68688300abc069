//! The control API over a real SQLite store: every test has an installation of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets an unexpected value should stop there"
)]

mod access;
mod background;
mod catalog;
mod configuration;
mod feed;
mod openapi;
mod repricing;
mod resources;
mod secrets;
mod sessions;
mod setup;
mod world;
