//! The configuration of all tenants at one revision, as the request path reads it. Applying changes makes a new
//! snapshot that shares everything untouched with the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_llm::{Catalog, Edition};
use gatewright_types::{CatalogRefreshId, DisplayName, KeyId, ModelName, OrganizationId, PersonId, TagName, TeamId};

use crate::cow_map::DigestState;
use crate::{
    Caps, CompileProblem, CowMap, Digest, KeyRules, KeyUnit, Revision, Tenant, Unit, UnitBody, UnitId, compile,
    key_caps,
};

/// Everything a proxy knows of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    revision: Revision,
    organizations: CowMap<OrganizationId, Arc<OrganizationState>>,
    keys: CowMap<Digest, Arc<KeyEntry>, DigestState>,
    editions: BTreeMap<CatalogRefreshId, Arc<Edition>>,
    /// Made of the editions.
    catalog: Catalog,
}

/// Who calls: a key, and the tenant it belongs to.
#[derive(Debug, Clone)]
pub struct Caller {
    pub tenant: Arc<Tenant>,
    pub key: Arc<KeyEntry>,
}

/// What a node knows of a key.
#[derive(Debug, PartialEq)]
pub struct KeyEntry {
    pub organization: OrganizationId,
    pub id: KeyId,
    pub name: Option<DisplayName>,
    pub team: Option<TeamId>,
    /// The models the key may call; all when absent.
    pub models: Option<Box<[ModelName]>>,
    /// Whether its requests may ask for failures made on purpose.
    pub faults: bool,
    pub expires_at: Option<DateTime<Utc>>,
    /// Whose key it is; absent for a service's.
    pub owner: Option<PersonId>,
    /// What its requests are tagged with, whatever they say. Absent for most.
    pub tags: Option<Box<BTreeMap<TagName, DisplayName>>>,
    /// What it may do and from where. Absent for most.
    pub rules: Option<Box<KeyRules>>,
    /// Its own budgets and limits. Absent for most.
    pub caps: Option<Box<Caps>>,
}

#[derive(Debug, Clone, Default)]
struct OrganizationState {
    units: BTreeMap<UnitId, UnitBody>,
    /// The last tenant that compiled.
    tenant: Option<Arc<Tenant>>,
}

/// A new snapshot, and the tenants that keep their last good value because their units do not compile.
#[derive(Debug)]
pub struct Applied {
    pub snapshot: Snapshot,
    pub problems: Vec<(OrganizationId, Vec<CompileProblem>)>,
}

