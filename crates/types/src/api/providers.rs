//! Providers: where requests go.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Credential, NewCredential, PlainNetwork, ProviderKind, ProviderSettings};
use crate::{CredentialId, ProviderId, Slug};

/// Somebody who answers requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provider {
    pub id: ProviderId,
    pub name: Slug,
    pub kind: ProviderKind,
    /// The effective address; null for a kind that has none.
    pub base_url: Option<String>,
    /// Absent where it is called straight. Its secrets are never told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<PlainNetwork>,
    #[serde(flatten)]
    pub settings: ProviderSettings,
    pub credentials: Vec<Credential>,
    pub created_at: DateTime<Utc>,
}

/// A provider that is to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    pub name: Slug,
    pub kind: ProviderKind,
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<PlainNetwork>,
    #[serde(flatten)]
    pub settings: ProviderSettings,
    #[serde(default)]
    pub credentials: Vec<NewCredential>,
}

/// Takes the place of the address, the network and all settings: what is absent is taken away, but for a network's
/// secrets, which stay with the user name and the certificate they belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProviderChange {
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<PlainNetwork>,
    #[serde(flatten)]
    pub settings: ProviderSettings,
}

/// What the cheapest real call to the provider gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelfTest {
    pub credential: Option<CredentialId>,
    pub outcome: SelfTestOutcome,
    /// The provider's status code, when it answered.
    pub status: Option<u16>,
    /// The provider's own words on failure, without our secret.
    pub message: String,
    pub duration_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SelfTestOutcome {
    Works,
    /// The provider refused the credential.
    Refused,
    /// The provider answered something else than expected.
    Unexpected,
    /// No answer: name, address, connection or time-out.
    Unreachable,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_stand_beside_the_other_fields_and_unknown_ones_are_refused() {
        let good = json!({
            "name": "azure", "kind": "azure", "base_url": "https://x.openai.azure.com", "credentials": [],
            "api_version": "2024-10-21", "deployments": {"gpt-4o": "main"}, "headers": {"x-team": "a b"},
        });

        let provider: NewProvider = serde_json::from_value(good.clone()).expect("a provider");

        assert_eq!(serde_json::to_value(&provider).expect("JSON"), good);
        for (field, value) in [
            ("regoin", json!("eu-central-1")),
            ("region", json!("a/b")),
            ("headers", json!({"host": "x"})),
            ("headers", json!({"x-a": "b\r\nc: d"})),
            ("deployments", json!({"a b": "c"})),
        ] {
            let mut wrong = good.clone();
            wrong[field] = value;
            assert!(serde_json::from_value::<NewProvider>(wrong).is_err(), "{field}");
        }
    }
}
