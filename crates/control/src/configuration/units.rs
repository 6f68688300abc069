//! Whether what a plan leads to compiles: the units there would be, as far as the document and what is there tell.

use std::collections::{BTreeMap, HashMap, HashSet};

use gatewright_contract::{
    BudgetUnit, CompileProblem, KeyUnit, LimitUnit, ModelUnit, OrganizationUnit, ProviderUnit, TeamUnit, UnitBody,
    UnitId, Whole, compile, key_problems,
};
use gatewright_types::api::{
    BudgetSpec, CredentialName, Document, KeyOwner, LimitScope, LimitSpec, ModelSettings, Route,
};
use gatewright_types::{BudgetId, CredentialId, DisplayName, KeyId, ModelName, PersonId, TeamId};

use super::caps_diff::{Cap, Caps};
use super::diff::{Differ, place, unsealed};
use super::named::Named;

type Units = BTreeMap<UnitId, UnitBody>;

impl Differ<'_> {
    pub(super) fn compile(&mut self, named: &Named, caps: &Caps) {
        let current = &self.current.organization;
        let organization = OrganizationUnit {
            slug: current.slug.clone(),
            traces: self.document.traces.unwrap_or(current.traces),
            tags: self.document.tags.clone().unwrap_or_else(|| current.tags.clone()),
        };
        let mut units = BTreeMap::from([(UnitId::Organization, UnitBody::Organization(organization))]);
        for (name, id) in &named.teams {
            // Where requests come from is nothing that is compiled.
            let unit = TeamUnit {
                name: name.clone(),
                ip_ranges: Vec::new(),
            };
            units.insert(UnitId::Team(*id), UnitBody::Team(unit));
        }
        self.add_providers(named, &mut units);
        self.add_models(&mut units);
        add_caps(caps, &mut units);
        let mut found = compile(self.current.organization.id, &units).err().unwrap_or_default();
        found.extend(keys_problems(caps, named, &self.holders(named)));
        let names = self
            .current
            .models
            .iter()
            .map(|row| (UnitId::Model(row.id), format!("models.{}", row.name)));
        let mut places: HashMap<_, _> = names.collect();
        places.extend(self.plan.places.clone());
        for problem in found {
            let problem = place(&places, problem);
            // What the document says twice or names in vain was told by itself.
            if !self.problems.iter().any(|told| told.path == problem.path) {
                self.problems.push(problem);
            }
        }
    }

    fn add_providers(&self, named: &Named, units: &mut Units) {
        let id_of = |provider, name: &DisplayName| {
            let name = name.clone();
            let found = named.credentials.get(&CredentialName { provider, name });
            found.copied().unwrap_or_else(CredentialId::mint)
        };
        let ids = self.ids();
        match &self.document.providers {
            Some(entries) => units.extend(entries.iter().enumerate().filter_map(|(index, entry)| {
                let unit = ids.get(format!("providers[{index}]").as_str())?;
                let credentials = entry.credentials.iter().map(|credential| {
                    let id = id_of(entry.name.clone(), &credential.name);
                    unsealed(id, credential.secret.kind())
                });
                let body = ProviderUnit {
                    name: entry.name.clone(),
                    kind: entry.kind,
                    base_url: entry.base_url.clone(),
                    settings: entry.settings.clone(),
                    network: None,
                    credentials: credentials.collect(),
                };
                Some((*unit, UnitBody::Provider(body)))
            })),
            None => units.extend(self.current.providers.iter().map(|(row, _)| {
                let credentials = row.credentials.iter();
                let body = ProviderUnit {
                    name: row.name.clone(),
                    kind: row.kind,
                    base_url: row.base_url.clone(),
                    settings: row.settings.clone(),
                    network: None,
                    credentials: credentials.map(|one| unsealed(one.id, one.kind)).collect(),
                };
                (UnitId::Provider(row.id), UnitBody::Provider(body))
            })),
        }
    }

    fn add_models(&self, units: &mut Units) {
        let ids = self.ids();
        match &self.document.models {
            Some(entries) => units.extend(entries.iter().enumerate().filter_map(|(index, entry)| {
                let unit = ids.get(format!("models[{index}]").as_str())?;
                Some((*unit, model(&entry.name, &entry.route, &entry.settings)))
            })),
            None => units.extend(
                self.current
                    .models
                    .iter()
                    .map(|row| (UnitId::Model(row.id), model(&row.name, &row.route, &row.settings))),
            ),
        }
    }

    fn ids(&self) -> HashMap<&str, UnitId> {
        let places = self.plan.places.iter();
        places.map(|(unit, place)| (place.as_str(), *unit)).collect()
    }

    fn holders(&self, named: &Named) -> HashMap<KeyId, Holder> {
        let current = self.current.keys.iter().map(|key| {
            let owner = key.owner.and_then(KeyOwner::person);
            let team = key.team;
            (key.id, Holder { team, owner })
        });
        let mut holders: HashMap<_, _> = current.collect();
        holders.extend(written_holders(self.document, named));
        holders
    }
}

