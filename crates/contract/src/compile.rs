//! From published units to a tenant, or to every reason why not. The control plane runs it before it commits, the
//! proxy when it loads: what one accepts the other can use.

mod caps;
mod key_caps;
mod provider;
mod route;
mod tags;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gatewright_types::api::{CacheSettings, Retries, TraceSettings, TracedRequests};
use gatewright_types::{OrganizationId, Slug, UpstreamModel};

use crate::cache::Shape;
use crate::tenant::OwnPrice;
use crate::{Model, ModelUnit, OwnFacts, PriceUnit, Provider, Purges, Tenant, UnitBody, UnitId};

pub(crate) use caps::budget;
pub use caps::{budget_problems, limit_problems};
pub use key_caps::{Whole, key_caps, key_problems};
pub use provider::credential_problem;

/// Further calls at one target, at most.
const MOST_RETRIES: u8 = 10;

/// One thing wrong with an organization's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileProblem {
    /// The unit it was found in.
    pub unit: UnitId,
    /// The field within the resource: `route.target`, `credentials[0].aws`.
    pub field: String,
    pub message: String,
}

/// Builds the tenant from all of its units except keys, which are looked up one by one and need no compiling.
pub fn compile(
    organization: OrganizationId,
    units: &BTreeMap<UnitId, UnitBody>,
) -> Result<Tenant, Vec<CompileProblem>> {
    let mut problems = Vec::new();
    let mut organization_unit = None;
    let mut providers = HashMap::new();
    let mut own = OwnFacts::default();
    let (mut teams, mut team_ranges) = (HashMap::new(), HashMap::new());
    for (unit, body) in units {
        match body {
            UnitBody::Organization(spec) => {
                let of_traces = trace_problems(&spec.traces).into_iter();
                let wrong = of_traces.map(|(field, message)| (field.to_owned(), message));
                let wrong = wrong.chain(tags::problems(&spec.tags));
                problems.extend(wrong.map(|(field, message)| CompileProblem {
                    unit: *unit,
                    field,
                    message,
                }));
                organization_unit = Some(spec);
            }
            UnitBody::Provider(spec) => {
                let Some(provider) = provider::provider(*unit, spec, &mut problems) else {
                    continue;
                };
                if providers.insert(spec.name.clone(), Arc::new(provider)).is_some() {
                    problems.push(taken(*unit, "another provider has this name"));
                }
            }
            UnitBody::Overlay(spec) => {
                if let Err(name) = own.add(spec.kind, &spec.model, &spec.facts) {
                    problems.push(CompileProblem {
                        unit: *unit,
                        field: if name == spec.model { "model" } else { "facts.aliases" }.to_owned(),
                        message: format!("{name} stands for another model already"),
                    });
                }
            }
            UnitBody::Team(team) => {
                if let UnitId::Team(id) = unit {
                    teams.insert(*id, team.name.clone());
                    if !team.ip_ranges.is_empty() {
                        team_ranges.insert(*id, team.ip_ranges.clone().into_boxed_slice());
                    }
                }
            }
            UnitBody::Model(_)
            | UnitBody::Price(_)
            | UnitBody::Key(_)
            | UnitBody::Budget(_)
            | UnitBody::Limit(_)
            | UnitBody::CachePurges(_)
            | UnitBody::Catalog(_) => {}
        }
    }

    let own = Arc::new(own);
    let prices = own_prices(units);
    let resources = Resources {
        providers: &providers,
        prices: &prices,
        own: own.clone(),
        shape: Shape::of(units),
    };
    let mut models = HashMap::new();
    for (unit, body) in units {
        let UnitBody::Model(spec) = body else { continue };
        let Some(model) = model(*unit, spec, &resources, &mut problems) else {
            continue;
        };
        if models.insert(spec.name.clone(), Arc::new(model)).is_some() {
            problems.push(taken(*unit, "another model has this name"));
        }
    }

    let caps = caps::caps(units, &mut problems);
    match organization_unit {
        Some(spec) if problems.is_empty() => Ok(Tenant {
            id: organization,
            slug: spec.slug.clone(),
            traces: spec.traces,
            tags: spec.tags.clone(),
            caps,
            teams,
            team_ranges,
            models,
            providers,
            prices: by_provider(units, prices),
            own,
            purges: Purges::of(units),
        }),
        Some(_) => Err(problems),
        None => {
            let message = "the organization itself is missing".to_owned();
            problems.push(CompileProblem {
                unit: UnitId::Organization,
                field: "organization".to_owned(),
                message,
            });
            Err(problems)
        }
    }
}

fn taken(unit: UnitId, message: &str) -> CompileProblem {
    CompileProblem {
        unit,
        field: "name".to_owned(),
        message: message.to_owned(),
    }
}

