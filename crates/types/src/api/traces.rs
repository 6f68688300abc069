//! Which requests keep the trace of their decisions, and for how long. The same shape is in the API, in the configuration
//! file and in the published configuration.

use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::HumanDuration;

/// A request that asks for it by `x-gw-trace: 1` keeps its trace whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TraceSettings {
    pub requests: TracedRequests,
    /// With `all`: the part, in percent, of requests that went well. Others always keep theirs.
    pub sample: u8,
    /// How long traces are kept, from `1h` to `90d`.
    pub keep: HumanDuration,
}

words! {
    /// Whose traces are kept.
    TracedRequests {
        Off = "off",
        /// Those that did not go well, and those that took more than one call to a provider.
        Failures = "failures",
        All = "all",
    }
}

impl TraceSettings {
    pub const SHORTEST_KEEP: HumanDuration = HumanDuration::from_millis(3_600_000);
    pub const LONGEST_KEEP: HumanDuration = HumanDuration::from_millis(90 * 86_400_000);

    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            requests: TracedRequests::Failures,
            sample: 100,
            keep: HumanDuration::from_millis(7 * 86_400_000),
        }
    }
}
