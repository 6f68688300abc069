//! An organization's own facts of models, laid over the catalogue the same way on both planes.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use gatewright_llm::{Capabilities, Catalog, CatalogModel, Listed};
use gatewright_types::UpstreamModel;
use gatewright_types::api::{Capability, ModelFacts, ProviderKind};

/// All of an organization's own facts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OwnFacts {
    kinds: HashMap<ProviderKind, OfKind>,
}

/// Those of one kind of provider's models.
#[derive(Debug, Clone, Default, PartialEq)]
struct OfKind {
    by_name: HashMap<UpstreamModel, ModelFacts>,
    /// Other names, and whose they are.
    aliases: HashMap<UpstreamModel, UpstreamModel>,
}

/// What keeps a model from answering some requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// What it cannot do, for certain.
    pub lacking: Capabilities,
    /// Tokens of the longest conversation.
    pub context: Option<u32>,
    pub sunset_on: Option<NaiveDate>,
}

/// What a public list would say of a model that can do it. Of documents it says less: whoever sees pictures may read them.
const LISTED_WHERE_THERE: [Capability; 6] = [
    Capability::Tools,
    Capability::StructuredOutput,
    Capability::Vision,
    Capability::AudioInput,
    Capability::AudioOutput,
    Capability::VideoInput,
];

/// Whether a public list names all that a kind's models can do. Of resellers' and of small vendors' models it leaves out
/// much, and what it leaves out there means nothing: a request is rather refused by a provider than wrongly by us.
const fn is_listed_carefully(kind: ProviderKind) -> bool {
    matches!(
        kind,
        ProviderKind::Openai
            | ProviderKind::Azure
            | ProviderKind::Anthropic
            | ProviderKind::Gemini
            | ProviderKind::Vertex
            | ProviderKind::Bedrock
            | ProviderKind::Mistral
    )
}

/// Clouds give schemas to models of which the list does not say so.
const fn lists_schemas(kind: ProviderKind) -> bool {
    !matches!(kind, ProviderKind::Vertex | ProviderKind::Bedrock)
}

/// A model by all that is known of it.
#[derive(Debug)]
pub struct KnownModel<'a> {
    pub name: UpstreamModel,
    /// With the organization's own facts.
    pub model: CatalogModel,
    /// Absent: only the organization knows it.
    pub listed: Option<Listed<'a>>,
}

impl OwnFacts {
    /// Adds the facts of a model; the name or an alias that stands for another model already, when there is one.
    pub fn add(&mut self, kind: ProviderKind, model: &UpstreamModel, facts: &ModelFacts) -> Result<(), UpstreamModel> {
        let own = self.kinds.entry(kind).or_default();
        if own.by_name.insert(model.clone(), facts.clone()).is_some() {
            return Err(model.clone());
        }
        for alias in &facts.aliases {
            let before = own.aliases.insert(alias.clone(), model.clone());
            if alias == model || before.is_some_and(|other| other != *model) {
                return Err(alias.clone());
            }
        }
        Ok(())
    }

    /// The name of the model that is called so: its own, unless it is an alias of the organization's.
    pub fn name<'a>(&'a self, kind: ProviderKind, model: &'a UpstreamModel) -> &'a UpstreamModel {
        match self.kinds.get(&kind) {
            Some(own) if !own.by_name.contains_key(model) => own.aliases.get(model).unwrap_or(model),
            Some(_) | None => model,
        }
    }

    /// The longest answer of a model, by its name or an alias.
    pub fn max_output(
        &self,
        catalog: &Catalog,
        kind: ProviderKind,
        model: &UpstreamModel,
        at: DateTime<Utc>,
    ) -> Option<u32> {
        let name = self.name(kind, model);
        let listed = catalog.find(kind, name.as_str(), at);
        let own = self.facts(kind, listed.map_or(name, |listed| listed.name));
        own.and_then(|facts| facts.max_output)
            .or_else(|| listed?.model.max_output)
    }

    /// What keeps a model from answering some requests, by its name or an alias. Nothing does of which nobody knows.
    pub fn bounds(&self, catalog: &Catalog, kind: ProviderKind, model: &UpstreamModel, at: DateTime<Utc>) -> Bounds {
        let name = self.name(kind, model);
        let listed = catalog.find(kind, name.as_str(), at);
        let own = self.facts(kind, listed.map_or(name, |listed| listed.name));
        let listed = listed.map(|listed| listed.model);
        let mut bounds = listed.map(|model| Bounds::listed(kind, model)).unwrap_or_default();
        if let Some(own) = own {
            for (capability, there) in &own.capabilities {
                bounds.lacking.set(*capability, !there);
            }
            bounds.context = own.context.or(bounds.context);
            bounds.sunset_on = own.sunset_on.or(bounds.sunset_on);
        }
        bounds
    }

    fn facts(&self, kind: ProviderKind, name: &UpstreamModel) -> Option<&ModelFacts> {
        self.kinds.get(&kind)?.by_name.get(name)
    }

