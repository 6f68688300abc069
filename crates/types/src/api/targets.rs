//! How the targets of an organization's routes do: what every node sees of the models at providers that it calls.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::{CredentialId, NodeId, ProviderId, Slug, UpstreamModel};

words! {
    /// Whether a model at a provider is called.
    BreakerState {
        Closed = "closed",
        /// The next call tries it again.
        HalfOpen = "half_open",
        /// It failed too often, and calls go elsewhere.
        Open = "open",
    }

    /// What a probe found.
    ProbeOutcome {
        Answered = "answered",
        Failed = "failed",
        RateLimited = "rate_limited",
        TimedOut = "timed_out",
        /// It was refused for what it asked, which says nothing of requests.
        Unclear = "unclear",
    }
}

/// A call of the gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastProbe {
    pub at: DateTime<Utc>,
    pub outcome: ProbeOutcome,
}

/// A model at a provider, over all nodes that called it lately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetHealth {
    pub provider: Slug,
    pub model: UpstreamModel,
    /// The worst that a node sees.
    pub state: BreakerState,
    /// When that began, where it ever changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<DateTime<Utc>>,
    /// Calls within the breaker's window, and those of them that failed.
    pub requests: u32,
    pub failures: u32,
    /// Failures in percent of the calls.
    pub error_rate: f64,
    /// The time to the first token that the slowest node expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    pub in_flight: u32,
    pub tokens_within_a_minute: u64,
    /// The newest that a node made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<LastProbe>,
    /// The provider's credentials that rest.
    pub resting: Vec<RestingCredential>,
    pub nodes: Vec<TargetReport>,
}

/// A credential that its provider limits or refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestingCredential {
    pub credential: CredentialId,
    pub until: DateTime<Utc>,
}

/// What one node sees of a model at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetReport {
    pub node: NodeId,
    pub provider: ProviderId,
    pub model: UpstreamModel,
    pub state: BreakerState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<DateTime<Utc>>,
    pub requests: u32,
    pub failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    pub in_flight: u32,
    pub tokens_within_a_minute: u64,
    /// When a request was answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<LastProbe>,
}

/// All that one node sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    pub targets: Vec<TargetReport>,
    pub resting: Vec<RestingCredential>,
}

/// Which of its targets an organization wants to have called again at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetReset {
    pub provider: Slug,
    pub model: UpstreamModel,
}
