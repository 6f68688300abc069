//! That a provider is called now and then where nobody else does, so that it is known how it does. The same shape is in the
//! API, in the configuration file and in the published configuration.

use serde::{Deserialize, Serialize};

use crate::{HumanDuration, UpstreamModel};

/// While it is called with success anyway, nothing is added to that. What a probe costs is between the organization and
/// its provider: it is no request of anybody's and counts towards no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProbeSettings {
    /// It is probed no more often than this, over all nodes.
    pub every: HumanDuration,
    /// Asked for a short answer while the provider is idle. Without it the provider is asked which models it has, which
    /// costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<UpstreamModel>,
}
