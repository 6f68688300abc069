//! What a node learns of deployments and credentials while it uses them. A deployment is a provider's model, whichever
//! models of the organization lead there. Reading and noting takes no lock: only the first use of a deployment, and the
//! first failure of a credential, put something into a map.

mod breaker;
mod budget;
mod latency;
mod moment;
mod probed;
mod registry;
mod rest;
mod ring;
mod vitals;

pub use breaker::{Opened, Standing};
pub use budget::Budget;
pub use moment::Moment;
pub use registry::Health;
pub(crate) use registry::Look;
pub use rest::Resting;
pub use vitals::{Flight, Outcome, Tally, Transition, Vitals};
