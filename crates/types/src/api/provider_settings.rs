//! What a provider needs besides its address and its credentials. The same shape is in the API, in the configuration
//! file and in the published configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BreakerSettings, ProbeSettings, Timeouts};
use crate::{ApiVersion, Deployment, HeaderName, HeaderText, Project, Region, UpstreamModel};

/// Settings of a provider. Which of them mean something depends on its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderSettings {
    /// Where a cloud runs the models: `eu-central-1`, `europe-west4`, `global`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Where what is sent there stays, for requests that may only go to a region: areas such as `eu`, or regions. Where
    /// this is empty, the region tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residency: Vec<Region>,
    /// The Google Cloud project that is billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Project>,
    /// With it an Azure resource is called at its addresses by deployment, without it at the ones of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<ApiVersion>,
    /// What an Azure resource calls a model, by the name that targets use. A model that is not here has its own name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::deployments"))]
    pub deployments: BTreeMap<UpstreamModel, Deployment>,
    /// By which of Bedrock's interfaces Claude is spoken to; `converse` where nothing is said. All other models, and those
    /// whose names do not tell that they are Claude, are always spoken to by `converse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<BedrockApi>,
    /// Sent with every call, besides what the gateway sends itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::headers"))]
    pub headers: BTreeMap<HeaderName, HeaderText>,
    /// For every model that goes there and does not say otherwise itself.
    #[serde(default, skip_serializing_if = "Timeouts::is_empty")]
    pub timeouts: Timeouts,
    /// When a model there is left alone for a while.
    #[serde(default, skip_serializing_if = "BreakerSettings::is_usual")]
    pub breaker: BreakerSettings,
    /// That it is called now and then where nobody else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Box<ProbeSettings>>,
}

/// An interface of Bedrock's for conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BedrockApi {
    /// Bedrock's own words for all models. What callers say in Anthropic's dialect still goes to Claude as they wrote it,
    /// where that can be.
    #[default]
    Converse,
    /// The words of the model's maker.
    Invoke,
}

/// A setting that means something for some kinds only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderSetting {
    Region,
    Project,
    ApiVersion,
    Deployments,
    Api,
}

impl ProviderSettings {
    pub const MOST_DEPLOYMENTS: usize = 256;
    pub const MOST_HEADERS: usize = 32;
    pub const MOST_RESIDENCIES: usize = 32;

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn holds(&self, setting: ProviderSetting) -> bool {
        match setting {
            ProviderSetting::Region => self.region.is_some(),
            ProviderSetting::Project => self.project.is_some(),
            ProviderSetting::ApiVersion => self.api_version.is_some(),
            ProviderSetting::Deployments => !self.deployments.is_empty(),
            ProviderSetting::Api => self.api.is_some(),
        }
    }
}

impl ProviderSetting {
    pub const ALL: [Self; 5] = [
        Self::Region,
        Self::Project,
        Self::ApiVersion,
        Self::Deployments,
        Self::Api,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Project => "project",
            Self::ApiVersion => "api_version",
            Self::Deployments => "deployments",
            Self::Api => "api",
        }
    }
}

/// A map's schema says by itself nothing about its keys.
#[cfg(feature = "schema")]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::ProviderSettings;
    use crate::{Deployment, HeaderName, HeaderText, UpstreamModel};

    pub(super) fn deployments(generator: &mut SchemaGenerator) -> Schema {
        map::<UpstreamModel, Deployment>(generator, ProviderSettings::MOST_DEPLOYMENTS)
    }

    pub(super) fn headers(generator: &mut SchemaGenerator) -> Schema {
        map::<HeaderName, HeaderText>(generator, ProviderSettings::MOST_HEADERS)
    }

    fn map<K: JsonSchema, V: JsonSchema>(generator: &mut SchemaGenerator, most: usize) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": generator.subschema_for::<K>(),
            "additionalProperties": generator.subschema_for::<V>(),
            "maxProperties": most,
        })
    }
}
