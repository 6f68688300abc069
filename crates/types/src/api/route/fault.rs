//! Failures made on purpose, for tests and game days: the provider is not asked, or its answer is spoilt.

use serde::{Deserialize, Serialize};

use super::super::catalog::words;
use crate::HumanDuration;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    /// The part of the calls it happens to.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub percent: u8,
    /// How much later everything comes, for `slow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<HumanDuration>,
}

words! {
    FaultKind {
        /// As if the provider answered 429.
        RateLimit = "rate_limit",
        /// As if the provider answered 500.
        Error = "error",
        /// Nothing comes, until a time limit ends it.
        Stall = "stall",
        /// The answer ends in its middle.
        Cut = "cut",
        /// The answer cannot be read.
        Malformed = "malformed",
        /// Everything comes later.
        Slow = "slow",
    }
}

const fn all() -> u8 {
    100
}

const fn is_all(percent: &u8) -> bool {
    *percent == 100
}
