//! An organization as a proxy node uses it: references resolved, addresses parsed, prices in order of their dates.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_llm::{
    Bill, Catalog, CatalogModel, CatalogPrice, ModelLimits, Most, Spoken, Terms, Tokens, bill_for, most_for, spoken,
};
use gatewright_types::api::{
    CredentialKind, Dialect, ModelSettings, PriceTerms, PriceTier, ProviderKind, ProviderSettings, Rates, RouteTarget,
    ServicePrice, TagRule, TraceSettings,
};
use gatewright_types::{
    CredentialId, DisplayName, IpRange, ModelId, ModelName, Nanos, OrganizationId, PriceId, ProviderId, Slug, Target,
    TeamId, UpstreamModel,
};

use crate::{
    BaseUrl, Bounds, CanaryUnit, CapsByScope, ModelCache, NetworkUnit, OwnFacts, PriceUnit, Purges, Route, Sealed,
};

/// The compiled configuration of one organization. Only `compile` makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    pub id: OrganizationId,
    pub slug: Slug,
    pub teams: HashMap<TeamId, DisplayName>,
    /// Where requests with their keys may come from, of those teams that say it.
    pub team_ranges: HashMap<TeamId, Box<[IpRange]>>,
    pub traces: TraceSettings,
    /// What it wants to know of requests.
    pub tags: Vec<TagRule>,
    pub caps: CapsByScope,
    pub models: HashMap<ModelName, Arc<Model>>,
    pub providers: HashMap<Slug, Arc<Provider>>,
    /// The organization's own prices, by provider and model there, the newest first.
    pub prices: HashMap<Slug, HashMap<UpstreamModel, Vec<OwnPrice>>>,
    /// The organization's own facts, of all models.
    pub own: Arc<OwnFacts>,
    /// What of its answers is void.
    pub purges: Purges,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub id: ModelId,
    pub name: ModelName,
    pub route: Route,
    pub settings: ModelSettings,
    /// Absent where every request is answered by a provider.
    pub cache: Option<ModelCache>,
    /// How far the route's canaries are.
    pub canaries: Vec<CanaryUnit>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamTarget {
    pub provider: Arc<Provider>,
    pub model: UpstreamModel,
    /// The organization's own prices, the newest first.
    pub prices: Vec<OwnPrice>,
    /// The organization's own facts, of all models.
    pub own: Arc<OwnFacts>,
    /// What a route changes about requests that go there. Absent for most.
    pub changes: Option<Arc<RouteTarget>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OwnPrice {
    pub effective_from: DateTime<Utc>,
    pub terms: PriceTerms,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    pub id: ProviderId,
    pub name: Slug,
    pub kind: ProviderKind,
    /// Absent only for a kind that calls nobody.
    pub base_url: Option<BaseUrl>,
    /// The region is the one calls are signed for, even when only the address told it.
    pub settings: ProviderSettings,
    /// Absent where it is called straight.
    pub network: Option<Arc<NetworkUnit>>,
    pub credentials: Vec<Credential>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    pub id: CredentialId,
    pub weight: u32,
    pub kind: CredentialKind,
    pub sealed: Sealed,
}

impl Tenant {
    /// A model of a provider's, whether or not a name of the organization's leads to it.
    pub fn target(&self, provider: &Arc<Provider>, model: UpstreamModel) -> UpstreamTarget {
        let prices = self.prices.get(&provider.name).and_then(|models| models.get(&model));
        UpstreamTarget {
            provider: provider.clone(),
            prices: prices.cloned().unwrap_or_default(),
            own: self.own.clone(),
            model,
            changes: None,
        }
    }
}

impl Provider {
    /// The model that is called by a name here: the one that is deployed under it, where there is one.
    pub fn model_of<'a>(&'a self, name: &'a str) -> &'a str {
        let mut deployments = self.settings.deployments.iter();
        let found = deployments.find(|(_, deployment)| deployment.as_str() == name);
        found.map_or(name, |(model, _)| model.as_str())
    }

    /// The name by which a model is called here: its deployment's, where there is one.
    pub fn deployment<'a>(&'a self, model: &'a str) -> &'a str {
        let deployment = self.settings.deployments.get(model);
        deployment.map_or(model, |deployment| deployment.as_str())
    }
}

impl UpstreamTarget {
    /// How it is put what a caller asks in this dialect.
    pub fn spoken(&self, asked: Dialect) -> Option<Spoken> {
        let api = self.provider.settings.api.unwrap_or_default();
        spoken(self.provider.kind, api, asked, self.written_for())
    }

    /// The model by which a request is written: on Bedrock the address alone names it, so that what an inference profile
    /// is an alias of tells more than its own name.
    pub fn written_for(&self) -> &str {
        match self.provider.kind {
            ProviderKind::Bedrock => self.own.name(self.provider.kind, &self.model).as_str(),
            _ => self.provider.deployment(self.model.as_str()),
        }
    }

    /// The price in force at a time: the organization's own, else the catalogue's.
    pub fn price(&self, catalog: &Catalog, at: DateTime<Utc>) -> Option<AppliedPrice<'_>> {
        let own = self.prices.iter().find(|price| price.effective_from <= at);
        match own {
            Some(price) => {
                let listed = self.listed_price(catalog, at);
                let us_only_percent = listed.and_then(|listed| listed.us_only_percent());
                Some(AppliedPrice::Own(price, us_only_percent))
            }
            None => self.listed_price(catalog, at).map(AppliedPrice::Listed),
        }
    }

    fn listed_price(&self, catalog: &Catalog, at: DateTime<Utc>) -> Option<CatalogPrice> {
        let name = self.own.name(self.provider.kind, &self.model);
        catalog.lookup(self.provider.kind, name.as_str(), at)
    }

    /// The longest answer of the model, as far as it is known at a time.
    pub fn max_output(&self, catalog: &Catalog, at: DateTime<Utc>) -> Option<u32> {
        self.own.max_output(catalog, self.provider.kind, &self.model, at)
    }

    /// How long its conversations and answers are, as far as that is known at a time.
    pub fn limits(&self, catalog: &Catalog, at: DateTime<Utc>) -> ModelLimits {
        ModelLimits {
            context: self.bounds(catalog, at).context.map(u64::from),
            max_output: self.max_output(catalog, at).map(u64::from),
        }
    }

    pub fn name(&self) -> Target {
        Target {
            provider: self.provider.name.clone(),
            model: self.model.clone(),
        }
    }

    /// What keeps the model from answering some requests, as far as it is known at a time.
    pub fn bounds(&self, catalog: &Catalog, at: DateTime<Utc>) -> Bounds {
        self.own.bounds(catalog, self.provider.kind, &self.model, at)
    }

    /// What is known of the model at a time: by the organization itself, else by the catalogue.
    pub fn facts(&self, catalog: &Catalog, at: DateTime<Utc>) -> Option<CatalogModel> {
        let known = self.own.find(catalog, self.provider.kind, &self.model, at)?;
        Some(known.model)
    }
}

