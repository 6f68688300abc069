//! The record of one request: what the proxy writes to its journal and the control plane stores, once each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gatewright_types::api::{CacheStatus, CanarySide, Dialect, LineItem, Outcome, ServedTier};
use gatewright_types::{
    BudgetId, CredentialId, DisplayName, KeyId, ModelId, ModelName, Nanos, NodeId, OrganizationId, PersonId,
    ProviderId, RequestId, Slug, TagName, TeamId, UpstreamModel,
};
use serde::{Deserialize, Serialize};

use crate::Revision;

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
    /// What an answer that was kept had cost, in nano-dollars; absent without one, and when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Nanos>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineItem>,
    /// The tokens were counted by us, not told by the provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// How the provider says it served the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<ServedTier>,
    /// What the provider says it charges, in nano-dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Nanos>,
    /// Nano-dollars; absent when unpriced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Nanos>,
    pub duration_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_us: Option<u64>,
    pub overhead_us: u64,
    /// Why it went where it went, as JSON that the database keeps as it is. Absent for most: see `TraceSettings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The canaries on its way. Of most requests there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canaries: Vec<CanaryShare>,
    /// Whose key it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Whom the caller answered, as the request named them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_user: Option<DisplayName>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagName, DisplayName>,
    /// The budgets that its cost counts in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetShare>,
    /// The model that a budget sent it to instead of the one it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgraded_to: Option<ModelName>,
    /// The budget or limit that refused it, or, in shadow, would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
}

/// A budget that a request's cost counts in, in the window in which it was let through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BudgetShare {
    pub budget: BudgetId,
    /// The beginning of its window, or of the part of it where it rolls, in milliseconds since 1970; 0 for ever.
    pub from_ms: i64,
    /// Of a budget for each: for whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DisplayName>,
}

/// A canary that gave a request to one of its sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryShare {
    /// Where in the model it is written: `route.canary`.
    pub place: String,
    /// Since when its sides are compared with this part.
    pub round: Revision,
    pub side: CanarySide,
    /// The side did not answer it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the release before wrote it.
    const BEFORE: &str = r#"{"id":"req_01990f0d5a7e7d1e8a523b1f2c4d5e6f","organization":"org_01990f0d5a7e7d1e8a523b1f2c4d5e6f",
        "key":"key_01990f0d5a7e7d1e8a523b1f2c4d5e6f","started_at":1790000000000000,"dialect":"openai_chat","stream":false,
        "outcome":"complete","status":200,"attempts":1,"cache":"off","cost":"0.01","duration_us":1,"overhead_us":1}"#;

    #[test]
    fn records_of_the_release_before_and_of_the_one_after_are_read() {
        let read = |text: &str| serde_json::from_str::<UsageRecord>(text).expect(text);

        let before = read(BEFORE);
        let told = (before.served, before.charge, before.saved, &before.trace);
        assert_eq!(told, (None, None, None, &None));
        assert!(before.canaries.is_empty());
        assert_eq!(read(&serde_json::to_string(&before).expect("JSON")), before);

        let told = BEFORE.replace("\"status\"", "\"served\":\"flex\",\"charge\":\"0.005\",\"status\"");
        let told = read(&told);
        assert_eq!(
            (told.served, told.charge),
            (Some(ServedTier::Flex), Some(Nanos::new(5_000_000)))
        );

        let after = BEFORE.replace("\"status\"", "\"served\":\"warp\",\"later\":1,\"status\"");
        assert_eq!(read(&after).served, Some(ServedTier::Unknown));
    }
}
