//! A document compiled where it is, without an organization to compare it with: what it does not name is not there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{
    Caller, Catalog, KeyEntry, ModelUnit, OrganizationUnit, OverlayUnit, PriceUnit, ProviderUnit, TeamUnit, Tenant,
    UnitBody, UnitId, compile,
};
use gatewright_routing::{Sampling, explain};
use gatewright_types::api::{Document, Explanation, SampleRequest};
use gatewright_types::{DisplayName, KeyId, ModelId, OrganizationId, OverlayId, PriceId, ProviderId, TeamId};
use serde_json::Value;

use super::diff::{place, unsealed};
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
    let teams = teams(document);
    let units = units(document, &teams, &mut places);
    let tenant = compile(organization, &units).map_err(|found| {
        let problems = found.into_iter().map(|problem| place(&places, problem));
        problems.collect::<Vec<_>>()
    })?;
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

fn teams(document: &Document) -> HashMap<DisplayName, TeamId> {
    let teams = document.teams.iter().flatten();
    teams.map(|entry| (entry.name.clone(), TeamId::mint())).collect()
}

fn units(
    document: &Document,
    teams: &HashMap<DisplayName, TeamId>,
    places: &mut HashMap<UnitId, String>,
) -> BTreeMap<UnitId, UnitBody> {
    let mut units = BTreeMap::new();
    let organization = OrganizationUnit {
        traces: document.traces.unwrap_or_default(),
        ..OrganizationUnit::new(document.organization.clone())
    };
    units.insert(UnitId::Organization, UnitBody::Organization(organization));
    for (name, id) in teams {
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
        let kinds = entry.credentials.iter().map(|credential| credential.secret.kind());
        let body = ProviderUnit {
            name: entry.name.clone(),
            kind: entry.kind,
            base_url: entry.base_url.clone(),
            settings: entry.settings.clone(),
            network: None,
            credentials: kinds.map(unsealed).collect(),
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