/// The price that applies to a target.
#[derive(Debug, Clone)]
pub enum AppliedPrice<'a> {
    /// With what the vendor takes for staying within the United States, in hundredths of any price.
    Own(&'a OwnPrice, Option<u16>),
    Listed(CatalogPrice),
}

impl AppliedPrice<'_> {
    /// The rates of a request of usual size.
    pub fn rates(&self) -> &Rates {
        match self {
            Self::Own(price, _) => &price.terms.rates,
            Self::Listed(price) => price.rates(),
        }
    }

    /// What a request costs that used these tokens on these terms.
    pub fn bill(&self, tokens: &Tokens, terms: Terms) -> Bill {
        // Nothing used costs nothing, however it was served.
        let terms = if *tokens == Tokens::default() {
            Terms::default()
        } else {
            terms
        };
        match self {
            Self::Own(price, percent) => bill_for(&price.within(*percent, terms), tokens, terms, &price.version),
            Self::Listed(price) => price.bill(tokens, terms),
        }
    }

    /// The most that a request costs; `None` where that is not known.
    pub fn at_most(&self, most: &Most) -> Option<Nanos> {
        match self {
            Self::Own(price, percent) => {
                let anywhere = Terms {
                    us_only: percent.is_some(),
                    ..Terms::default()
                };
                most_for(&price.within(*percent, anywhere), most)
            }
            Self::Listed(price) => price.at_most(most),
        }
    }

    pub fn version(&self) -> &str {
        match self {
            Self::Own(price, _) => &price.version,
            Self::Listed(price) => &price.version,
        }
    }
}

impl OwnPrice {
    pub(crate) fn new(id: PriceId, unit: &PriceUnit) -> Self {
        let searches = Rates {
            web_search: unit.rates.web_search,
            ..Rates::default()
        };
        let service = |price: &ServicePrice| ServicePrice {
            service_tier: price.service_tier,
            rates: price.rates.or(&searches),
            tiers: in_order(&price.tiers, &price.rates.or(&searches)),
        };
        Self {
            effective_from: unit.effective_from,
            terms: PriceTerms {
                tiers: in_order(&unit.tiers, &unit.rates),
                service_tiers: unit.service_tiers.iter().map(service).collect(),
                rates: unit.rates.clone(),
                ..PriceTerms::default()
            },
            version: id.to_string(),
        }
    }

    fn within(&self, us_only_percent: Option<u16>, terms: Terms) -> Cow<'_, PriceTerms> {
        if !terms.us_only {
            return Cow::Borrowed(&self.terms);
        }
        Cow::Owned(PriceTerms {
            us_only_percent,
            ..self.terms.clone()
        })
    }
}

/// In the order of size; what a tier does not name costs what is usual.
fn in_order(tiers: &[PriceTier], usual: &Rates) -> Vec<PriceTier> {
    let whole = |tier: &PriceTier| PriceTier {
        above_input_tokens: tier.above_input_tokens,
        rates: tier.rates.or(usual),
    };
    let mut tiers: Vec<_> = tiers.iter().map(whole).collect();
    tiers.sort_by_key(|tier| tier.above_input_tokens);
    tiers
}