    /// What is known of a model, by its name or an alias.
    pub fn find<'a>(
        &self,
        catalog: &'a Catalog,
        kind: ProviderKind,
        model: &UpstreamModel,
        at: DateTime<Utc>,
    ) -> Option<KnownModel<'a>> {
        let name = self.name(kind, model);
        let listed = catalog.find(kind, name.as_str(), at);
        let name = listed.map_or(name, |listed| listed.name).clone();
        let own = self.facts(kind, &name);
        let model = match (listed, own) {
            (None, None) => return None,
            (listed, own) => {
                let known = listed.map(|listed| listed.model.clone()).unwrap_or_default();
                own.map_or_else(|| known.clone(), |facts| known.clone().with(facts))
            }
        };
        Some(KnownModel { name, model, listed })
    }

    /// Everything that is known of a kind of provider's models, by name.
    pub fn all<'a>(&self, catalog: &'a Catalog, kind: ProviderKind, at: DateTime<Utc>) -> Vec<KnownModel<'a>> {
        let listed = catalog.all(kind, at);
        let mut all: Vec<_> = listed
            .into_iter()
            .map(|listed| {
                let own = self.facts(kind, listed.name);
                let model = listed.model.clone();
                KnownModel {
                    name: listed.name.clone(),
                    model: own.map_or_else(|| model.clone(), |facts| model.clone().with(facts)),
                    listed: Some(listed),
                }
            })
            .collect();
        let own = self.kinds.get(&kind).into_iter().flat_map(|own| &own.by_name);
        let only_ours = own.filter(|(name, _)| {
            // An alias of the catalogue's has its facts where the model itself is.
            let listed = catalog.find(kind, name.as_str(), at);
            listed.is_none_or(|listed| listed.name != *name)
        });
        all.extend(only_ours.map(|(name, facts)| KnownModel {
            name: name.clone(),
            model: CatalogModel::default().with(facts),
            listed: None,
        }));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }
}

impl Bounds {
    fn listed(kind: ProviderKind, model: &CatalogModel) -> Self {
        let mut lacking = Capabilities::default();
        let there = model.capabilities;
        // Of some models the list says nothing but what they are for.
        let says_something = LISTED_WHERE_THERE.iter().any(|capability| there.contains(*capability))
            || there.contains(Capability::SystemMessages)
            || there.contains(Capability::ToolChoice);
        if says_something && is_listed_carefully(kind) {
            for capability in LISTED_WHERE_THERE {
                lacking.set(capability, !there.contains(capability));
            }
            if !lists_schemas(kind) {
                lacking.set(Capability::StructuredOutput, false);
            }
            let reads = there.contains(Capability::Documents) || there.contains(Capability::Vision);
            lacking.set(Capability::Documents, !reads);
        }
        Self {
            lacking,
            context: model.context,
            sunset_on: model.sunset_on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: ProviderKind = ProviderKind::Openai;

    fn name(text: &str) -> UpstreamModel {
        text.parse().expect("a name")
    }

    fn facts(context: u32, aliases: &[&str]) -> ModelFacts {
        ModelFacts {
            context: Some(context),
            aliases: aliases.iter().map(|alias| name(alias)).collect(),
            ..ModelFacts::default()
        }
    }

    #[test]
    fn own_facts_and_aliases_are_found_beside_the_catalogues() {
        let now = "2026-11-26T00:00:00Z".parse().expect("a time");
        let (catalog, mut own) = (Catalog::embedded(), OwnFacts::default());
        own.add(KIND, &name("gpt-4o"), &facts(9, &["ours"])).expect("fine");
        own.add(KIND, &name("in-house"), &facts(7, &[])).expect("fine");
        let find = |model: &str| own.find(&catalog, KIND, &name(model), now);

        let alias = find("ours").expect("the alias leads there");
        assert_eq!((alias.name.as_str(), alias.model.context), ("gpt-4o", Some(9)));
        assert!(alias.model.capabilities.contains(Capability::Vision));
        let longest = |model: &str| own.max_output(&catalog, KIND, &name(model), now);
        assert_eq!((longest("ours"), longest("gpt-4o-mini")), (Some(16_384), Some(16_384)));
        assert_eq!((longest("in-house"), longest("nobody")), (None, None));
        let house = find("in-house").expect("the organization knows it");
        assert!(house.listed.is_none());
        assert_eq!(find("gpt-4o-mini").expect("it is listed").model.context, Some(128_000));
        assert!(find("nobody").is_none());
        assert!(own.find(&catalog, ProviderKind::Azure, &name("ours"), now).is_none());
        let all = own.all(&catalog, KIND, now);
        let context = |model: &str| {
            all.iter()
                .find(|known| known.name.as_str() == model)
                .and_then(|known| known.model.context)
        };
        assert_eq!((context("gpt-4o"), context("in-house")), (Some(9), Some(7)));
        assert_eq!(all.len(), catalog.all(KIND, now).len() + 1);
    }

    #[test]
    fn a_name_stands_for_one_model() {
        let mut own = OwnFacts::default();
        own.add(KIND, &name("a"), &facts(1, &["x"])).expect("fine");

        assert_eq!(own.add(KIND, &name("a"), &facts(2, &[])), Err(name("a")));
        assert_eq!(own.add(KIND, &name("b"), &facts(2, &["x"])), Err(name("x")));
        assert_eq!(own.add(KIND, &name("c"), &facts(2, &["c"])), Err(name("c")));
        assert_eq!(own.add(ProviderKind::Azure, &name("b"), &facts(2, &["x"])), Ok(()));
    }

    #[test]
    fn what_a_list_leaves_out_is_missing_only_where_it_is_complete() {
        let catalog = Catalog::embedded();
        let lacks = |kind, model: &str, capability| {
            let bounds = OwnFacts::default().bounds(&catalog, kind, &name(model), DateTime::UNIX_EPOCH);
            bounds.lacking.contains(capability)
        };

        assert!(lacks(ProviderKind::Openai, "gpt-3.5-turbo", Capability::Vision));
        assert!(!lacks(ProviderKind::Openai, "gpt-4o", Capability::Vision));
        assert!(!lacks(
            ProviderKind::Cohere,
            "command-a-03-2025",
            Capability::StructuredOutput
        ));
        assert!(!lacks(
            ProviderKind::Bedrock,
            "anthropic.claude-3-haiku-20240307-v1:0",
            Capability::StructuredOutput
        ));
    }
}
