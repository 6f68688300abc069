//! Whether a canary goes on. Pure: the background task and the API bring what is known and do what comes of it.

mod judge;

pub(crate) use judge::{judge, mean_cost, mean_latency_us, next_step_at};
