//! What would become of a request, without asking anybody: for an editor, for somebody who wonders, and for assertions
//! beside a configuration file.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::catalog::words;
use super::{Decision, Dialect, ModelSettings, Route};
use crate::{DisplayName, ModelName, Money, RequestId, Slug, Target};

words! {
    /// How targets are taken to do.
    SampleHealth {
        /// As the nodes report it.
        Current = "current",
        /// All are healthy and idle, and were never called.
        Ideal = "ideal",
    }
}

/// A request as it could be sent. Only what it says counts: requests that were made keep a trace, not their contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SampleRequest {
    /// The name that is asked for; what the body says when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// What the body is written in.
    #[serde(default = "usual_dialect", skip_serializing_if = "is_usual_dialect")]
    pub dialect: Dialect,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A JSON object. Its `model` may be absent where it is said beside it.
    #[serde(default = "usual_body")]
    pub body: Value,
    /// The name of a key. Without one, it is asked for as by a key that may call everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<DisplayName>,
    /// The name of the team that asks, where no key is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<DisplayName>,
    /// When it is asked; at this moment when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// Decides whatever is left to chance: the same number always gives the same.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dice: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    pub request: ExplainedRequest,
    /// Takes the place of the model's route, which need not exist then: nothing of it is saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    #[serde(default = "current", skip_serializing_if = "is_current")]
    pub health: SampleHealth,
}

/// A request as it could be sent, or the identifier of one that was made: that one is decided again by what was kept of it,
/// as at its own time and with its own luck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ExplainedRequest {
    Sample(Box<SampleRequest>),
    Logged(RequestId),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    pub decision: Decision,
    /// What was decided when the request was made, where it was and that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Decision>,
    /// Of a request that was made, what is not known any longer and so was not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_kept: Vec<String>,
    /// What was decided by. Ideal where the nodes could not be asked, too.
    #[serde(default = "ideal")]
    pub health: SampleHealth,
    /// What the request is expected to cost, at each target that could be asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<ExpectedCost>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExpectedCost {
    pub target: Target,
    /// Null when the target has no price.
    pub cost: Option<Money>,
}

/// A model that is not saved, or not saved like this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelDraft {
    /// Takes the place of the model of this name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ModelName>,
    pub route: Route,
    #[serde(flatten)]
    pub settings: ModelSettings,
}

/// Nothing is wrong where there are no problems.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelCheck {
    pub problems: Vec<ModelProblem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelProblem {
    /// `route.fallback[0].target`.
    pub place: String,
    pub message: String,
}

/// What a configuration is held to: a file of its own, beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Assertions {
    pub assertions: Vec<Assertion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    pub name: String,
    /// Whose configuration it is about; not needed where the file has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Slug>,
    pub request: SampleRequest,
    pub expect: Expectation,
}

/// All that is said has to hold, and something has to be said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Expectation {
    /// The target that is asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// All targets that are asked as long as each fails, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<Target>>,
    /// Targets that are not asked, each with something of the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, String>,
    /// The code of the error that the caller gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

// Not by trying both, so that what is wrong in a sample is told with its place.
impl<'de> Deserialize<'de> for ExplainedRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = ExplainedRequest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request, or the identifier of one that was made")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ExplainedRequest, E> {
                text.parse().map(ExplainedRequest::Logged).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ExplainedRequest, A::Error> {
                let sample = SampleRequest::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ExplainedRequest::Sample(Box::new(sample)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

const fn current() -> SampleHealth {
    SampleHealth::Current
}

const fn is_current(health: &SampleHealth) -> bool {
    matches!(health, SampleHealth::Current)
}

const fn ideal() -> SampleHealth {
    SampleHealth::Ideal
}

const fn usual_dialect() -> Dialect {
    Dialect::OpenaiChat
}

const fn is_usual_dialect(dialect: &Dialect) -> bool {
    matches!(dialect, Dialect::OpenaiChat)
}

fn usual_body() -> Value {
    serde_json::json!({"messages": [{"role": "user", "content": "Hello"}]})
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}
