//! How often and how soon a call that failed is made again at the same target, before the route goes on to another.

use serde::{Deserialize, Serialize};

use super::FailureClass;
use crate::HumanDuration;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Retries {
    /// Further calls at one target, at most.
    pub attempts: u8,
    /// The failures that are tried again.
    pub on: Vec<FailureClass>,
    /// The longest pause before the first further call; it doubles with each. The pause itself is picked at random below it.
    pub pause: HumanDuration,
    /// However often it doubled, and however long a provider asks to wait: beyond it the route goes on.
    pub longest_pause: HumanDuration,
    /// Further calls in percent of all calls of the organization within ten seconds; beyond it nothing is tried again, so
    /// that retries do not keep a provider down.
    pub budget: u8,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 1,
            on: vec![FailureClass::Error, FailureClass::RateLimit],
            pause: HumanDuration::from_millis(250),
            longest_pause: HumanDuration::from_millis(5_000),
            budget: 20,
        }
    }
}

impl Retries {
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
