//! An organization as a proxy node uses it: references resolved, addresses parsed, prices in order of their dates.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_llm::Catalog;
use gatewright_types::api::{ProviderKind, Rates, Timeouts};
use gatewright_types::{CredentialId, ModelId, ModelName, OrganizationId, PriceId, ProviderId, Slug, UpstreamModel};

use crate::{BaseUrl, Sealed};

/// The compiled configuration of one organization. Only `compile` makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    pub id: OrganizationId,
    pub slug: Slug,
    pub models: HashMap<ModelName, Arc<Model>>,
    pub providers: HashMap<Slug, Arc<Provider>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub id: ModelId,
    pub name: ModelName,
    pub route: Route,
    pub timeouts: Timeouts,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    Target(UpstreamTarget),
}

#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamTarget {
    pub provider: Arc<Provider>,
    pub model: UpstreamModel,
    /// The organization's own prices, the newest first.
    pub prices: Vec<OwnPrice>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OwnPrice {
    pub effective_from: DateTime<Utc>,
    pub rates: Rates,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    pub id: ProviderId,
    pub name: Slug,
    pub kind: ProviderKind,
    /// Absent only for a kind that calls nobody.
    pub base_url: Option<BaseUrl>,
    pub credentials: Vec<Credential>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    pub id: CredentialId,
    pub weight: u32,
    pub sealed: Sealed,
}

impl Route {
    /// Every target the route can lead to.
    pub fn targets(&self) -> impl Iterator<Item = &UpstreamTarget> {
        match self {
            Self::Target(target) => std::iter::once(target),
        }
    }
}

impl UpstreamTarget {
    /// The price in force at a time and its version: the organization's own, else the catalogue's.
    pub fn price<'a>(&'a self, catalog: &'a Catalog, at: DateTime<Utc>) -> Option<(Cow<'a, Rates>, Cow<'a, str>)> {
        let own = self.prices.iter().find(|price| price.effective_from <= at);
        match own {
            Some(price) => Some((Cow::Borrowed(&price.rates), Cow::Borrowed(&price.version))),
            None => catalog
                .lookup(self.provider.kind, self.model.as_str(), at)
                .map(|price| (Cow::Owned(price.rates), Cow::Owned(price.version.to_string()))),
        }
    }
}

impl OwnPrice {
    pub(crate) fn new(id: PriceId, rates: Rates, effective_from: DateTime<Utc>) -> Self {
        Self { effective_from, rates, version: id.to_string() }
    }
}
