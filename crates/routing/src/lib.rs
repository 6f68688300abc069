//! Where a request goes. A model's route, a tree of strategies, is walked to an ordered list of [`Legs`]: the first is
//! called, the others stand in for it. Pure: no I/O, no clock, no random source; everything comes in with the
//! [`Situation`], so that a sample request is explained by the code that routes real ones.

mod again;
mod choose;
mod cost;
mod dice;
mod facts;
mod fit;
mod habits;
mod headers;
mod health;
mod lay_out;
mod looked_at;
mod names;
mod order;
mod plan;
mod reported;
mod route;
mod said;
mod sample;
mod situation;
mod steps;
mod turns;
mod units;
mod unroutable;

pub use again::{Logged, explain_again};
pub use cost::{Size, expected_answer, expected_cost};
pub use facts::REGION;
pub use habits::Habits;
pub use headers::Headers;
pub use health::{Budget, Flight, Health, Moment, Opened, Outcome, Resting, Standing, Tally, Transition, Vitals};
pub use looked_at::looked_at;
pub use plan::{Leg, Legs, Plan};
pub use route::{route, route_and_tell};
pub use said::{Asked, Said};
pub use sample::{Sampling, explain};
pub use situation::{BudgetView, Situation};
pub use turns::Turns;
pub use units::units;
pub use unroutable::{Misfit, Unroutable};
