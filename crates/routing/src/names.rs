//! What conditions can read, by the names that `gatewright-contract` declares.

use std::sync::OnceLock;

use gatewright_cel::Map;
use gatewright_cel::{Mapping, Names, Value};
use gatewright_llm::Request;
use gatewright_types::api::Capability;
use gatewright_types::{Slug, UpstreamModel};

use crate::Situation;
use crate::facts::Facts;
use crate::health::Look;

pub(crate) struct Known<'a> {
    facts: &'a Facts<'a>,
    metadata: Option<Metadata<'a>>,
    deployments: Deployments<'a>,
}

/// The labels of a request.
struct Metadata<'a> {
    request: &'a Request,
    names: OnceLock<Vec<String>>,
}

/// Of the organization's deployments, how those do that were called from here.
struct Deployments<'a> {
    situation: &'a Situation<'a>,
    look: &'a Look,
    names: OnceLock<Vec<String>>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(facts: &'a Facts<'a>, look: &'a Look) -> Self {
        let situation = facts.situation;
        Self {
            facts,
            metadata: situation.asked.request.map(|request| Metadata {
                request,
                names: OnceLock::new(),
            }),
            deployments: Deployments {
                situation,
                look,
                names: OnceLock::new(),
            },
        }
    }

    fn of_request(&self, member: &str) -> Option<Value<'_>> {
        let asked = &self.facts.situation.asked;
        let needs = |capability| Some(self.facts.needs()?.capabilities.contains(capability).into());
        match member {
            "model" => Some(self.facts.situation.model.name.as_str().into()),
            "stream" => Some(asked.request?.stream().into()),
            "dialect" => Some(asked.request?.dialect().as_str().into()),
            "headers" => Some(Value::map(asked.headers)),
            "user" => self.facts.user().map(Value::String),
            "session" => self.facts.session().map(Value::String),
            "task" => self.facts.task().map(Value::String),
            "metadata" => Some(Value::map(self.metadata.as_ref()?)),
            "max_tokens" => Some(number(self.facts.needs()?.max_tokens?)),
            "input_tokens" => Some(number(self.facts.needs()?.input_tokens())),
            "has_tools" => needs(Capability::Tools),
            "has_schema" => needs(Capability::StructuredOutput),
            "has_images" => needs(Capability::Vision),
            "has_documents" => needs(Capability::Documents),
            "has_audio" => needs(Capability::AudioInput),
            "wants_reasoning" => Some(self.facts.needs()?.reasoning.into()),
            _ => None,
        }
    }
}

impl Names for Known<'_> {
    fn find<'a>(&'a self, path: &str) -> Option<Value<'a>> {
        if let Some(member) = path.strip_prefix("request.") {
            return self.of_request(member);
        }
        let situation = self.facts.situation;
        let (key, tenant) = (&situation.caller.key, &situation.caller.tenant);
        let team = || tenant.teams.get(&key.team?);
        match path {
            "now" => Some(situation.now.into()),
            "health" => Some(Value::map(&self.deployments)),
            "key.id" => Some(key.id.to_string().into()),
            "key.name" => Some(key.name.as_ref()?.as_str().into()),
            "key.team" | "team.name" => Some(team()?.as_str().into()),
            "team.id" => Some(key.team?.to_string().into()),
            "organization.id" => Some(tenant.id.to_string().into()),
            "organization.slug" => Some(tenant.slug.as_str().into()),
            _ => None,
        }
    }
}

impl Mapping for Metadata<'_> {
    fn length(&self) -> usize {
        self.names().len()
    }

    fn find(&self, key: &str) -> Option<Value<'_>> {
        self.request.metadata(key).map(Value::String)
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.names().iter().map(String::as_str))
    }
}

impl Metadata<'_> {
    fn names(&self) -> &[String] {
        self.names.get_or_init(|| self.request.metadata_names())
    }
}

impl Mapping for Deployments<'_> {
    fn length(&self) -> usize {
        self.names().len()
    }

    fn find(&self, key: &str) -> Option<Value<'_>> {
        let (provider, model) = key.split_once('/')?;
        let (provider, model) = (provider.parse::<Slug>().ok()?, model.parse::<UpstreamModel>().ok()?);
        let situation = self.situation;
        let provider = situation.caller.tenant.providers.get(&provider)?;
        let vitals = self.look.find(provider.id, &model)?;
        let latency = vitals.latency_micros(situation.now).map(|micros| micros / 1000);
        let members = [
            ("healthy".into(), (!vitals.is_open(situation.now)).into()),
            ("in_flight".into(), number(u64::from(vitals.in_flight()))),
            ("latency_ms".into(), number(latency.map_or(0, u64::from))),
        ];
        Some(Value::Map(Map::Made(members.into())))
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.names().iter().map(String::as_str))
    }
}

impl Deployments<'_> {
    fn names(&self) -> &[String] {
        self.names.get_or_init(|| {
            let providers = self.situation.caller.tenant.providers.values();
            let called = providers.flat_map(|provider| {
                let models = self.look.models(provider.id);
                models.map(|model| format!("{}/{model}", provider.name))
            });
            called.collect()
        })
    }
}

fn number(count: u64) -> Value<'static> {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}
