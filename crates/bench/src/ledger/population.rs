//! Who makes the requests: one big organization with its configuration, as the bootstrap file says it and as the control
//! API tells it, and a few small ones that only stand beside it in the tables.

use anyhow::{Context, Result, ensure};
use gatewright_contract::{Budget, BudgetUnit};
use gatewright_types::api::{self, LimitScope, Which};
use gatewright_types::{KeyId, OrganizationId, Page, PersonId, TeamId};
use serde_json::{Value, json};

use super::random::Random;
use crate::control_api::ControlApi;
use crate::installation::{KEY, TOKEN};

pub(crate) const KEYS: usize = 300;
const TEAMS: usize = 12;
const OWNERS: u64 = 80;
const SMALL_ORGANIZATIONS: usize = 4;
const KEYS_OF_A_SMALL_ONE: usize = 5;
/// Every so many keys have a budget of their own.
const KEYS_FOR_A_BUDGET: usize = 8;
/// Models that a key's application calls.
pub(crate) const MODELS_OF_A_KEY: usize = 3;

pub(crate) const PROVIDERS: [&str; 6] = [
    "openai-main",
    "openai-eu",
    "anthropic-main",
    "bedrock-eu",
    "google-main",
    "mistral-main",
];

/// A model of the organizations, and what it costs in pico-dollars a token.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) upstream: &'static str,
    /// Where in `PROVIDERS` it is, and where whoever stands in for it is.
    pub(crate) providers: [usize; 2],
    pub(crate) input: i64,
    pub(crate) output: i64,
}

pub(crate) const MODELS: [Model; 10] = [
    model("fast", "gpt-4o-mini", [0, 1], 150_000, 600_000),
    model("smart", "claude-sonnet-4-5", [2, 3], 3_000_000, 15_000_000),
    model("cheap", "gemini-2.5-flash-lite", [4, 4], 100_000, 400_000),
    model("long", "gemini-2.5-pro", [4, 4], 1_250_000, 10_000_000),
    model("code", "claude-opus-4-5", [2, 3], 5_000_000, 25_000_000),
    model("embed", "text-embedding-3-small", [0, 1], 20_000, 0),
    model("vision", "gpt-4o", [0, 1], 2_500_000, 10_000_000),
    model("reason", "o3-mini", [0, 1], 1_100_000, 4_400_000),
    model("european", "mistral-large-latest", [5, 5], 2_000_000, 6_000_000),
    RARE,
];
/// One that hardly anybody calls any more, one request in `RARELY`.
const RARE: Model = model("legacy", "gpt-4-turbo", [0, 1], 10_000_000, 30_000_000);
pub(crate) const RARELY: u64 = 100_000;
pub(crate) const RARE_MODEL: usize = MODELS.len() - 1;
pub(crate) const BUSY_MODEL: usize = 0;

#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) big: Organization,
    pub(crate) small: Vec<Organization>,
}

#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) id: OrganizationId,
    pub(crate) callers: Vec<Caller>,
    /// Sums of the callers' parts of the requests, each with all before it.
    sums: Vec<f64>,
    pub(crate) budgets: Vec<Budget>,
}

/// An application with its key.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) key: KeyId,
    pub(crate) team: Option<TeamId>,
    pub(crate) owner: Option<PersonId>,
    pub(crate) models: [usize; MODELS_OF_A_KEY],
    /// Whether it says whom it answers, and for what.
    pub(crate) names_users: bool,
    pub(crate) has_tags: bool,
    /// Where in the organization's budgets those are that it is met by, whoever it answers.
    pub(crate) budgets: Vec<usize>,
}

const fn model(name: &'static str, upstream: &'static str, providers: [usize; 2], input: i64, output: i64) -> Model {
    Model {
        name,
        upstream,
        providers,
        input,
        output,
    }
}

/// The bootstrap file of the big organization.
pub(crate) fn configuration() -> Value {
    let budget = |amount: &str, window: &str| json!({"amount": amount, "window": window});
    let providers = PROVIDERS.map(|name| json!({"name": name, "kind": "sandbox"}));
    let target = |model: &Model| {
        let [provider, _] = model.providers.map(|provider| PROVIDERS[provider]);
        format!("{provider}/{}", model.upstream)
    };
    let models: Vec<_> = MODELS
        .iter()
        .map(|model| json!({"name": model.name, "route": {"target": target(model)}}))
        .collect();
    let teams: Vec<_> = (0..TEAMS).map(|team| json!({"name": team_name(team)})).collect();
    let key = |number: usize| json!({"name": key_name(number), "team": team_name(number % TEAMS)});
    let load = json!({"name": "load", "secret": {"value": KEY}});
    let keys: Vec<_> = (0..KEYS).map(key).chain([load]).collect();
    let scoped = |scope: Value, mut budget: Value| {
        budget["scope"] = scope;
        budget
    };
    let of_all = scoped(json!("organization"), budget("1000000", "month"));
    let of_users = scoped(json!({"end_user": {"each": true}}), budget("100", "month"));
    let of_teams = (0..TEAMS).map(|team| scoped(json!({"team": team_name(team)}), budget("100000", "month")));
    let of_keys = (0..KEYS)
        .step_by(KEYS_FOR_A_BUDGET)
        .map(|number| scoped(json!({"key": key_name(number)}), budget("10000", "day")));
    let budgets: Vec<_> = [of_all, of_users].into_iter().chain(of_teams).chain(of_keys).collect();
    json!({
        "version": 1,
        "organization": "bench",
        "providers": providers,
        "models": models,
        "teams": teams,
        "tokens": [{"name": "bench", "role": "admin", "secret": {"value": TOKEN}}],
        "keys": keys,
        "budgets": budgets,
    })
}

