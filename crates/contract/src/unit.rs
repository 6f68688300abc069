//! The published configuration in its smallest pieces: one unit a resource, so that an edit moves one unit's bytes.
//! The wire form is JSON with a version; a node skips unit kinds it does not know, so that releases can run side by side.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use gatewright_types::api::{
    BudgetSpec, CachePurge, CredentialKind, DisabledReason, KeyScopes, LimitScope, LimitSpec, ModelFacts,
    ModelSettings, PriceTier, ProviderKind, ProviderSettings, Rates, Route, ServicePrice, TagRule, TraceSettings,
};
use gatewright_types::{
    BudgetId, CatalogRefreshId, CredentialId, DisplayName, IpRange, KeyId, LimitId, ModelId, ModelName, Nanos,
    OrganizationId, OverlayId, PersonId, PriceId, ProviderId, Slug, TagName, TeamId, UpstreamModel,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Digest, NetworkUnit, Sealed};

/// A place in the order of all configuration changes of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

/// One published resource, or the note that it is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    pub organization: OrganizationId,
    pub id: UnitId,
    pub revision: Revision,
    /// Absent on a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<UnitBody>,
}

/// Names a unit within its organization. A key's is its digest: a node that meets an unknown key asks for it by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitId {
    Organization,
    Team(TeamId),
    Provider(ProviderId),
    Model(ModelId),
    Price(PriceId),
    Overlay(OverlayId),
    CachePurges,
    Key(Digest),
    /// Of anything but a key, whose budgets and limits are published with it.
    Budget(BudgetId),
    Limit(LimitId),
    /// An edition of the catalogue. It belongs to the installation.
    Catalog(CatalogRefreshId),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitBody {
    Organization(OrganizationUnit),
    Team(TeamUnit),
    Provider(ProviderUnit),
    Model(ModelUnit),
    Price(PriceUnit),
    Overlay(OverlayUnit),
    CachePurges(CachePurgesUnit),
    Key(KeyUnit),
    Budget(BudgetUnit),
    Limit(LimitUnit),
    Catalog(CatalogUnit),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationUnit {
    pub slug: Slug,
    #[serde(default, skip_serializing_if = "TraceSettings::is_usual")]
    pub traces: TraceSettings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagRule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamUnit {
    pub name: DisplayName,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_ranges: Vec<IpRange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderUnit {
    pub name: Slug,
    pub kind: ProviderKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "ProviderSettings::is_empty")]
    pub settings: ProviderSettings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkUnit>,
    pub credentials: Vec<CredentialUnit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialUnit {
    pub id: CredentialId,
    pub weight: u32,
    #[serde(default)]
    pub kind: CredentialKind,
    /// The text of the secret, sealed with the credential's identifier as its owner.
    pub sealed: Sealed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUnit {
    pub name: ModelName,
    pub route: Route,
    /// How far the route's canaries are. One that is not here is at its beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canaries: Vec<CanaryUnit>,
    #[serde(flatten)]
    pub settings: ModelSettings,
}

/// How far a canary of a model's route is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryUnit {
    /// Where in the model it is written: `route.canary`.
    pub place: String,
    /// The candidate's part now.
    pub percent: u8,
    /// Under which its requests are counted; absent when its sides are not compared any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Revision>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceUnit {
    pub provider: Slug,
    pub model: UpstreamModel,
    pub rates: Rates,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<PriceTier>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_tiers: Vec<ServicePrice>,
    pub effective_from: DateTime<Utc>,
}

/// An organization's own facts of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayUnit {
    pub kind: ProviderKind,
    pub model: UpstreamModel,
    pub facts: ModelFacts,
}

/// What an organization voided of what was kept, one for each thing that can be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachePurgesUnit {
    pub purges: Vec<CachePurge>,
}

/// An approved edition of the catalogue, as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogUnit {
    pub version: String,
    pub effective_from: DateTime<Utc>,
    pub document: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUnit {
    pub id: KeyId,
    /// Absent on a key that was published by an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DisplayName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<ModelName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether its requests may ask for failures made on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub faults: bool,
    /// Whose key it is; absent for a service's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// What its requests are tagged with, whatever they say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagName, DisplayName>,
    #[serde(default, skip_serializing_if = "KeyScopes::is_open")]
    pub scopes: KeyScopes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<DisabledReason>,
    /// The secret is one from before a rotation, and works until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_until: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub budgets: BTreeMap<BudgetId, BudgetUnit>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<LimitId, LimitUnit>,
}