impl Snapshot {
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// What is publicly known of models, as far as the installation approved it.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub const fn key_count(&self) -> usize {
        self.keys.len()
    }

    pub const fn organization_count(&self) -> usize {
        self.organizations.len()
    }

    /// The key's entry and its tenant. `None` for an unknown key; `Some(Err)` for a key whose tenant never compiled.
    pub fn caller(&self, digest: &Digest) -> Option<Result<Caller, OrganizationId>> {
        let key = self.keys.get(digest)?.clone();
        let tenant = self.tenant(key.organization);
        Some(
            tenant
                .map(|tenant| Caller {
                    tenant,
                    key: key.clone(),
                })
                .ok_or(key.organization),
        )
    }

    pub fn tenant(&self, organization: OrganizationId) -> Option<Arc<Tenant>> {
        self.organizations
            .get(&organization)
            .and_then(|state| state.tenant.clone())
    }

    /// Every tenant that ever compiled.
    pub fn tenants(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.organizations.iter().filter_map(|(_, state)| state.tenant.as_ref())
    }

    /// The snapshot after these units, whatever their order; of two for one resource the later one in the list wins.
    pub fn apply(&self, units: impl IntoIterator<Item = Unit>) -> Applied {
        let mut next = self.clone();
        let mut touched = BTreeMap::<OrganizationId, OrganizationState>::new();
        let mut removed = BTreeSet::new();
        let mut problems = Vec::new();
        for unit in units {
            next.revision = next.revision.max(unit.revision);
            if let UnitId::Key(digest) = unit.id {
                let organization = unit.organization;
                if let Err(found) = next.apply_key(digest, unit) {
                    problems.push((organization, found));
                }
                continue;
            }
            if let UnitId::Catalog(id) = unit.id {
                if let Err(problem) = next.apply_edition(id, unit) {
                    problems.push((OrganizationId::INSTALLATION, vec![problem]));
                }
                continue;
            }
            let organization = unit.organization;
            let state = touched.entry(organization).or_insert_with(|| next.state(organization));
            match unit.body {
                Some(body) => state.units.insert(unit.id, body),
                None => state.units.remove(&unit.id),
            };
            if unit.id == UnitId::Organization {
                match state.units.contains_key(&UnitId::Organization) {
                    true => removed.remove(&organization),
                    false => removed.insert(organization),
                };
            }
        }

        for (organization, mut state) in touched {
            if removed.contains(&organization) {
                next.organizations.remove(&organization);
                continue;
            }
            match compile(organization, &state.units) {
                Ok(tenant) => state.tenant = Some(Arc::new(tenant)),
                Err(found) => problems.push((organization, found)),
            }
            next.organizations.insert(organization, Arc::new(state));
        }
        Applied {
            snapshot: next,
            problems,
        }
    }

    fn state(&self, organization: OrganizationId) -> OrganizationState {
        self.organizations
            .get(&organization)
            .map(|state| (**state).clone())
            .unwrap_or_default()
    }

    /// An edition that cannot be read changes nothing.
    fn apply_edition(&mut self, id: CatalogRefreshId, unit: Unit) -> Result<(), CompileProblem> {
        match unit.body {
            Some(UnitBody::Catalog(catalog)) => {
                let (edition, _) = Edition::read(&catalog.document).map_err(|error| CompileProblem {
                    unit: unit.id,
                    field: "document".to_owned(),
                    message: error.to_string(),
                })?;
                let edition = edition.published(&catalog.version, catalog.effective_from);
                self.editions.insert(id, Arc::new(edition));
            }
            _ => {
                self.editions.remove(&id);
            }
        }
        self.catalog = Catalog::with(self.editions.values().cloned().collect());
        Ok(())
    }

    /// A key whose limits cannot be read stays as it was.
    fn apply_key(&mut self, digest: Digest, unit: Unit) -> Result<(), Vec<CompileProblem>> {
        match unit.body {
            Some(UnitBody::Key(key)) => {
                let entry = KeyEntry::read(unit.organization, key).map_err(|wrong| {
                    let wrong = wrong.into_iter();
                    let of_key = |(field, message)| CompileProblem {
                        unit: unit.id,
                        field,
                        message,
                    };
                    wrong.map(of_key).collect::<Vec<_>>()
                })?;
                self.keys.insert(digest, Arc::new(entry));
            }
            _ => {
                self.keys.remove(&digest);
            }
        }
        Ok(())
    }
}

impl KeyEntry {
    /// A key of the organization that may call everything.
    pub const fn new(organization: OrganizationId, id: KeyId) -> Self {
        Self {
            organization,
            id,
            name: None,
            team: None,
            models: None,
            expires_at: None,
            faults: false,
            owner: None,
            tags: None,
            rules: None,
            caps: None,
        }
    }

    fn read(organization: OrganizationId, unit: KeyUnit) -> Result<Self, Vec<(String, String)>> {
        let caps = key_caps(&unit)?;
        let KeyUnit {
            id,
            name,
            team,
            models,
            expires_at,
            faults,
            owner,
            tags,
            scopes,
            disabled,
            former_until,
            budgets: _,
            limits: _,
        } = unit;
        let rules = KeyRules {
            scopes,
            disabled,
            former_until,
        };
        Ok(Self {
            organization,
            id,
            name,
            team,
            models: models.map(Vec::into_boxed_slice),
            expires_at,
            faults,
            owner,
            tags: (!tags.is_empty()).then(|| Box::new(tags)),
            rules: (!rules.is_open()).then(|| Box::new(rules)),
            caps: (!caps.is_empty()).then(|| Box::new(caps)),
        })
    }

    /// Whether the key may call the model.
    pub fn allows(&self, model: &str) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.iter().any(|name| name.as_str() == model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelUnit, OrganizationUnit};

    fn unit(organization: OrganizationId, revision: u64, id: UnitId, body: Option<UnitBody>) -> Unit {
        Unit {
            organization,
            id,
            revision: Revision(revision),
            body,
        }
    }

    fn organization_body() -> UnitBody {
        UnitBody::Organization(OrganizationUnit::new("acme".parse().expect("a slug")))
    }

