//! An organization with a model that has a given route, and requests for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{
    Caller, Catalog, KeyEntry, Model, ModelUnit, OrganizationUnit, ProviderUnit, Tenant, UnitBody, UnitId, compile,
};
use gatewright_llm::Request;
use gatewright_llm::dialect::PathFacts;
use gatewright_routing::{
    Asked, BudgetView, Headers, Health, Plan, Situation, Turns, Unroutable, Vitals, route, route_and_tell,
};
use gatewright_types::api::{Dialect, ProviderKind, ProviderSettings, Route, RouteDecision};
use gatewright_types::{KeyId, ModelId, OrganizationId, ProviderId, Slug};
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) caller: Caller,
    pub(crate) model: Arc<Model>,
    pub(crate) headers: Headers,
    pub(crate) health: Health,
    pub(crate) turns: Turns,
    pub(crate) catalog: Catalog,
    pub(crate) budget: Option<BudgetView>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) request: Request,
}

impl World {
    /// Every provider that the route names is there.
    pub(crate) fn with(written: Value) -> Self {
        Self::with_units(written, [])
    }

    /// With these resources besides; a provider among them is the one that the route names.
    pub(crate) fn with_units(written: Value, more: impl IntoIterator<Item = (UnitId, UnitBody)>) -> Self {
        let read: Route = serde_json::from_value(written).expect("a route");
        let mut units = BTreeMap::from([(
            UnitId::Organization,
            UnitBody::Organization(OrganizationUnit::new(slug("acme"))),
        )]);
        units.extend(more);
        for (_, leaf) in read.targets() {
            let name = &leaf.target.provider;
            let known = |body: &UnitBody| matches!(body, UnitBody::Provider(unit) if unit.name == *name);
            if units.values().any(known) {
                continue;
            }
            let unit = ProviderUnit {
                name: name.clone(),
                kind: ProviderKind::Openai,
                base_url: None,
                settings: ProviderSettings::default(),
                network: None,
                credentials: Vec::new(),
            };
            units.insert(UnitId::Provider(ProviderId::mint()), UnitBody::Provider(unit));
        }
        let model = ModelUnit {
            name: "m".parse().expect("a name"),
            route: read,
            canaries: Vec::new(),
            settings: Default::default(),
        };
        units.insert(UnitId::Model(ModelId::mint()), UnitBody::Model(model));
        let organization = OrganizationId::mint();
        let tenant = compile(organization, &units).expect("it compiles");
        Self::of(tenant)
    }

    fn of(tenant: Tenant) -> Self {
        let key = KeyEntry::new(tenant.id, KeyId::mint());
        Self {
            model: tenant.models.get("m").expect("it was made").clone(),
            caller: Caller {
                tenant: Arc::new(tenant),
                key: Arc::new(key),
            },
            headers: Headers::default(),
            health: Health::default(),
            turns: Turns::default(),
            catalog: Catalog::embedded(),
            budget: None,
            now: "2026-11-30T06:00:00Z".parse().expect("a time"),
            request: chat(json!({})),
        }
    }

    pub(crate) fn decide(&self, dice: u64) -> Result<Plan, Unroutable> {
        route(&self.situation(dice))
    }

    pub(crate) fn explain(&self, dice: u64) -> RouteDecision {
        let mut decision = RouteDecision::default();
        let told = route_and_tell(&self.situation(dice), &mut decision).map(|plan| names(&plan));
        let again = self.decide(dice).map(|plan| names(&plan));
        assert_eq!(told, again, "telling changes nothing");
        decision
    }

    pub(crate) fn situation(&self, dice: u64) -> Situation<'_> {
        Situation {
            caller: &self.caller,
            model: &self.model,
            needs: None,
            asked: Asked {
                request: Some(&self.request),
                headers: &self.headers,
            },
            health: &self.health,
            turns: &self.turns,
            catalog: &self.catalog,
            budget: self.budget,
            now: self.now,
            dice,
        }
    }

    pub(crate) fn first(&self, dice: u64) -> String {
        self.order(dice).swap_remove(0)
    }

    /// The targets in the order in which they are tried.
    pub(crate) fn order(&self, dice: u64) -> Vec<String> {
        names(&self.decide(dice).expect("a plan"))
    }

    /// How often each target comes first.
    pub(crate) fn share(&self, requests: u64) -> BTreeMap<String, u64> {
        let mut count = BTreeMap::new();
        for dice in 0..requests {
            let first = self.order(dice).first().expect("a plan is not empty").clone();
            *count.entry(first).or_default() += 1;
        }
        count
    }

    /// The provider's deployment fails too often, for a minute.
    pub(crate) fn open(&self, provider: &str, model: &str) {
        self.vitals(provider, model)
            .open_until(self.now + TimeDelta::minutes(1));
    }

    pub(crate) fn vitals(&self, provider: &str, model: &str) -> Arc<Vitals> {
        let provider = self.caller.tenant.providers.get(provider).expect("it is there");
        self.health.of(provider.id, &model.parse().expect("a name"), self.now)
    }
}

pub(crate) fn names(plan: &Plan) -> Vec<String> {
    let name = |leg: &gatewright_routing::Leg| format!("{}/{}", leg.target.provider.name, leg.target.model);
    plan.legs.iter().map(name).collect()
}

/// A request with these members besides the usual ones.
pub(crate) fn chat(members: Value) -> Request {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    if let (Some(body), Value::Object(members)) = (body.as_object_mut(), members) {
        body.extend(members);
    }
    Request::parse(Dialect::OpenaiChat, body.to_string().into(), PathFacts::default()).expect("a request")
}

fn slug(text: &str) -> Slug {
    text.parse().expect("a slug")
}