impl KeyUnit {
    /// A key that may call everything.
    pub fn new(id: KeyId) -> Self {
        Self {
            id,
            name: None,
            team: None,
            models: None,
            expires_at: None,
            faults: false,
            owner: None,
            tags: BTreeMap::new(),
            scopes: KeyScopes::default(),
            disabled: None,
            former_until: None,
            budgets: BTreeMap::new(),
            limits: BTreeMap::new(),
        }
    }
}

impl OrganizationUnit {
    pub fn new(slug: Slug) -> Self {
        Self {
            slug,
            traces: TraceSettings::default(),
            tags: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetUnit {
    pub scope: LimitScope,
    pub spec: BudgetSpec,
    /// Those whose time is not over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub increases: Vec<IncreaseUnit>,
    /// When it was made. Absent where it is only thought of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}

/// More of a budget for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncreaseUnit {
    pub amount: Nanos,
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUnit {
    pub scope: LimitScope,
    pub spec: LimitSpec,
}

/// Why a text names no unit this release knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no kind of unit this release knows")]
pub struct UnitIdError(String);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization => f.write_str("organization"),
            Self::CachePurges => f.write_str("cache_purges"),
            Self::Team(id) => id.fmt(f),
            Self::Provider(id) => id.fmt(f),
            Self::Model(id) => id.fmt(f),
            Self::Price(id) => id.fmt(f),
            Self::Overlay(id) => id.fmt(f),
            Self::Budget(id) => id.fmt(f),
            Self::Limit(id) => id.fmt(f),
            Self::Catalog(id) => id.fmt(f),
            Self::Key(digest) => write!(f, "digest_{digest}"),
        }
    }
}

impl FromStr for UnitId {
    type Err = UnitIdError;

    fn from_str(text: &str) -> Result<Self, UnitIdError> {
        match text {
            "organization" => return Ok(Self::Organization),
            "cache_purges" => return Ok(Self::CachePurges),
            _ => {}
        }
        let kind = text.split('_').next().unwrap_or_default();
        match kind {
            TeamId::PREFIX => text.parse().ok().map(Self::Team),
            ProviderId::PREFIX => text.parse().ok().map(Self::Provider),
            ModelId::PREFIX => text.parse().ok().map(Self::Model),
            PriceId::PREFIX => text.parse().ok().map(Self::Price),
            OverlayId::PREFIX => text.parse().ok().map(Self::Overlay),
            BudgetId::PREFIX => text.parse().ok().map(Self::Budget),
            LimitId::PREFIX => text.parse().ok().map(Self::Limit),
            CatalogRefreshId::PREFIX => text.parse().ok().map(Self::Catalog),
            "digest" => text
                .strip_prefix("digest_")
                .and_then(|hex| hex.parse().ok())
                .map(Self::Key),
            _ => None,
        }
        .ok_or_else(|| UnitIdError(text.to_owned()))
    }
}

impl Serialize for UnitId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnitId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_names_round_trip() {
        let ids = [
            UnitId::Organization,
            UnitId::CachePurges,
            UnitId::Team(TeamId::mint()),
            UnitId::Provider(ProviderId::mint()),
            UnitId::Model(ModelId::mint()),
            UnitId::Price(PriceId::mint()),
            UnitId::Overlay(OverlayId::mint()),
            UnitId::Budget(BudgetId::mint()),
            UnitId::Limit(LimitId::mint()),
            UnitId::Catalog(CatalogRefreshId::mint()),
            UnitId::Key(Digest::of(b"secret")),
        ];
        for id in ids {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert!("flag_1".parse::<UnitId>().is_err());
    }

    #[test]
    fn a_provider_published_by_an_earlier_release_still_reads() {
        let text = format!(
            r#"{{"name":"openai","kind":"openai","credentials":[{{"id":"{}","weight":1,"sealed":"c2VhbGVk"}}]}}"#,
            CredentialId::mint()
        );

        let provider: ProviderUnit = serde_json::from_str(&text).expect("what is new has a default");

        assert!(provider.settings.is_empty() && provider.network.is_none());
        assert!(
            provider
                .credentials
                .iter()
                .all(|credential| credential.kind == CredentialKind::ApiKey)
        );
    }

    #[test]
    fn fields_of_a_later_release_are_tolerated() {
        let text = format!(
            r#"{{"organization":"{}","id":"organization","revision":7,"body":{{"organization":{{"slug":"acme","later":1}}}},"x":2}}"#,
            OrganizationId::mint()
        );

        let unit: Unit = serde_json::from_str(&text).expect("unknown fields are skipped");

        assert_eq!(unit.revision, Revision(7));
    }
}
