//! When a model at a provider is left alone because calls there fail too often. The same shape is in the API, in the
//! configuration file and in the published configuration.

use serde::{Deserialize, Serialize};

use crate::HumanDuration;

/// It opens on the part of calls that failed, never on a single one, and what the caller did wrong is no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSettings {
    /// The percentage of calls within the window that have to fail.
    pub error_rate: u8,
    /// With fewer calls within the window nothing is decided.
    pub min_requests: u32,
    pub window: HumanDuration,
    /// How long it is left alone before one call tries it again. The time doubles with each such call that fails, up to
    /// five minutes.
    pub open_for: HumanDuration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            error_rate: 50,
            min_requests: 10,
            window: HumanDuration::from_millis(30_000),
            open_for: HumanDuration::from_millis(15_000),
        }
    }
}

impl BreakerSettings {
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
