//! A candidate that gets a small part of the requests, and what makes the part larger or takes it back.

use serde::{Deserialize, Serialize};

use super::{Affinity, Route};
use crate::HumanDuration;
use crate::api::CanaryState;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Canary {
    pub stable: Route,
    pub candidate: Route,
    /// The candidate's part at the beginning, in percent.
    pub percent: u8,
    /// Whoever has this in common gets the same of the two; the first that a request has decides.
    #[serde(default = "usual_affinity", skip_serializing_if = "is_usual_affinity")]
    pub by: Vec<Affinity>,
    /// How the part grows. Without it, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Ramp>,
    /// What takes the candidate's part back to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Percentage points that are added each time.
    pub step: u8,
    pub every: HumanDuration,
    /// The part it ends with, in percent.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub until: u8,
}

/// The candidate is compared with the stable route over the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Neither is judged by fewer requests than these.
    #[serde(default = "usual_min_requests", skip_serializing_if = "is_usual_min_requests")]
    pub min_requests: u32,
    /// The most percentage points by which more of its requests may fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<u8>,
    /// The longest its requests may take, in percent of what those of the stable route take (mean time to the first token).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<u32>,
    /// The most its requests may cost, in percent of what those of the stable route cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u32>,
}

impl Canary {
    /// The state in which the candidate has a part, as long as nobody said otherwise.
    pub fn state_at(&self, percent: u8) -> CanaryState {
        match &self.ramp {
            Some(ramp) if percent < ramp.until => CanaryState::Ramping,
            Some(_) => CanaryState::Done,
            None => CanaryState::Holding,
        }
    }
}

fn usual_affinity() -> Vec<Affinity> {
    vec![Affinity::Session, Affinity::User, Affinity::Key]
}

fn is_usual_affinity(by: &Vec<Affinity>) -> bool {
    *by == usual_affinity()
}

const fn all() -> u8 {
    100
}

const fn is_all(percent: &u8) -> bool {
    *percent == 100
}

const fn usual_min_requests() -> u32 {
    100
}

const fn is_usual_min_requests(requests: &u32) -> bool {
    *requests == usual_min_requests()
}
