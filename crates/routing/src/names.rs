//! What conditions can read, by the names that `gatewright-contract` declares.

use std::sync::OnceLock;

use gatewright_cel::Map;
use gatewright_cel::{Mapping, Names, Value};
use gatewright_types::{Slug, UpstreamModel};

use crate::Situation;
use crate::facts::Facts;
use crate::health::Look;
use crate::said::number;
use crate::situation::{BudgetView, dollars};

pub(crate) struct Known<'a> {
    facts: &'a Facts<'a>,
    deployments: Deployments<'a>,
}

/// Of the organization's deployments, how those do that were called from here.
struct Deployments<'a> {
    situation: &'a Situation<'a>,
    look: &'a Look,
    names: OnceLock<Vec<String>>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(facts: &'a Facts<'a>, look: &'a Look) -> Self {
        let situation = facts.situation;
        Self {
            facts,
            deployments: Deployments {
                situation,
                look,
                names: OnceLock::new(),
            },
        }
    }

    /// Without a budget, all of it is left.
    fn of_budget(&self, member: &str) -> Option<Value<'_>> {
        let budget = self.facts.situation.budget;
        Some(Value::Double(match member {
            "remaining_percent" => budget.map_or(100.0, BudgetView::remaining_percent),
            "remaining" => dollars(budget?.remaining()),
            "spent" => dollars(budget?.spent),
            "amount" => dollars(budget?.cap),
            _ => return None,
        }))
    }
}

impl Names for Known<'_> {
    fn find<'a>(&'a self, path: &str) -> Option<Value<'a>> {
        if let Some(member) = path.strip_prefix("budget.") {
            return self.of_budget(member);
        }
        match path {
            "now" => Some(self.facts.situation.now.into()),
            "health" => Some(Value::map(&self.deployments)),
            _ => self.facts.said.find(path),
        }
    }
}

impl Mapping for Deployments<'_> {
    fn length(&self) -> usize {
        self.names().len()
    }

    fn find(&self, key: &str) -> Option<Value<'_>> {
        let (provider, model) = key.split_once('/')?;
        let (provider, model) = (provider.parse::<Slug>().ok()?, model.parse::<UpstreamModel>().ok()?);
        let situation = self.situation;
        let provider = situation.caller.tenant.providers.get(&provider)?;
        let vitals = self.look.find(provider.id, &model)?;
        let latency = vitals.latency_micros(situation.now).map(|micros| micros / 1000);
        let members = [
            ("healthy".into(), (!vitals.is_open(situation.now)).into()),
            ("in_flight".into(), number(u64::from(vitals.in_flight()))),
            ("latency_ms".into(), number(latency.map_or(0, u64::from))),
        ];
        Some(Value::Map(Map::Made(members.into())))
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.names().iter().map(String::as_str))
    }
}

impl Deployments<'_> {
    fn names(&self) -> &[String] {
        self.names.get_or_init(|| {
            let providers = self.situation.caller.tenant.providers.values();
            let called = providers.flat_map(|provider| {
                let models = self.look.models(provider.id);
                models.map(|model| format!("{}/{model}", provider.name))
            });
            called.collect()
        })
    }
}
