//! The `gatewright` server as a library: reads its settings, puts the planes together in the shape they ask for, and
//! runs them until they are stopped. Composition only: what a request or a change means is decided elsewhere.

mod admin;
mod chain;
pub mod cli;
mod data_directory;
mod documents;
pub mod env;
mod follow;
mod listen;
mod probes;
mod process_metrics;
mod redis_memory;
mod roll_call;
mod running;
mod self_test;
mod start;
mod tasks;
pub mod telemetry;
mod tls;
pub mod topology;
mod welcome;

pub use running::Running;
pub use start::{StartError, start};
pub use welcome::Welcome;