impl Population {
    /// The identifiers that the installation gave out.
    pub(crate) async fn of(api: &ControlApi, random: &mut Random) -> Result<Self> {
        let organization: api::Organization = api.read("").await?;
        let mut keys = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Page<api::Key> = api.read(&format!("/keys?limit=200{cursor}")).await?;
            keys.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        keys.retain(|key| key.team.is_some());
        keys.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
        ensure!(keys.len() == KEYS, "{} keys were made", keys.len());
        let budgets: Page<api::Budget> = api.read("/budgets?limit=200").await?;
        let budgets = budgets.items.into_iter().map(|budget| compiled(&budget));
        let budgets: Vec<_> = budgets.collect::<Result<_>>()?;
        let owners: Vec<_> = (0..OWNERS).map(|_| PersonId::mint()).collect();
        let callers = keys.into_iter().enumerate().map(|(number, key)| Caller {
            budgets: met_by(&budgets, &key),
            owner: owners.get(number % owners.len()).copied().filter(|_| number % 3 > 0),
            ..caller(key.id, key.team, random)
        });
        let callers = callers.collect();
        let big = Organization::new(organization.id, callers, budgets);
        let small = (0..SMALL_ORGANIZATIONS).map(|_| {
            let callers = (0..KEYS_OF_A_SMALL_ONE).map(|_| caller(KeyId::mint(), None, random));
            let callers = callers.collect();
            Organization::new(OrganizationId::mint(), callers, Vec::new())
        });
        let small = small.collect();
        Ok(Self { big, small })
    }
}

impl Organization {
    /// The first keys are the busiest: a caller's part is about one by its place.
    fn new(id: OrganizationId, callers: Vec<Caller>, budgets: Vec<Budget>) -> Self {
        let mut sum = 0.0;
        let sums = (0..callers.len()).map(|place| {
            sum += 1.0 / (place as f64 + 5.0);
            sum
        });
        let sums = sums.collect();
        Self {
            id,
            callers,
            sums,
            budgets,
        }
    }

    pub(crate) fn any_caller(&self, random: &mut Random) -> Option<&Caller> {
        let all = self.sums.last()?;
        let at = random.part() * all;
        self.callers.get(self.sums.partition_point(|sum| *sum < at))
    }

    pub(crate) fn busiest(&self) -> Option<&Caller> {
        self.callers.first()
    }

    pub(crate) fn idlest(&self) -> Option<&Caller> {
        self.callers.last()
    }
}

fn caller(key: KeyId, team: Option<TeamId>, random: &mut Random) -> Caller {
    let usual = RARE_MODEL as u64;
    Caller {
        key,
        team,
        owner: None,
        models: std::array::from_fn(|_| random.index(usual)),
        names_users: random.one_in(3),
        has_tags: random.one_in(3),
        budgets: Vec::new(),
    }
}

fn compiled(budget: &api::Budget) -> Result<Budget> {
    let unit = BudgetUnit {
        scope: budget.scope.clone(),
        spec: budget.spec.clone(),
        increases: Vec::new(),
        since: Some(budget.created_at),
    };
    Budget::compiled(budget.id, &unit).with_context(|| format!("the budget of {} does not compile", budget.scope_name))
}

fn met_by(budgets: &[Budget], key: &api::Key) -> Vec<usize> {
    let meets = |budget: &Budget| match &budget.scope {
        LimitScope::Organization => true,
        LimitScope::Team(team) => key.team == Some(*team),
        LimitScope::Key(id) => key.id == *id,
        LimitScope::EndUser(Which::Each(_) | Which::One(_))
        | LimitScope::User(_)
        | LimitScope::Tag(_)
        | LimitScope::Provider(_)
        | LimitScope::Model(_)
        | LimitScope::Credential(_) => false,
    };
    let all = budgets.iter().enumerate();
    all.filter_map(|(place, budget)| meets(budget).then_some(place))
        .collect()
}

fn team_name(number: usize) -> String {
    format!("Team {number:02}")
}

fn key_name(number: usize) -> String {
    format!("application {number:03}")
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::Document;

    use super::*;

    #[test]
    fn the_bootstrap_file_is_one_the_server_reads() {
        let document: Document = serde_json::from_value(configuration()).expect("a document");

        assert_eq!(document.keys.map(|keys| keys.len()), Some(KEYS + 1));
        assert_eq!(document.models.map(|models| models.len()), Some(MODELS.len()));
    }
}
