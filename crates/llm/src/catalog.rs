//! Public list prices and context windows, as data in the program. An organization's own prices go before these; that is
//! the proxy's and the control plane's business.

mod read;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_types::api::{ProviderKind, Rates};

use crate::Tokens;
use read::File;

/// The list of public prices, and that of the sandbox; each in its editions in the order of time.
const PUBLIC: &[&str] = &[include_str!("../data/models.json")];
const SANDBOX: &[&str] = &[include_str!("../data/sandbox.json")];

/// Which models belong to a kind of provider: their providers' names in the list, and what stands there before a
/// model's own name.
const LISTED: [(ProviderKind, &[&str], &str); 16] = [
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
];

/// All prices. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    kinds: Arc<HashMap<ProviderKind, Vec<Edition>>>,
}

/// What the catalogue says of a model at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogPrice {
    pub rates: Rates,
    /// `catalogue@2026-08-01`.
    pub version: Arc<str>,
    pub context: Option<u32>,
    pub max_output: Option<u32>,
    tiers: Arc<[Tier]>,
}

/// Prices of one day on, by model.
#[derive(Debug)]
struct Edition {
    effective_from: DateTime<Utc>,
    models: HashMap<Box<str>, CatalogPrice>,
}

/// Prices for the whole of a request whose input is larger than this.
#[derive(Debug, PartialEq, Eq)]
struct Tier {
    above_input_tokens: u64,
    rates: Rates,
}

impl Catalog {
    /// Reads the data in the program; a few milliseconds, so once per process.
    pub fn embedded() -> Self {
        let tested = "the data in the program was tested";
        let files = |texts: &[&'static str]| -> Vec<_> {
            let read = |text: &&'static str| File::read(text).expect(tested);
            texts.iter().map(read).collect()
        };
        let (public, sandbox) = (files(PUBLIC), files(SANDBOX));
        let of = |files: &[File<'_>], providers: &[&str], prefix: &str| -> Vec<Edition> {
            let edition = |file: &File<'_>| file.edition(providers, prefix).expect(tested);
            files.iter().map(edition).collect()
        };
        let mut kinds: HashMap<_, _> = LISTED
            .into_iter()
            .map(|(kind, providers, prefix)| (kind, of(&public, providers, prefix)))
            .collect();
        kinds.insert(ProviderKind::Sandbox, of(&sandbox, &["sandbox"], ""));
        Self { kinds: Arc::new(kinds) }
    }

    /// The price in force at a time; `None` when the model is not known or has no price per token.
    pub fn lookup(&self, kind: ProviderKind, model: &str, at: DateTime<Utc>) -> Option<CatalogPrice> {
        let editions = self.kinds.get(&kind)?;
        let in_force = editions
            .iter()
            .rev()
            .find(|edition| edition.effective_from <= at)
            .or(editions.first())?;
        let price = in_force
            .models
            .get(model)
            .or_else(|| in_force.models.get(fine_tuned_from(model)?))?;
        Some(price.clone())
    }
}

impl CatalogPrice {
    /// The prices for a request of this size: some providers price long requests differently, from the first token on.
    pub fn rates_for(&self, tokens: &Tokens) -> &Rates {
        let input = tokens.total_input();
        let tier = self.tiers.iter().rev().find(|tier| input > tier.above_input_tokens);
        tier.map_or(&self.rates, |tier| &tier.rates)
    }
}

/// `ft:gpt-4o:acme::id` is priced as `ft:gpt-4o`.
fn fine_tuned_from(model: &str) -> Option<&str> {
    let base = model.strip_prefix("ft:")?.find(':')?;
    model.get(.."ft:".len() + base)
}

#[cfg(test)]
mod tests;
