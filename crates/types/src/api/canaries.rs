//! How far the canaries of a model's route are.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::Money;

words! {
    CanaryState {
        /// The candidate's part grows.
        Ramping = "ramping",
        /// There is no ramp: the part stays as it is.
        Holding = "holding",
        /// The ramp came to its end, or somebody gave the candidate everything.
        Done = "done",
        /// The candidate gets nothing.
        RolledBack = "rolled_back",
    }

    CanarySide {
        Stable = "stable",
        Candidate = "candidate",
    }
}

/// A canary of a model's route, and what its two sides did since its part was last changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CanaryProgress {
    /// Where in the model it is written: `route.canary`, `route.fallback[0].canary`.
    pub place: String,
    pub state: CanaryState,
    /// The candidate's part now, in percent.
    pub percent: u8,
    /// Since when it is in this state with this part.
    pub since: DateTime<Utc>,
    /// When the part grows at the earliest; later when the candidate had too few requests by then to be judged.
    pub next_step_at: Option<DateTime<Utc>>,
    /// Why it was rolled back.
    pub reason: Option<String>,
    pub stable: CanaryNumbers,
    pub candidate: CanaryNumbers,
}

/// What one side did with the requests that it was given. Of a canary that was rolled back these are the numbers by which
/// it was judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CanaryNumbers {
    pub requests: u64,
    /// Those that failed, broke off, or were answered by the other side in the end.
    pub failed: u64,
    /// The mean time to the first token of those that did not fail; of answers in one piece to their end.
    pub latency_ms: Option<u64>,
    /// The mean cost of those that did not fail and have a price.
    pub cost: Option<Money>,
}

/// Which canary of a model is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CanaryPlace {
    /// Where in the model it is written: `route.canary`.
    pub place: String,
}