/// What models are made of.
struct Resources<'a> {
    providers: &'a HashMap<Slug, Arc<Provider>>,
    prices: &'a OwnPrices<'a>,
    own: Arc<OwnFacts>,
    shape: Shape,
}

impl Resources<'_> {
    fn prices_of<'a>(&'a self, provider: &'a str, model: &'a str) -> Option<&'a Vec<OwnPrice>> {
        self.prices.get(&(provider, model))
    }
}

type OwnPrices<'a> = HashMap<(&'a str, &'a str), Vec<OwnPrice>>;

fn own_prices(units: &BTreeMap<UnitId, UnitBody>) -> OwnPrices<'_> {
    let mut prices: OwnPrices<'_> = HashMap::new();
    for (unit, body) in units {
        let (UnitId::Price(id), UnitBody::Price(spec)) = (unit, body) else {
            continue;
        };
        prices
            .entry((spec.provider.as_str(), spec.model.as_str()))
            .or_default()
            .push(OwnPrice::new(*id, spec));
    }
    for list in prices.values_mut() {
        list.sort_by(|a, b| (b.effective_from, &b.version).cmp(&(a.effective_from, &a.version)));
    }
    prices
}

fn by_provider<'a>(
    units: &'a BTreeMap<UnitId, UnitBody>,
    mut own_prices: OwnPrices<'a>,
) -> HashMap<Slug, HashMap<UpstreamModel, Vec<OwnPrice>>> {
    let mut prices: HashMap<Slug, HashMap<UpstreamModel, Vec<OwnPrice>>> = HashMap::new();
    for body in units.values() {
        let UnitBody::Price(PriceUnit { provider, model, .. }) = body else {
            continue;
        };
        // Each list is found at its first price.
        if let Some(list) = own_prices.remove(&(provider.as_str(), model.as_str())) {
            prices.entry(provider.clone()).or_default().insert(model.clone(), list);
        }
    }
    prices
}

fn model(
    unit: UnitId,
    spec: &ModelUnit,
    resources: &Resources<'_>,
    problems: &mut Vec<CompileProblem>,
) -> Option<Model> {
    let UnitId::Model(id) = unit else { return None };
    let wrong = provider::timeout_problems(&spec.settings.timeouts)
        .map(|(field, message)| (field, message.to_owned()))
        .chain(retry_problems(&spec.settings.retries))
        .chain(spec.settings.cache.as_ref().and_then(ttl_problem));
    let mut wrong: Vec<_> = wrong.collect();
    let route = route::route(spec, resources).map_err(|found| wrong.extend(found)).ok();
    problems.extend(
        wrong
            .into_iter()
            .map(|(field, message)| CompileProblem { unit, field, message }),
    );
    let route = route?;
    Some(Model {
        id,
        name: spec.name.clone(),
        cache: resources.shape.cache_of(spec, &route),
        route,
        settings: spec.settings.clone(),
        canaries: spec.canaries.clone(),
    })
}

fn trace_problems(traces: &TraceSettings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let usual = TraceSettings::default().sample;
    if !(1..=100).contains(&traces.sample) {
        let message = "must be from 1 to 100 percent: to keep traces of failures only, say `requests: failures`";
        wrong.push(("traces.sample", message.to_owned()));
    } else if traces.requests != TracedRequests::All && traces.sample != usual {
        let message = "only says something with `requests: all`".to_owned();
        wrong.push(("traces.sample", message));
    }
    let (shortest, longest) = (TraceSettings::SHORTEST_KEEP, TraceSettings::LONGEST_KEEP);
    if !(shortest..=longest).contains(&traces.keep) {
        wrong.push(("traces.keep", format!("must be from {shortest} to {longest}")));
    }
    wrong
}

fn ttl_problem(cache: &CacheSettings) -> Option<(String, String)> {
    let (shortest, longest) = (CacheSettings::SHORTEST_TTL, CacheSettings::LONGEST_TTL);
    let kept = (shortest..=longest).contains(&cache.ttl);
    (!kept).then(|| {
        let message = format!("must be from {shortest} to {longest}: to keep nothing, leave `cache` out");
        ("cache.ttl".to_owned(), message)
    })
}

fn retry_problems(retries: &Retries) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let mut note = |field: &str, message: String| wrong.push((format!("retries.{field}"), message));
    if retries.attempts > MOST_RETRIES {
        note("attempts", format!("must be at most {MOST_RETRIES}"));
    }
    if retries.longest_pause < retries.pause {
        note("longest_pause", "is shorter than the first pause".to_owned());
    }
    if retries.budget > 100 {
        note("budget", "is more than 100 percent".to_owned());
    }
    wrong
}

#[cfg(test)]
mod tests;
