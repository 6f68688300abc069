//! The configuration file: one organization per document. What the file can say, the API can do.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::credentials::usual_weight;
use super::given::given;
use super::prices::Rates;
use super::{
    BudgetSpec, CredentialSecret, KeyScopes, KeyUpkeep, LimitScope, LimitSpec, ModelSettings, Network, NewOverlay,
    PriceTier, ProviderKind, ProviderSettings, Route, ServicePrice, SharedCost, TagRule, TraceSettings,
};
use crate::{CostCentre, DisplayName, Email, IpRange, ModelName, Role, Slug, TagName, UpstreamModel};

/// One organization's whole configuration. A list that is absent is left alone; one that is there is complete:
/// what it does not name is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The version of the file format: 1.
    pub version: u32,
    pub organization: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DisplayName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<TraceSettings>,
    /// The tags that the organization knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<TagRule>>,
    /// Where cost is charged to that neither a key nor its team says; nowhere when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<Option<CostCentre>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_cost: Option<SharedCost>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MemberEntry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<ProviderEntry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<ModelEntry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Vec<PriceEntry>>,
    /// Own facts of models, laid over the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Vec<NewOverlay>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<TeamEntry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_accounts: Option<Vec<ServiceAccountEntry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<TokenEntry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<KeyEntry>>,
    /// Together with those that stand at teams and keys, all there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Vec<BudgetEntry>>,
    /// Together with those that stand at teams and keys, all there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Vec<LimitEntry>>,
}

/// A budget of anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BudgetEntry {
    pub scope: NamedScope,
    #[serde(flatten)]
    pub spec: BudgetSpec,
}

/// A limit of anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitEntry {
    pub scope: NamedScope,
    #[serde(flatten)]
    pub spec: LimitSpec,
}

/// A scope by the names of teams and keys, the e-mail addresses of people, and the places of credentials.
pub type NamedScope = LimitScope<DisplayName, Email, DisplayName, CredentialName>;

/// A credential by its provider's name and its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CredentialName {
    pub provider: Slug,
    pub name: DisplayName,
}

/// Where a secret comes from. The command line reads `env` and `file` where it runs and sends `value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    Env(String),
    File(String),
    Value(String),
}

/// A text that is no secret in itself: written out, or taken from where a secret would come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum TextSource {
    Text(String),
    Source(SecretSource),
}

/// What a credential is made of, as references.
pub type SecretEntry = CredentialSecret<SecretSource, TextSource>;

/// A provider's network, its secrets as references.
pub type NetworkEntry = Network<SecretSource, TextSource>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MemberEntry {
    pub email: Email,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DisplayName>,
    pub role: Role,
    /// Only for somebody who has no account yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
}

/// A provider with all of its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProviderEntry {
    pub name: Slug,
    pub kind: ProviderKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkEntry>,
    #[serde(flatten)]
    pub settings: ProviderSettings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CredentialEntry>,
}

/// A credential; exactly one kind of secret is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CredentialEntry {
    pub name: DisplayName,
    #[serde(flatten)]
    pub secret: SecretEntry,
    #[serde(default = "usual_weight")]
    pub weight: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    pub name: ModelName,
    pub route: Route,
    #[serde(flatten)]
    pub settings: ModelSettings,
}

/// An organization's own price of a model, in dollars per million units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceEntry {
    pub provider: Slug,
    pub model: UpstreamModel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<DateTime<Utc>>,
    /// For the whole of a request whose input is larger. What a tier does not name costs what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<PriceTier>,
    /// For requests that the provider says it served in another way. What is not named there has no price then, but searches
    /// cost what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_tiers: Vec<ServicePrice>,
    #[serde(flatten)]
    pub rates: Rates,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TeamEntry {
    pub name: DisplayName,
    /// Where requests with the team's keys may come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_ranges: Vec<IpRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentre>,
    /// It works for all others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Left alone when absent, unless the document has `budgets` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Vec<BudgetSpec>>,
    /// Left alone when absent, unless the document has `limits` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitSpec>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountEntry {
    pub name: DisplayName,
    /// The team's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<DisplayName>,
    /// Only for one without a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentre>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    pub name: DisplayName,
    pub role: Role,
    /// Import this secret; one is minted and shown once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    pub name: DisplayName,
    /// The team's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<DisplayName>,
    /// The e-mail address of the member whose it is. Without it and a service account it is the organization's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Email>,
    /// The name of the service account whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<DisplayName>,
    /// Import this secret; one is minted and shown once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<ModelName>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagName, DisplayName>,
    #[serde(default, skip_serializing_if = "KeyScopes::is_open")]
    pub scopes: KeyScopes,
    #[serde(default, skip_serializing_if = "KeyUpkeep::is_none")]
    pub upkeep: KeyUpkeep,
    /// Whether its requests may ask for failures made on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub faults: bool,
    /// Its team's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentre>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Left alone when absent, unless the document has `budgets` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Vec<BudgetSpec>>,
    /// Left alone when absent, unless the document has `limits` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitSpec>,
}

impl Document {
    /// Says nothing of what the organization has.
    pub const fn of(organization: Slug) -> Self {
        Self {
            version: 1,
            organization,
            name: None,
            traces: None,
            tags: None,
            cost_centre: None,
            shared_cost: None,
            members: None,
            providers: None,
            models: None,
            prices: None,
            catalog: None,
            teams: None,
            service_accounts: None,
            tokens: None,
            keys: None,
            budgets: None,
            limits: None,
        }
    }
}

impl fmt::Display for CredentialName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Create,
    Update,
    Remove,
}

/// One difference between the document and what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    pub kind: ChangeKind,
    /// `provider`, `model`, `key`, …
    pub resource: String,
    pub name: String,
    /// The fields that differ.
    pub fields: Vec<String>,
}

/// What `plan` found or `apply` did, in the order in which it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApplyReport {
    pub organization: Slug,
    pub changes: Vec<Change>,
    /// Secrets that were minted, by `resource/name`. Shown this once; empty in a plan.
    pub minted: BTreeMap<String, String>,
}
