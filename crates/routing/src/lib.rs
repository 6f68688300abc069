//! Where a request goes. A model's route, a tree of strategies, is walked to an ordered list of [`Legs`]: the first is
//! called, the others stand in for it. Pure: no I/O, no clock, no random source; everything comes in with the
//! [`Situation`], so that a sample request is explained by the code that routes real ones.

mod choose;
mod dice;
mod health;
mod latency;
mod lay_out;
mod minute;
mod plan;
mod route;
mod situation;

pub use health::{Flight, Health, Vitals};
pub use plan::{Leg, Legs, Plan};
pub use route::{Unroutable, route};
pub use situation::{Asked, Situation};
