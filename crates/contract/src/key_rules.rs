//! What a key may reach, beyond the models on its list. Most keys have no rules at all.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use gatewright_llm::Catalog;
use gatewright_types::api::{DisabledReason, HighestPrice, KeyEndpoint, KeyScopes, Rates};
use gatewright_types::{IpRange, UnitPrice};

use crate::{Caller, KeyEntry, Provider, UpstreamTarget};

/// What sets a key apart from one that may do everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyRules {
    pub scopes: KeyScopes,
    /// It does nothing until somebody enables it.
    pub disabled: Option<DisabledReason>,
    /// The secret is one from before a rotation, and works until then.
    pub former_until: Option<DateTime<Utc>>,
}

/// Why a key may not reach a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    Provider,
    Region,
    /// It costs more than the key may ask for.
    Price {
        what: &'static str,
        price: UnitPrice,
        highest: UnitPrice,
    },
    /// What it costs is not known, and there is a highest price.
    Unpriced,
}

impl KeyRules {
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

impl KeyEntry {
    /// The entry with these scopes.
    pub fn with_scopes(self, scopes: KeyScopes) -> Self {
        let rules = KeyRules {
            scopes,
            ..KeyRules::default()
        };
        Self {
            rules: (!rules.is_open()).then(|| Box::new(rules)),
            ..self
        }
    }

    pub fn scopes(&self) -> Option<&KeyScopes> {
        self.rules.as_ref().map(|rules| &rules.scopes)
    }

    pub fn allows_endpoint(&self, endpoint: KeyEndpoint) -> bool {
        let endpoints = self.scopes().and_then(|scopes| scopes.endpoints.as_ref());
        endpoints.is_none_or(|endpoints| endpoints.contains(&endpoint))
    }

    /// The first of these tools that a request with the key may not declare.
    pub fn barred_tool<'t>(&self, tools: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
        let allowed = self.scopes()?.tools.as_ref()?;
        let mut tools = tools.into_iter();
        tools.find(|tool| !allowed.iter().any(|pattern| pattern.matches(tool)))
    }

    /// It matters to the key which tools a request declares.
    pub fn limits_tools(&self) -> bool {
        self.scopes().is_some_and(|scopes| scopes.tools.is_some())
    }

    /// It matters to the key what a request costs.
    pub fn limits_price(&self) -> bool {
        self.scopes().is_some_and(|scopes| scopes.highest_price.is_some())
    }

    /// It matters to the key where requests go.
    pub fn limits_targets(&self) -> bool {
        let limits = |scopes: &KeyScopes| {
            scopes.providers.is_some() || scopes.regions.is_some() || scopes.highest_price.is_some()
        };
        self.scopes().is_some_and(limits)
    }

    /// What bars the key from a target.
    pub fn barred(&self, target: &UpstreamTarget, catalog: &Catalog, at: DateTime<Utc>) -> Option<Barred> {
        let scopes = self.scopes()?;
        not_among_providers(scopes, &target.provider)
            .or_else(|| not_in_regions(scopes, |region| target.resides_in(region)))
            .or_else(|| {
                let highest = scopes.highest_price.as_ref()?;
                too_dear(highest, target.price(catalog, at).as_ref().map(|price| price.rates()))
            })
    }

    /// What bars the key from a provider, whichever model of it is asked.
    pub fn barred_provider(&self, provider: &Provider) -> Option<Barred> {
        let scopes = self.scopes()?;
        not_among_providers(scopes, provider).or_else(|| not_in_regions(scopes, |region| provider.resides_in(region)))
    }
}

impl Caller {
    /// Whether both the key and its team may be used from there. `None` is an address that cannot be told.
    pub fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        let of_key = self.key.scopes().map(|scopes| &*scopes.ip_ranges);
        let of_team = self.key.team.and_then(|team| self.tenant.team_ranges.get(&team));
        let lists = [of_key, of_team.map(|ranges| &**ranges)];
        lists.into_iter().flatten().all(|ranges| within(ranges, address))
    }
}

fn within(ranges: &[IpRange], address: Option<IpAddr>) -> bool {
    ranges.is_empty() || address.is_some_and(|address| ranges.iter().any(|range| range.contains(address)))
}

fn not_among_providers(scopes: &KeyScopes, provider: &Provider) -> Option<Barred> {
    let providers = scopes.providers.as_ref()?;
    (!providers.contains(&provider.name)).then_some(Barred::Provider)
}

