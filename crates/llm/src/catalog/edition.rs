//! One edition of the catalogue: everything it says, from one day on. It speaks of some kinds of providers and is silent
//! about the others.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use gatewright_types::UpstreamModel;
use gatewright_types::api::{CatalogSource, ProviderKind};

use super::CatalogModel;

/// Which models belong to a kind of provider: their providers' names in the list, and what stands there before a
/// model's own name.
pub(super) const LISTED: [(ProviderKind, &[&str], &str); 17] = [
    (ProviderKind::Openai, &["openai"], ""),
    (ProviderKind::Azure, &["azure"], "azure/"),
    (ProviderKind::Anthropic, &["anthropic"], ""),
    (ProviderKind::Gemini, &["gemini"], "gemini/"),
    (
        ProviderKind::Vertex,
        &["vertex_ai-language-models", "vertex_ai-anthropic_models"],
        "vertex_ai/",
    ),
    (ProviderKind::Bedrock, &["bedrock", "bedrock_converse"], ""),
    (ProviderKind::Mistral, &["mistral"], "mistral/"),
    (ProviderKind::Cohere, &["cohere", "cohere_chat"], "cohere/"),
    (ProviderKind::Groq, &["groq"], "groq/"),
    (ProviderKind::Deepseek, &["deepseek"], "deepseek/"),
    (ProviderKind::Xai, &["xai"], "xai/"),
    (ProviderKind::Together, &["together_ai"], "together_ai/"),
    (ProviderKind::Fireworks, &["fireworks_ai"], "fireworks_ai/"),
    (ProviderKind::Openrouter, &["openrouter"], "openrouter/"),
    (ProviderKind::Perplexity, &["perplexity"], "perplexity/"),
    (ProviderKind::Ollama, &["ollama"], "ollama/"),
    (ProviderKind::Sandbox, &["sandbox"], "sandbox/"),
];

#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    pub(super) version: Arc<str>,
    pub(super) origin: Arc<str>,
    as_of: NaiveDate,
    pub(super) effective_from: DateTime<Utc>,
    pub(super) kinds: HashMap<ProviderKind, Models>,
}

/// The models of a kind of provider.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Models {
    pub(super) by_name: HashMap<UpstreamModel, CatalogModel>,
    /// Other names, and whose they are.
    pub(super) aliases: HashMap<UpstreamModel, UpstreamModel>,
}

/// A model as an edition has it.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    pub edition: &'a Edition,
    pub name: &'a UpstreamModel,
    pub model: &'a CatalogModel,
}

/// Why a text is no edition at all.
#[derive(Debug, thiserror::Error)]
pub enum EditionError {
    #[error("is not a catalogue: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("has version {0} of the format; this release reads version 1")]
    Format(u32),
    #[error("states its prices in {0:?}; this release reads \"USD per token\"")]
    Unit(String),
    #[error("lists no model of any kind of provider that the gateway knows")]
    Empty,
}

impl Edition {
    pub(super) fn of(as_of: NaiveDate, origin: &str) -> Self {
        Self {
            version: version_of(as_of).into(),
            origin: origin.into(),
            as_of,
            effective_from: as_of.and_time(NaiveTime::MIN).and_utc(),
            kinds: HashMap::new(),
        }
    }

    /// The same, told by somebody in particular.
    #[must_use]
    pub fn from_origin(mut self, origin: &str) -> Self {
        self.origin = origin.into();
        self
    }

    /// The same under another version, in force from another time on.
    #[must_use]
    pub fn published(mut self, version: &str, effective_from: DateTime<Utc>) -> Self {
        self.version = version.into();
        self.effective_from = effective_from;
        self
    }

    pub const fn version(&self) -> &Arc<str> {
        &self.version
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The day it is of, whenever it came into force.
    pub const fn as_of(&self) -> NaiveDate {
        self.as_of
    }

    pub const fn effective_from(&self) -> DateTime<Utc> {
        self.effective_from
    }

    pub fn source(&self) -> CatalogSource {
        CatalogSource {
            version: self.version.to_string(),
            origin: self.origin.to_string(),
            effective_from: self.effective_from,
        }
    }

    /// Whether it speaks of this kind of provider.
    pub fn covers(&self, kind: ProviderKind) -> bool {
        self.kinds.contains_key(&kind)
    }

    pub(super) fn shares_kinds(&self, other: &Self) -> bool {
        self.kinds.keys().any(|kind| other.covers(*kind))
    }

    /// A model by its name, an alias, or the name of what it was tuned from.
    pub fn find(&self, kind: ProviderKind, model: &str) -> Option<Listed<'_>> {
        let models = self.kinds.get(&kind)?;
        models
            .named(model)
            .or_else(|| models.named(fine_tuned_from(model)?))
            .map(|(name, model)| Listed {
                edition: self,
                name,
                model,
            })
    }

    /// Everything of a kind, by name.
    pub fn all(&self, kind: ProviderKind) -> Vec<Listed<'_>> {
        let models = self.kinds.get(&kind).into_iter().flat_map(|models| &models.by_name);
        let mut all: Vec<_> = models
            .map(|(name, model)| Listed {
                edition: self,
                name,
                model,
            })
            .collect();
        all.sort_by_key(|listed| listed.name.as_str());
        all
    }
}

impl Models {
    fn named(&self, name: &str) -> Option<(&UpstreamModel, &CatalogModel)> {
        // A name goes before an alias that happens to be the same.
        self.by_name.get_key_value(name).or_else(|| {
            let name = self.aliases.get(name)?;
            self.by_name.get_key_value(name)
        })
    }
}

/// The version of a catalogue of a day.
pub(super) fn version_of(as_of: NaiveDate) -> String {
    format!("catalogue@{as_of}")
}

/// `ft:gpt-4o:acme::id` is priced as `ft:gpt-4o`.
fn fine_tuned_from(model: &str) -> Option<&str> {
    let base = model.strip_prefix("ft:")?.find(':')?;
    model.get(.."ft:".len() + base)
}