/// Whose budgets a key's spending counts in besides its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holder {
    team: Option<TeamId>,
    owner: Option<PersonId>,
}

/// Of the keys that a document has.
pub(super) fn written_holders(document: &Document, named: &Named) -> HashMap<KeyId, Holder> {
    let keys = document.keys.iter().flatten();
    let holders = keys.filter_map(|entry| {
        let own = entry.team.as_ref().and_then(|team| named.teams.get(team)).copied();
        let account = entry.service_account.as_ref();
        let of_account = account.and_then(|account| named.account_teams.get(account).copied().flatten());
        let owner = entry.owner.as_ref().and_then(|email| named.people.get(email)).copied();
        let team = own.or(of_account);
        Some((*named.keys.get(&entry.name)?, Holder { team, owner }))
    });
    holders.collect()
}

fn model(name: &ModelName, route: &Route, settings: &ModelSettings) -> UnitBody {
    UnitBody::Model(ModelUnit {
        name: name.clone(),
        route: route.clone(),
        canaries: Vec::new(),
        settings: settings.clone(),
    })
}

/// All but those of keys.
pub(super) fn add_caps(caps: &Caps, units: &mut Units) {
    for cap in caps.budgets.iter().filter(|cap| !is_of_a_key(&cap.scope)) {
        units.insert(UnitId::Budget(cap.id), UnitBody::Budget(budget_unit(cap)));
    }
    for cap in caps.limits.iter().filter(|cap| !is_of_a_key(&cap.scope)) {
        units.insert(
            UnitId::Limit(cap.id),
            UnitBody::Limit(limit_unit(&cap.scope, &cap.spec)),
        );
    }
}

/// What is wrong with the budgets and limits of keys.
pub(super) fn keys_problems(caps: &Caps, named: &Named, holders: &HashMap<KeyId, Holder>) -> Vec<CompileProblem> {
    let mut keys: HashMap<KeyId, KeyUnit> = HashMap::new();
    let unit = |key| move || KeyUnit::new(key);
    for cap in &caps.budgets {
        if let LimitScope::Key(key) = cap.scope {
            let unit = keys.entry(key).or_insert_with(unit(key));
            unit.budgets.insert(cap.id, budget_unit(cap));
        }
    }
    for cap in &caps.limits {
        if let LimitScope::Key(key) = cap.scope {
            let unit = keys.entry(key).or_insert_with(unit(key));
            unit.limits.insert(cap.id, limit_unit(&cap.scope, &cap.spec));
        }
    }
    let teams: HashMap<_, _> = named.teams.iter().map(|(name, id)| (*id, name)).collect();
    let people: HashMap<_, _> = named.people.iter().map(|(email, id)| (*id, email)).collect();
    let models: HashSet<_> = named.models.iter().collect();
    let mut problems = Vec::new();
    for (key, unit) in &keys {
        let holder = holders.get(key).copied().unwrap_or_default();
        let wholes = caps.budgets.iter().filter_map(|cap| {
            let whose = match cap.scope {
                LimitScope::Organization => cap.scope.in_words(),
                LimitScope::Team(id) if holder.team == Some(id) => format!("team {}", teams.get(&id)?),
                LimitScope::User(id) if holder.owner == Some(id) => format!("user {}", people.get(&id)?),
                _ => return None,
            };
            let BudgetSpec { window, amount, .. } = cap.spec;
            Some(Whole { whose, window, amount })
        });
        let wholes: Vec<_> = wholes.collect();
        problems.extend(key_problems(unit, &wholes, |model| models.contains(model)));
    }
    problems
}

fn is_of_a_key(scope: &LimitScope) -> bool {
    matches!(scope, LimitScope::Key(_))
}

fn budget_unit(cap: &Cap<BudgetId, BudgetSpec>) -> BudgetUnit {
    BudgetUnit {
        scope: cap.scope.clone(),
        spec: cap.spec.clone(),
        increases: Vec::new(),
        since: None,
    }
}

fn limit_unit(scope: &LimitScope, spec: &LimitSpec) -> LimitUnit {
    LimitUnit {
        scope: scope.clone(),
        spec: spec.clone(),
    }
}