fn not_in_regions(scopes: &KeyScopes, resides_in: impl Fn(&str) -> bool) -> Option<Barred> {
    let regions = scopes.regions.as_ref()?;
    (!regions.iter().any(|region| resides_in(region.as_str()))).then_some(Barred::Region)
}

fn too_dear(highest: &HighestPrice, rates: Option<&Rates>) -> Option<Barred> {
    let pairs = [
        ("input", highest.input, rates.and_then(|rates| rates.input)),
        ("output", highest.output, rates.and_then(|rates| rates.output)),
    ];
    pairs.into_iter().find_map(|(what, highest, price)| {
        let highest = highest?;
        match price {
            Some(price) => (price > highest).then_some(Barred::Price { what, price, highest }),
            None => Some(Barred::Unpriced),
        }
    })
}

/// Reads as the rest of a sentence about the target.
impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider => f.write_str("is at a provider that is not on this API key's list"),
            Self::Region => f.write_str("is not known to be in a region of this API key's list"),
            Self::Price { what, price, highest } => write!(
                f,
                "costs ${price} per million {what} tokens, and this API key may ask for ${highest} at most"
            ),
            Self::Unpriced => f.write_str("has no known price, and this API key may only ask for models up to a price"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use gatewright_types::{KeyId, OrganizationId, TeamId};

    use super::*;
    use crate::{OrganizationUnit, UnitBody, UnitId, compile};

    fn rates(input: Option<&str>, output: Option<&str>) -> Rates {
        let price = |text: &str| text.parse().expect("a price");
        Rates {
            input: input.map(price),
            output: output.map(price),
            ..Rates::default()
        }
    }

    #[test]
    fn a_price_above_the_highest_bars_and_an_unknown_one_does_too() {
        let highest = HighestPrice {
            input: Some("2".parse().expect("a price")),
            output: None,
        };
        let says = |rates: Option<&Rates>| too_dear(&highest, rates).map(|barred| barred.to_string());

        assert_eq!(says(Some(&rates(Some("2"), None))), None);
        assert_eq!(
            says(Some(&rates(Some("2.5"), Some("1")))).as_deref(),
            Some("costs $2.50 per million input tokens, and this API key may ask for $2.00 at most")
        );
        assert!(says(Some(&rates(None, Some("1")))).is_some_and(|says| says.contains("no known price")));
        assert!(says(None).is_some_and(|says| says.contains("no known price")));
        assert_eq!(too_dear(&HighestPrice::default(), None), None);
    }

    #[test]
    fn a_caller_has_to_be_where_both_the_key_and_its_team_may_be_used() {
        let (organization, team) = (OrganizationId::mint(), TeamId::mint());
        let unit = UnitBody::Organization(OrganizationUnit::new("acme".parse().expect("a slug")));
        let mut tenant = compile(organization, &[(UnitId::Organization, unit)].into()).expect("it compiles");
        let ranges = |texts: &[&str]| -> Vec<IpRange> {
            let parsed = texts.iter().map(|text| text.parse().expect("a range"));
            parsed.collect()
        };
        tenant.team_ranges = HashMap::from([(team, ranges(&["10.0.0.0/8"]).into_boxed_slice())]);
        let tenant = Arc::new(tenant);
        let caller = |team, own: &[&str]| Caller {
            tenant: tenant.clone(),
            key: Arc::new(KeyEntry {
                team,
                rules: Some(Box::new(KeyRules {
                    scopes: KeyScopes {
                        ip_ranges: ranges(own),
                        ..KeyScopes::default()
                    },
                    ..KeyRules::default()
                })),
                ..KeyEntry::new(organization, KeyId::mint())
            }),
        };
        let address = |text: &str| Some(text.parse().expect("an address"));

        assert!(caller(None, &[]).may_come_from(None));
        assert!(caller(Some(team), &[]).may_come_from(address("10.1.1.1")));
        assert!(!caller(Some(team), &[]).may_come_from(address("192.0.2.1")));
        assert!(!caller(Some(team), &["10.2.0.0/16"]).may_come_from(address("10.1.1.1")));
        assert!(!caller(Some(team), &["192.0.2.0/24"]).may_come_from(address("192.0.2.1")));
        assert!(caller(Some(team), &["10.2.0.0/16", "192.0.2.1"]).may_come_from(address("10.2.1.1")));
        assert!(!caller(None, &["10.2.0.0/16"]).may_come_from(None));
    }
}