    fn key_body(id: KeyId) -> UnitBody {
        UnitBody::Key(KeyUnit::new(id))
    }

    #[test]
    fn a_key_is_found_by_its_digest_until_its_tombstone() {
        let (organization, key, digest) = (OrganizationId::mint(), KeyId::mint(), Digest::of(b"secret"));
        let made = Snapshot::default()
            .apply([
                unit(organization, 1, UnitId::Organization, Some(organization_body())),
                unit(organization, 2, UnitId::Key(digest), Some(key_body(key))),
            ])
            .snapshot;

        let gone = made.apply([unit(organization, 3, UnitId::Key(digest), None)]).snapshot;

        let caller = made
            .caller(&digest)
            .expect("the key is known")
            .expect("its tenant compiled");
        assert_eq!((caller.key.id, caller.tenant.id), (key, organization));
        assert!(gone.caller(&digest).is_none());
        assert_eq!(gone.revision(), Revision(3));
    }

    #[test]
    fn a_tenant_that_stops_compiling_keeps_its_last_good_value() {
        let organization = OrganizationId::mint();
        let good = Snapshot::default()
            .apply([unit(organization, 1, UnitId::Organization, Some(organization_body()))])
            .snapshot;
        let broken = ModelUnit {
            name: "fast".parse().expect("a model name"),
            route: gatewright_types::api::Route::to("missing/x".parse().expect("a target")),
            canaries: Vec::new(),
            settings: gatewright_types::api::ModelSettings::default(),
        };
        let id = UnitId::Model(gatewright_types::ModelId::mint());

        let applied = good.apply([unit(organization, 2, id, Some(UnitBody::Model(broken)))]);

        assert_eq!(applied.problems.len(), 1);
        assert_eq!(applied.snapshot.tenant(organization), good.tenant(organization));
    }

    #[test]
    fn an_edition_of_the_catalogue_prices_until_its_tombstone_and_a_broken_one_changes_nothing() {
        let at: DateTime<Utc> = "2026-11-26T10:00:00Z".parse().expect("a time");
        let catalog = |revision, id, body: Option<&str>| {
            let body = body.map(|document| {
                UnitBody::Catalog(crate::CatalogUnit {
                    version: "catalogue@2026-11-20#0a".to_owned(),
                    effective_from: at,
                    document: document.to_owned(),
                })
            });
            unit(OrganizationId::INSTALLATION, revision, UnitId::Catalog(id), body)
        };
        let document = r#"{"schema":1,"unit":"USD per token","as_of":"2026-11-20","models":[
            {"id":"echo","provider":"sandbox","price":{"in":5e-06,"out":5e-06}}]}"#;
        let version = |snapshot: &Snapshot| {
            let price = snapshot
                .catalog()
                .lookup(gatewright_types::api::ProviderKind::Sandbox, "echo", at);
            price.map(|price| price.version.to_string())
        };
        let id = CatalogRefreshId::mint();

        let approved = Snapshot::default().apply([catalog(1, id, Some(document))]).snapshot;
        let broken = approved.apply([catalog(2, CatalogRefreshId::mint(), Some("{"))]);
        let gone = broken.snapshot.apply([catalog(3, id, None)]).snapshot;

        assert_eq!(version(&Snapshot::default()).as_deref(), Some("catalogue@2026-11-01"));
        assert_eq!(version(&approved).as_deref(), Some("catalogue@2026-11-20#0a"));
        assert_eq!(approved.organization_count(), 0);
        assert_eq!(broken.problems.len(), 1);
        assert_eq!(version(&broken.snapshot), version(&approved));
        assert_eq!(version(&gone), version(&Snapshot::default()));
    }

    #[test]
    fn a_removed_organization_takes_its_tenant_along() {
        let organization = OrganizationId::mint();
        let digest = Digest::of(b"secret");
        let there = Snapshot::default()
            .apply([
                unit(organization, 1, UnitId::Organization, Some(organization_body())),
                unit(organization, 2, UnitId::Key(digest), Some(key_body(KeyId::mint()))),
            ])
            .snapshot;

        let gone = there
            .apply([unit(organization, 3, UnitId::Organization, None)])
            .snapshot;

        assert!(gone.tenant(organization).is_none());
        assert_eq!(
            gone.caller(&digest).map(|found| found.map(|_| ())),
            Some(Err(organization))
        );
    }
}
