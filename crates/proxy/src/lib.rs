//! The data plane: takes a caller's request through the stages of `pipeline` and meters it exactly once. Only `edge`
//! knows actix; nothing here can reach the database.

pub mod accounts;
pub mod edge;
pub mod journal;
pub mod upstream;

mod access_log;
mod asking;
mod attempts;
mod authenticate;
mod cache;
mod call;
mod canaried;
mod changed;
mod count;
mod counting;
mod embedding;
mod fault;
mod gateway;
mod limits;
mod metrics;
mod native;
mod news;
mod notes;
mod opening;
mod patience;
mod pipeline;
mod probing;
mod prompt_cache;
mod record;
mod refusal;
mod relay;
mod remote;
mod reply;
mod responses;
mod route;
mod sharing;
mod shedding;
mod speech;
mod tier;
mod told;
mod trace;
mod waiting;

pub use authenticate::{KeyKnowledge, KeyLookup};
pub use cache::AnswerMemory;
pub use counting::Counting;
pub use gateway::{Gateway, GatewayParts, PhaseTimeouts, Readiness, ReadyState, Settings};
pub use limits::Lines;
pub use metrics::Metrics;
pub use responses::ResponseMemory;
pub use shedding::Shedding;
pub use trace::Tracing;
