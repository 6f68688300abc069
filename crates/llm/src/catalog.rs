//! What is publicly known of models, by kind of provider: capabilities, limits, prices and dates. The data in the program
//! comes first; editions that an installation approved go before it from their day on. An organization's own prices and
//! facts go before all of these; that is the business of the proxy and the control plane.

mod capabilities;
mod diff;
mod edition;
mod model;
mod read;

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, NaiveDate, Utc};
use gatewright_types::Nanos;
use gatewright_types::api::{PriceTerms, ProviderKind, Rates, ServedTier};

use crate::{Bill, Most, Terms, Tokens};

pub use capabilities::Capabilities;
pub use diff::{diff, only_adds};
pub use edition::{Edition, EditionError, Listed};
pub use model::{CatalogModel, bill_for, most_for, rates_for};

/// The public list and that of the sandbox, each with who says so.
const EMBEDDED: [(&str, &str); 2] = [
    (
        include_str!("../data/models.json"),
        "BerriAI/litellm model_prices_and_context_window.json (MIT), by way of Prajwalsrinvas/token-tariff (MIT)",
    ),
    (include_str!("../data/sandbox.json"), "the built-in sandbox"),
];

/// The data in the program, read when it is first needed: it never changes, and every catalogue shares it.
static READ: LazyLock<Vec<Edition>> = LazyLock::new(|| {
    let read = |(document, origin): (&str, &str)| {
        let (edition, _) = Edition::read(document).expect("the data in the program was tested");
        edition.from_origin(origin)
    };
    EMBEDDED.into_iter().map(read).collect()
});

/// All that is known of models. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Approved editions in the order in which they came into force.
    approved: Arc<[Arc<Edition>]>,
}

/// The price of a model at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogPrice {
    terms: Arc<PriceTerms>,
    /// `catalogue@2026-08-01`.
    pub version: Arc<str>,
}

impl Catalog {
    /// What is in the program and nothing else. Reads it now, which takes a few milliseconds once per process.
    pub fn embedded() -> Self {
        LazyLock::force(&READ);
        Self::default()
    }

    /// With editions that were approved.
    pub fn with(mut approved: Vec<Arc<Edition>>) -> Self {
        approved.sort_by_key(|edition| edition.effective_from());
        Self {
            approved: approved.into(),
        }
    }

    /// What is known of a model at a time, by its name or by an alias.
    pub fn find(&self, kind: ProviderKind, model: &str, at: DateTime<Utc>) -> Option<Listed<'_>> {
        self.in_force(kind, at)?.find(kind, model)
    }

    /// The price in force at a time; `None` when the model is not known or has no price per token.
    pub fn lookup(&self, kind: ProviderKind, model: &str, at: DateTime<Utc>) -> Option<CatalogPrice> {
        let listed = self.find(kind, model, at)?;
        let terms = listed.model.price.as_ref()?;
        (terms.rates != Rates::default()).then(|| CatalogPrice {
            terms: Arc::clone(terms),
            version: Arc::clone(listed.edition.version()),
        })
    }

    /// Everything listed of a kind of provider at a time, by name.
    pub fn all(&self, kind: ProviderKind, at: DateTime<Utc>) -> Vec<Listed<'_>> {
        self.in_force(kind, at)
            .map(|edition| edition.all(kind))
            .unwrap_or_default()
    }

    /// The day of the newest edition that speaks of anything another one speaks of.
    pub fn newest_beside(&self, edition: &Edition) -> Option<NaiveDate> {
        let approved = self.approved.iter().map(|edition| &**edition);
        let shared = READ.iter().chain(approved).filter(|known| known.shares_kinds(edition));
        shared.map(Edition::as_of).max()
    }

    /// The latest edition of those that speak of a kind; before the first one's day, the first one.
    fn in_force(&self, kind: ProviderKind, at: DateTime<Utc>) -> Option<&Edition> {
        let approved = self.approved.iter().map(|edition| &**edition);
        let mut first = None::<&Edition>;
        let mut latest = None::<&Edition>;
        for edition in READ.iter().chain(approved).filter(|edition| edition.covers(kind)) {
            first = first.or(Some(edition));
            let later = latest.is_none_or(|latest| latest.effective_from() <= edition.effective_from());
            if edition.effective_from() <= at && later {
                latest = Some(edition);
            }
        }
        latest.or(first)
    }
}

impl CatalogPrice {
    /// The prices of a request of usual size.
    pub fn rates(&self) -> &Rates {
        &self.terms.rates
    }

    /// The prices for a request of this size that was served in this way: some providers price long requests differently,
    /// from the first token on.
    pub fn rates_for(&self, tokens: &Tokens, served: Option<ServedTier>) -> Option<&Rates> {
        rates_for(&self.terms, tokens, served)
    }

    /// What a request costs that used these tokens on these terms.
    pub fn bill(&self, tokens: &Tokens, terms: Terms) -> Bill {
        bill_for(&self.terms, tokens, terms, &self.version)
    }

    /// The most that a request costs, in whichever of its tiers it is served.
    pub fn at_most(&self, most: &Most) -> Option<Nanos> {
        most_for(&self.terms, most)
    }

    /// What tokens cost when the provider stays within the United States, in hundredths of what is usual.
    pub fn us_only_percent(&self) -> Option<u16> {
        self.terms.us_only_percent
    }
}

#[cfg(test)]
mod tests;
