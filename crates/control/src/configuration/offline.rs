//! A document compiled where it is, without an organization to compare it with: what it does not name is not there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{
    Caller, Catalog, CompileProblem, KeyEntry, ModelUnit, OrganizationUnit, OverlayUnit, PriceUnit, ProviderUnit,
    TeamUnit, Tenant, UnitBody, UnitId, compile,
};
use gatewright_routing::{Sampling, explain};
use gatewright_types::api::{CredentialName, Document, Explanation, SampleRequest};
use gatewright_types::{
    BudgetId, CredentialId, DisplayName, KeyId, LimitId, ModelId, OrganizationId, OverlayId, PersonId, PriceId,
    ProviderId, TeamId,
};
use serde_json::Value;

use super::caps::{self, found, written_budgets, written_limits};
use super::caps_diff::{Cap, Caps};
use super::diff::{place, unsealed};
use super::named::Named;
use super::units::{add_caps, keys_problems, written_holders};
use crate::check::{FieldProblem, Shape};

/// The key of a sample that names none. It is always the same, so that routes by key always give the same.
pub(crate) const UNNAMED_KEY: &str = "key_00000000000000000000000000000000";

/// An organization as a document describes it.
#[derive(Debug)]
pub struct Compiled {
    tenant: Arc<Tenant>,
    teams: HashMap<DisplayName, TeamId>,
    keys: HashMap<DisplayName, Arc<KeyEntry>>,
}

/// Why a sample cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    #[error("the configuration has no key named {0}")]
    NoKey(DisplayName),
    #[error("the configuration has no team named {0}")]
    NoTeam(DisplayName),
}

/// Reads a request that is to be explained, or tells everything that is wrong with it.
pub fn check_sample(value: &Value) -> Result<SampleRequest, Vec<FieldProblem>> {
    Shape::of::<SampleRequest>().read(value)
}

/// Compiles a document as the server would, or tells everything that is wrong with it. Secrets play no part in that.
pub fn compile_document(document: &Document) -> Result<Compiled, Vec<FieldProblem>> {
    let organization = OrganizationId::INSTALLATION;
    let mut places = HashMap::new();
    let named = named(document);
    let caps = caps(document, &named, &mut places)?;
    let mut units = units(document, &named, &mut places);
    add_caps(&caps, &mut units);
    let mut found = keys_problems(&caps, &named, &written_holders(document, &named));
    let tenant = match compile(organization, &units) {
        Ok(tenant) if found.is_empty() => tenant,
        Ok(_) => return Err(placed(&places, found)),
        Err(more) => {
            found.extend(more);
            return Err(placed(&places, found));
        }
    };
    let teams = named.teams;
    let keys = document.keys.iter().flatten().enumerate().map(|(index, entry)| {
        let key = KeyEntry {
            name: Some(entry.name.clone()),
            team: entry.team.as_ref().and_then(|team| teams.get(team).copied()),
            models: entry.models.clone().map(Vec::into_boxed_slice),
            expires_at: entry.expires_at,
            tags: (!entry.tags.is_empty()).then(|| Box::new(entry.tags.clone())),
            ..KeyEntry::new(organization, key_id(index + 1))
        }
        .with_scopes(entry.scopes.clone());
        (entry.name.clone(), Arc::new(key))
    });
    let keys = keys.collect();
    Ok(Compiled {
        tenant: Arc::new(tenant),
        teams,
        keys,
    })
}

impl Compiled {
    /// Tells where a request would go, with what this release knows of models.
    pub fn explain(&self, sample: &SampleRequest, now: DateTime<Utc>) -> Result<Explanation, SampleError> {
        let caller = Caller {
            tenant: self.tenant.clone(),
            key: self.key(sample)?,
        };
        let sampling = Sampling {
            caller: &caller,
            catalog: &Catalog::embedded(),
            now: sample.at.unwrap_or(now),
            health: None,
        };
        Ok(explain(sampling, sample))
    }

    fn key(&self, sample: &SampleRequest) -> Result<Arc<KeyEntry>, SampleError> {
        if let Some(name) = &sample.key {
            let found = self.keys.get(name).cloned();
            return found.ok_or_else(|| SampleError::NoKey(name.clone()));
        }
        let team = sample.team.as_ref().map(|name| {
            let found = self.teams.get(name).copied();
            found.ok_or_else(|| SampleError::NoTeam(name.clone()))
        });
        Ok(Arc::new(KeyEntry {
            team: team.transpose()?,
            ..KeyEntry::new(self.tenant.id, key_id(0))
        }))
    }
}

