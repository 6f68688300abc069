//! Limits: how many requests and tokens within a time, and how many at once.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{LimitScope, WhenUnavailable};
use crate::{HumanDuration, LimitId};

/// What is written of a limit. The same shape is in the API, in the configuration file and in the published configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// Requests a minute, hour and day, each the time up to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rph: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpd: Option<u64>,
    /// Tokens, or what `units` makes of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tph: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpd: Option<u64>,
    /// Requests under way; a stream is until its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
    /// What a request counts against `tpm`, `tph` and `tpd`, in the Common Expression Language, over `request`, `key`,
    /// `team`, `organization` and `tokens`: `tokens.input + 0.1 * tokens.cache_read + 4.0 * tokens.output`. Input and
    /// output alike when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<String>,
    /// How long a request may wait for its turn before it is refused, as far as it will come: `10s`. Not at all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<HumanDuration>,
    /// Lets nothing through.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
    /// Refuses nothing: what it would have refused is told and counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// While nodes cannot ask what the others let through.
    #[serde(default, skip_serializing_if = "is_local")]
    pub when_unavailable: Option<WhenUnavailable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RateLimit {
    pub id: LimitId,
    pub scope: LimitScope,
    /// What it is for, in words: `team Search`.
    pub scope_name: String,
    #[serde(flatten)]
    pub spec: LimitSpec,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

/// One scope has one limit, and one more in shadow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRateLimit {
    pub scope: LimitScope,
    #[serde(flatten)]
    pub spec: LimitSpec,
}

/// Replaces all that is written of it but the scope.
pub type RateLimitChange = LimitSpec;

impl LimitSpec {
    pub fn when_unavailable(&self) -> WhenUnavailable {
        self.when_unavailable.unwrap_or(WhenUnavailable::Local)
    }
}

#[expect(clippy::ref_option, reason = "serde gives a reference")]
fn is_local(when: &Option<WhenUnavailable>) -> bool {
    matches!(when, None | Some(WhenUnavailable::Local))
}
