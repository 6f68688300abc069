//! What was used: single requests, and sums over time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Dialect;
use crate::{
    BudgetId, CredentialId, DisplayName, KeyId, ModelName, Money, Nanos, PersonId, RepriceId, RequestId, Slug, TagName,
    TeamId, UnitPrice, UpstreamModel, UsageUnit,
};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole answer went out.
    Complete,
    /// Refused by us before any provider was asked; `code` says why.
    Refused,
    /// The provider failed, or answered with an error.
    Failed,
    /// The answer broke off after it had begun.
    Cut,
    /// The caller hung up before the end.
    ClientGone,
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Complete, Self::Refused, Self::Failed, Self::Cut, Self::ClientGone];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cut => "cut",
            Self::ClientGone => "client_gone",
        }
    }
}

/// What the cache of answers had for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheStatus {
    /// The answer.
    Hit,
    /// Nothing, or not all of it: a provider was asked.
    Miss,
    /// It was not asked: nothing is kept of such requests.
    Off,
}

/// The way in which a provider says it served a request. Most are priced differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServedTier {
    Standard,
    Flex,
    Priority,
    Batch,
    Fast,
    /// On capacity that is paid for by time.
    Provisioned,
    /// In a way that this release has no word for.
    #[serde(other)]
    Unknown,
}

impl CacheStatus {
    pub const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Off];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Off => "off",
        }
    }
}

impl ServedTier {
    pub const ALL: [Self; 7] = [
        Self::Standard,
        Self::Flex,
        Self::Priority,
        Self::Batch,
        Self::Fast,
        Self::Provisioned,
        Self::Unknown,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Batch => "batch",
            Self::Fast => "fast",
            Self::Provisioned => "provisioned",
            Self::Unknown => "unknown",
        }
    }
}

/// One priced part of a request: `quantity` units at `price` each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineItem {
    pub unit: UsageUnit,
    pub quantity: u64,
    /// Dollars per million units; null when no price is known.
    pub price: Option<UnitPrice>,
    /// Which price: `catalogue@2026-08-01`, or the identifier of an organization's own. `+us` is behind it, or alone where
    /// there is no price, when the provider stayed within the United States.
    pub price_version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageRow {
    pub id: RequestId,
    pub started_at: DateTime<Utc>,
    pub key: Option<KeyId>,
    pub team: Option<TeamId>,
    pub dialect: Dialect,
    /// The name the caller asked for; null when the request could not be read.
    pub model: Option<String>,
    pub provider: Option<Slug>,
    pub upstream_model: Option<UpstreamModel>,
    pub stream: bool,
    pub outcome: Outcome,
    pub status: u16,
    /// The reason of a refusal or failure.
    pub code: Option<String>,
    pub attempts: u32,
    pub cache: CacheStatus,
    /// What the answer had cost that the cache had, or as much of it as it had; null without one, and when that is not
    /// known.
    pub saved: Option<Money>,
    /// What was used for this request: nothing, where the cache had the answer.
    pub lines: Vec<LineItem>,
    /// The tokens were counted by us, not told by the provider.
    pub estimated: bool,
    /// How the provider says it served the request, which decides the prices; null when it did not say.
    pub service_tier: Option<ServedTier>,
    /// What was charged; null when unpriced.
    pub cost: Option<Money>,
    /// What was added to it by pricing it anew, the oldest first.
    pub adjustments: Vec<UsageAdjustment>,
    /// `cost` with all of these; null when still unpriced.
    pub adjusted_cost: Option<Money>,
    /// What the provider says it charges; null when it did not say.
    pub provider_cost: Option<Money>,
    /// How much more that is than `adjusted_cost`; null when either is.
    pub cost_difference: Option<Money>,
    pub duration_ms: u64,
    pub first_token_ms: Option<u64>,
    pub overhead_us: u64,
    /// Which of the provider's credentials it was asked with.
    pub credential: Option<CredentialId>,
    /// Whose key it was.
    pub owner: Option<PersonId>,
    /// Whom the caller answered, as the request named them.
    pub end_user: Option<DisplayName>,
    pub tags: BTreeMap<TagName, DisplayName>,
    /// In which budgets' windows its cost counts.
    pub budgets: Vec<UsageBudget>,
    /// The model that a budget sent it to instead of the one it asked for.
    pub downgraded_to: Option<ModelName>,
    /// The budget or limit that refused it, or, in shadow, would have.
    pub over: Option<String>,
}

/// A request that was priced anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageAdjustment {
    pub reprice: RepriceId,
    /// Why the run was begun, and by whom; null when the run is no longer known.
    pub reason: Option<String>,
    pub created_by: Option<String>,
    /// By which prices it cost what it cost until then; none when it had none.
    pub price_versions_before: Vec<String>,
    /// By which it costs what it costs since.
    pub price_versions: Vec<String>,
    /// How much more that is than before.
    pub difference: Money,
    pub cost: Money,
    /// The same quantities, at the prices it goes by.
    pub lines: Vec<LineItem>,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageBudget {
    pub budget: BudgetId,
    /// Where its window begins, or the part of it where it rolls; null for ever.
    pub from: Option<DateTime<Utc>>,
    /// Of a budget for each: for whom.
    pub name: Option<DisplayName>,
}

/// The list of requests, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// What sums are split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageGroup {
    #[default]
    None,
    Model,
    Provider,
    Team,
    Key,
}

/// Sums from `from` to `to` in at most 200 buckets, of all requests or of some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UsageSeriesQuery {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    #[serde(default)]
    pub by: UsageGroup,
    /// Of one model's requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
}

impl UsageSeriesQuery {
    /// Of all requests.
    pub const fn new(from: DateTime<Utc>, to: DateTime<Utc>, by: UsageGroup) -> Self {
        Self {
            from,
            to,
            by,
            model: None,
            provider: None,
            team: None,
            key: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageSeries {
    /// Length of a bucket, in seconds.
    pub bucket_seconds: u32,
    pub totals: Totals,
    pub buckets: Vec<UsageBucket>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageBucket {
    pub start: DateTime<Utc>,
    /// The value of what the sums are split by; null when not split, or for requests that have none.
    pub group: Option<String>,
    pub totals: Totals,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Totals {
    pub requests: u64,
    /// Refused, failed or cut.
    pub errors: u64,
    /// Requests that reached a provider and have no price.
    pub unpriced: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// What the priced requests cost, in dollars.
    pub cost: Nanos,
    /// Requests that the cache had the answer to, and those that it did not have it to; all others it was not asked.
    pub cache_hits: u64,
    pub cache_misses: u64,
    /// What those answers had cost, in dollars, as far as that is known.
    pub saved: Nanos,
    /// Median and 95th percentile of the duration of complete requests, from a histogram; null without any.
    pub duration_ms_p50: Option<u64>,
    pub duration_ms_p95: Option<u64>,
    pub first_token_ms_p50: Option<u64>,
}
