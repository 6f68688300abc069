//! The record of one request: what the proxy writes to its journal and the control plane stores, once each.

use chrono::{DateTime, Utc};
use gatewright_types::api::{CacheStatus, Dialect, LineItem, Outcome};
use gatewright_types::{
    CredentialId, KeyId, ModelId, Nanos, NodeId, OrganizationId, ProviderId, RequestId, Slug, TeamId, UpstreamModel,
};
use serde::{Deserialize, Serialize};

/// One request from its arrival to its last byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    pub id: RequestId,
    pub organization: OrganizationId,
    pub key: KeyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub started_at: DateTime<Utc>,
    pub dialect: Dialect,
    /// The name the caller asked for, once it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<ModelId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    pub stream: bool,
    pub outcome: Outcome,
    pub status: u16,
    /// The reason of a refusal or failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub attempts: u32,
    pub cache: CacheStatus,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineItem>,
    /// The tokens were counted by us, not told by the provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// Nano-dollars; absent when unpriced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Nanos>,
    pub duration_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_us: Option<u64>,
    pub overhead_us: u64,
}

/// Where a request went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    pub provider: ProviderId,
    pub name: Slug,
    /// Absent when a request at the provider's own address named none that could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<UpstreamModel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
}

/// Consecutive records of one node's journal, by their numbers there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub node: NodeId,
    /// Number of the record before the first one in the node's journal; 0 when there is none. Numbers may jump, at
    /// each start of the node for one: everything is in the database up to this batch's last record exactly when
    /// everything was up to this number.
    pub follows: u64,
    /// Number of the first record; the others have the numbers after it.
    pub first: u64,
    pub records: Vec<UsageRecord>,
}

impl Batch {
    /// Number of the last record; `None` for an empty batch.
    pub fn last(&self) -> Option<u64> {
        let count = u64::try_from(self.records.len()).ok()?;
        count.checked_sub(1).map(|more| self.first + more)
    }
}
