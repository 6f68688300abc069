//! A leaf of a route: a provider's model, and what is changed about requests that go there.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Fault;
use crate::{HeaderName, HeaderText, Slug, Target, UpstreamModel};

/// Written `provider/model`, or as a map where there is more to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TargetForm", into = "TargetForm")]
pub struct RouteTarget {
    pub target: Target,
    /// Members of the body that take the place of the caller's, in the caller's dialect; null takes one out.
    pub params: BTreeMap<String, Value>,
    /// Instructions that take the place of the request's own.
    pub prompt: Option<String>,
    /// Headers that calls there carry besides.
    pub headers: BTreeMap<HeaderName, HeaderText>,
    /// A failure that is made on purpose.
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum TargetForm {
    Name(Target),
    Map(TargetMap),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct TargetMap {
    provider: Slug,
    model: UpstreamModel,
    /// Members of the body that take the place of the caller's, in the caller's dialect; null takes one out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    params: BTreeMap<String, Value>,
    /// Instructions that take the place of the request's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    /// Headers that calls there carry besides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<HeaderName, HeaderText>,
    /// A failure that is made on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// By hand, because a derived one would only say that neither form fits.
impl<'de> Deserialize<'de> for TargetForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherForm)
    }
}

struct EitherForm;

impl<'de> Visitor<'de> for EitherForm {
    type Value = TargetForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a target, written provider/model, or as a map of provider, model and more")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TargetForm, E> {
        let name: Result<Target, _> = text.parse();
        name.map(TargetForm::Name)
            .map_err(|error| E::custom(format_args!("the target {text:?} {error}")))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TargetForm, A::Error> {
        TargetMap::deserialize(MapAccessDeserializer::new(map)).map(TargetForm::Map)
    }
}

impl RouteTarget {
    /// Whether nothing is changed about requests that go there.
    pub fn is_plain(&self) -> bool {
        self.params.is_empty() && self.prompt.is_none() && self.headers.is_empty() && self.fault.is_none()
    }
}

impl From<Target> for RouteTarget {
    fn from(target: Target) -> Self {
        Self {
            target,
            params: BTreeMap::new(),
            prompt: None,
            headers: BTreeMap::new(),
            fault: None,
        }
    }
}

impl From<TargetForm> for RouteTarget {
    fn from(form: TargetForm) -> Self {
        match form {
            TargetForm::Name(target) => target.into(),
            TargetForm::Map(TargetMap {
                provider,
                model,
                params,
                prompt,
                headers,
                fault,
            }) => Self {
                target: Target { provider, model },
                params,
                prompt,
                headers,
                fault,
            },
        }
    }
}

impl From<RouteTarget> for TargetForm {
    fn from(route: RouteTarget) -> Self {
        if route.is_plain() {
            return Self::Name(route.target);
        }
        let Target { provider, model } = route.target;
        Self::Map(TargetMap {
            provider,
            model,
            params: route.params,
            prompt: route.prompt,
            headers: route.headers,
            fault: route.fault,
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RouteTarget {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RouteTarget".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        TargetForm::json_schema(generator)
    }
}