/// All that the document has, by new identifiers, but for keys, whose identifiers come from their places.
fn named(document: &Document) -> Named {
    let mut named = Named::default();
    let teams = document.teams.iter().flatten();
    let teams = teams.map(|entry| (entry.name.clone(), TeamId::mint()));
    named.teams.extend(teams);
    let members = document.members.iter().flatten();
    let people = members.map(|entry| (entry.email.clone(), PersonId::mint()));
    named.people.extend(people);
    let accounts = document.service_accounts.iter().flatten();
    for account in accounts {
        let team = account.team.as_ref().and_then(|team| named.teams.get(team)).copied();
        named.account_teams.insert(account.name.clone(), team);
    }
    let keys = document.keys.iter().flatten().enumerate();
    let keys = keys.map(|(index, entry)| (entry.name.clone(), key_id(index + 1)));
    named.keys.extend(keys);
    for provider in document.providers.iter().flatten() {
        named.providers.insert(provider.name.clone());
        for credential in &provider.credentials {
            let (provider, name) = (provider.name.clone(), credential.name.clone());
            let name = CredentialName { provider, name };
            named.credentials.insert(name, CredentialId::mint());
        }
    }
    let models = document.models.iter().flatten();
    named.models.extend(models.map(|entry| entry.name.clone()));
    named
}

fn caps(document: &Document, named: &Named, places: &mut HashMap<UnitId, String>) -> Result<Caps, Vec<FieldProblem>> {
    let mut problems = caps::contradictions(document);
    let mut caps = Caps::default();
    for written in written_budgets(document) {
        let Some(scope) = found(named, &written, &mut problems) else {
            continue;
        };
        let (id, spec) = (BudgetId::mint(), written.spec.clone());
        places.insert(UnitId::Budget(id), written.place);
        caps.budgets.push(Cap { id, scope, spec });
    }
    for written in written_limits(document) {
        let Some(scope) = found(named, &written, &mut problems) else {
            continue;
        };
        let (id, spec) = (LimitId::mint(), written.spec.clone());
        places.insert(UnitId::Limit(id), written.place);
        caps.limits.push(Cap { id, scope, spec });
    }
    match problems.is_empty() {
        true => Ok(caps),
        false => Err(problems),
    }
}

fn placed(places: &HashMap<UnitId, String>, found: Vec<CompileProblem>) -> Vec<FieldProblem> {
    found.into_iter().map(|problem| place(places, problem)).collect()
}

fn units(document: &Document, named: &Named, places: &mut HashMap<UnitId, String>) -> BTreeMap<UnitId, UnitBody> {
    let mut units = BTreeMap::new();
    let organization = OrganizationUnit {
        slug: document.organization.clone(),
        traces: document.traces.unwrap_or_default(),
        tags: document.tags.clone().unwrap_or_default(),
    };
    units.insert(UnitId::Organization, UnitBody::Organization(organization));
    for (name, id) in &named.teams {
        // Where requests come from is nothing that is decided by a route.
        let unit = TeamUnit {
            name: name.clone(),
            ip_ranges: Vec::new(),
        };
        units.insert(UnitId::Team(*id), UnitBody::Team(unit));
    }
    let mut add = |unit: UnitId, place: String, body: UnitBody| {
        places.insert(unit, place);
        units.insert(unit, body);
    };
    for (index, entry) in document.providers.iter().flatten().enumerate() {
        let credentials = entry.credentials.iter().map(|credential| {
            let (provider, name) = (entry.name.clone(), credential.name.clone());
            let id = named.credentials.get(&CredentialName { provider, name }).copied();
            unsealed(id.unwrap_or_else(CredentialId::mint), credential.secret.kind())
        });
        let body = ProviderUnit {
            name: entry.name.clone(),
            kind: entry.kind,
            base_url: entry.base_url.clone(),
            settings: entry.settings.clone(),
            network: None,
            credentials: credentials.collect(),
        };
        let unit = UnitId::Provider(ProviderId::mint());
        add(unit, format!("providers[{index}]"), UnitBody::Provider(body));
    }
    for (index, entry) in document.models.iter().flatten().enumerate() {
        let body = ModelUnit {
            name: entry.name.clone(),
            route: entry.route.clone(),
            canaries: Vec::new(),
            settings: entry.settings.clone(),
        };
        let unit = UnitId::Model(ModelId::mint());
        add(unit, format!("models[{index}]"), UnitBody::Model(body));
    }
    for (index, entry) in document.prices.iter().flatten().enumerate() {
        let body = PriceUnit {
            provider: entry.provider.clone(),
            model: entry.model.clone(),
            rates: entry.rates.clone(),
            tiers: entry.tiers.clone(),
            service_tiers: entry.service_tiers.clone(),
            effective_from: entry.effective_from.unwrap_or(DateTime::<Utc>::MIN_UTC),
        };
        let unit = UnitId::Price(PriceId::mint());
        add(unit, format!("prices[{index}]"), UnitBody::Price(body));
    }
    for (index, entry) in document.catalog.iter().flatten().enumerate() {
        let body = OverlayUnit {
            kind: entry.kind,
            model: entry.model.clone(),
            facts: entry.facts.clone(),
        };
        let unit = UnitId::Overlay(OverlayId::mint());
        add(unit, format!("catalog[{index}]"), UnitBody::Overlay(body));
    }
    units
}

/// Made of the place in the document, so that a file always gives the same.
fn key_id(place: usize) -> KeyId {
    let text = format!("{}_{place:032x}", KeyId::PREFIX);
    text.parse().expect("written as keys' identifiers are")
}
