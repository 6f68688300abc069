//! From what is written of budgets and limits to what nodes count by.

use std::collections::{BTreeMap, HashMap, HashSet};

use gatewright_cel::{Expression, Zone};
use gatewright_types::api::{
    BudgetAction, BudgetSpec, BudgetWindow, Each, LimitScope, LimitSpec, TagRule, TagScope, Which,
};
use gatewright_types::{BudgetId, HumanDuration, LimitId, ModelName, Nanos};

use crate::caps::{Budget, CapsByScope, RateLimit};
use crate::condition::unit_expression;
use crate::{BudgetUnit, CompileProblem, LimitUnit, MetPeriods, UnitBody, UnitId};

const SHORTEST_ROLLING: HumanDuration = HumanDuration::from_millis(3_600_000);
const LONGEST_ROLLING: HumanDuration = HumanDuration::from_millis(90 * 86_400_000);
/// The last day that every month has.
const LAST_FIRST_DAY: u8 = 28;
const MOST_ALERTS: usize = 10;
const HIGHEST_ALERT: u16 = 1_000;

/// What is wrong with a field.
type Wrong = (String, String);
/// What is written, or everything that is wrong with it.
type Checked<T> = Result<T, Vec<Wrong>>;

/// All but those of keys. What they name is looked for among the units.
pub(super) fn caps(units: &BTreeMap<UnitId, UnitBody>, problems: &mut Vec<CompileProblem>) -> CapsByScope {
    let names = Names::of(units);
    let mut caps = CapsByScope::default();
    let mut budgets: HashMap<(&LimitScope, BudgetWindow), Nanos> = HashMap::new();
    let mut limits = HashSet::new();
    let mut note = |unit: UnitId, wrong: Vec<Wrong>| {
        let found = wrong.into_iter();
        problems.extend(found.map(|(field, message)| CompileProblem { unit, field, message }));
    };
    for (unit, body) in units {
        match (unit, body) {
            (UnitId::Budget(id), UnitBody::Budget(spec)) => {
                let mut wrong = names.missing(&spec.scope);
                if budgets
                    .insert((&spec.scope, spec.spec.window), spec.spec.amount)
                    .is_some()
                {
                    wrong.push(second_budget());
                }
                wrong.extend(lost_downgrade(&spec.spec, |model| {
                    names.models.contains(model.as_str())
                }));
                match budget(*id, spec) {
                    Ok(budget) if wrong.is_empty() => caps.add_budget(budget),
                    Ok(_) => {}
                    Err(found) => wrong.extend(found),
                }
                note(*unit, wrong);
            }
            (UnitId::Limit(id), UnitBody::Limit(spec)) => {
                let mut wrong = names.missing(&spec.scope);
                if !limits.insert((&spec.scope, spec.spec.shadow)) {
                    wrong.push(second_limit());
                }
                match rate_limit(*id, spec) {
                    Ok(limit) if wrong.is_empty() => caps.add_limit(limit),
                    Ok(_) => {}
                    Err(found) => wrong.extend(found),
                }
                note(*unit, wrong);
            }
            _ => {}
        }
    }
    for (unit, body) in units {
        let UnitBody::Budget(spec) = body else { continue };
        let whole = budgets.get(&(&LimitScope::Organization, spec.spec.window));
        if let Some(whole) = whole.filter(|whole| spec.spec.amount > **whole) {
            note(*unit, vec![too_much("the organization", *whole)]);
        }
    }
    caps
}

/// What is wrong with an amount that is more than that of what it is a part of.
pub(super) fn too_much(whole: &str, amount: Nanos) -> Wrong {
    let message = format!("is more than the {amount} USD that {whole} has for the same window");
    ("amount".to_owned(), message)
}

pub(super) fn second_budget() -> Wrong {
    let message = "has a budget of this scope already: change that one";
    ("window".to_owned(), message.to_owned())
}

pub(super) fn second_limit() -> Wrong {
    ("scope".to_owned(), "has a limit already: change that one".to_owned())
}

/// A budget that sends requests to a model that is not there.
pub(super) fn lost_downgrade(spec: &BudgetSpec, is_model: impl Fn(&ModelName) -> bool) -> Option<Wrong> {
    match &spec.action {
        BudgetAction::Downgrade(model) if !is_model(model) => Some((
            "action.downgrade".to_owned(),
            format!("there is no model named {model}"),
        )),
        BudgetAction::Downgrade(_) | BudgetAction::Block | BudgetAction::Warn | BudgetAction::Ask => None,
    }
}

/// One budget, whatever it names.
pub(crate) fn budget(id: BudgetId, unit: &BudgetUnit) -> Checked<Budget> {
    let BudgetUnit {
        scope,
        spec,
        increases,
        since,
    } = unit;
    let wrong = budget_problems(spec);
    match Zone::named(spec.time_zone.as_str()) {
        Ok(zone) if wrong.is_empty() => Ok(Budget {
            id,
            scope: scope.clone(),
            spec: spec.clone(),
            zone,
            since: *since,
            increases: increases
                .iter()
                .map(|increase| (increase.amount.get(), increase.expires_at.timestamp_millis()))
                .collect(),
            met: MetPeriods::default(),
        }),
        Ok(_) | Err(_) => Err(wrong),
    }
}

/// One limit, whatever it names.
pub(crate) fn rate_limit(id: LimitId, unit: &LimitUnit) -> Checked<RateLimit> {
    let LimitUnit { scope, spec } = unit;
    let mut wrong = limit_problems(spec);
    if spec.wait.is_some() && matches!(scope, LimitScope::Provider(_) | LimitScope::Credential(_)) {
        let message = "says nothing here: where a provider has nothing left, the next target is asked";
        wrong.push(("wait".to_owned(), message.to_owned()));
    }
    match units(spec) {
        Ok(units) if wrong.is_empty() => Ok(RateLimit {
            id,
            scope: scope.clone(),
            spec: spec.clone(),
            units,
        }),
        Ok(_) | Err(_) => Err(wrong),
    }
}

/// What is wrong with what is written of a limit, by field, whatever it is for.
pub fn limit_problems(spec: &LimitSpec) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut note = |field: &str, message: String| wrong.push((field.to_owned(), message));
    let LimitSpec {
        rpm,
        rph,
        rpd,
        tpm,
        tph,
        tpd,
        concurrency,
        units: _,
        wait,
        blocked,
        shadow,
        when_unavailable: _,
    } = spec;
    let of_tokens = [("tpm", tpm), ("tph", tph), ("tpd", tpd)];
    let of_requests = [("rpm", rpm), ("rph", rph), ("rpd", rpd), ("concurrency", concurrency)];
    let all = of_requests.into_iter().chain(of_tokens);
    let has_numbers = all.clone().any(|(_, most)| most.is_some());
    if !has_numbers && !blocked {
        let message = "a limit limits something: say `rpm`, `tpm` or `concurrency`, for one, or `blocked: true`";
        note("rpm", message.to_owned());
    }
    if has_numbers && *blocked {
        note("blocked", "leaves nothing to count: leave the numbers out".to_owned());
    }
    match wait {
        Some(wait) if *wait > LONGEST_WAIT => note("wait", format!("is {LONGEST_WAIT} at most")),
        Some(_) if *shadow || *blocked => {
            note("wait", "only says something of a limit that lets through".to_owned());
        }
        Some(_) | None => {}
    }
    for (field, _) in all.filter(|(_, most)| most.is_some_and(|most| most > LARGEST_LIMIT)) {
        note(field, format!("is {LARGEST_LIMIT} at most"));
    }
    if spec.units.is_some() && of_tokens.iter().all(|(_, most)| most.is_none()) {
        note("units", "only says something with `tpm`, `tph` or `tpd`".to_owned());
    }
    if let Err(problem) = units(spec) {
        note("units", problem.to_string());
    }
    wrong
}

fn units(spec: &LimitSpec) -> Result<Option<Expression>, gatewright_cel::Problem> {
    spec.units.as_deref().map(unit_expression).transpose()
}

/// Clients and what stands between would give up.
const LONGEST_WAIT: HumanDuration = HumanDuration::from_millis(60_000);
/// More cannot be counted exactly.
const LARGEST_LIMIT: u64 = 1_000_000_000_000;

/// What is wrong with what is written of a budget, by field, whatever it is for.
pub fn budget_problems(spec: &BudgetSpec) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut note = |field: &str, message: String| wrong.push((field.to_owned(), message));
    if spec.amount < Nanos::ZERO {
        note("amount", "must not be negative".to_owned());
    }
    if spec.amount > BudgetSpec::LARGEST {
        note("amount", format!("must be at most {} USD", BudgetSpec::LARGEST));
    }
    match (spec.soft, &spec.action) {
        (Some(_), BudgetAction::Block | BudgetAction::Warn | BudgetAction::Ask) => {
            note(
                "soft",
                "only says something with `action: {downgrade: MODEL}`".to_owned(),
            );
        }
        (Some(soft), BudgetAction::Downgrade(_)) if soft >= spec.amount || soft < Nanos::ZERO => {
            note("soft", "must be less than `amount`".to_owned());
        }
        (Some(_) | None, _) => {}
    }
    match spec.window {
        BudgetWindow::FiscalMonth { starts_on } if !(1..=LAST_FIRST_DAY).contains(&starts_on) => {
            note(
                "window.fiscal_month.starts_on",
                format!("must be from 1 to {LAST_FIRST_DAY}"),
            );
        }
        BudgetWindow::Rolling(length) if !(SHORTEST_ROLLING..=LONGEST_ROLLING).contains(&length) => {
            note(
                "window.rolling",
                format!("must be from {SHORTEST_ROLLING} to {LONGEST_ROLLING}"),
            );
        }
        BudgetWindow::Hour
        | BudgetWindow::Day
        | BudgetWindow::Week
        | BudgetWindow::Month
        | BudgetWindow::FiscalMonth { .. }
        | BudgetWindow::Rolling(_)
        | BudgetWindow::Total => {}
    }
    if spec.carry_over && matches!(spec.window, BudgetWindow::Rolling(_) | BudgetWindow::Total) {
        note(
            "carry_over",
            "only says something of a window that another one follows".to_owned(),
        );
    }
    let rises = spec
        .alerts
        .iter()
        .zip(spec.alerts.iter().skip(1))
        .all(|(one, next)| one < next);
    if let Err(failed) = Zone::named(spec.time_zone.as_str()) {
        note("time_zone", failed.to_string());
    }
    if spec.alerts.len() > MOST_ALERTS || !rises || spec.alerts.iter().any(|step| !(1..=HIGHEST_ALERT).contains(step)) {
        note(
            "alerts",
            format!("are up to {MOST_ALERTS} rising percentages from 1 to {HIGHEST_ALERT}"),
        );
    }
    wrong
}

/// What budgets and limits may name.
struct Names<'a> {
    units: &'a BTreeMap<UnitId, UnitBody>,
    models: HashSet<&'a str>,
    providers: HashSet<&'a str>,
    tags: &'a [TagRule],
}

impl<'a> Names<'a> {
    fn of(units: &'a BTreeMap<UnitId, UnitBody>) -> Self {
        let mut names = Self {
            units,
            models: HashSet::new(),
            providers: HashSet::new(),
            tags: &[],
        };
        for body in units.values() {
            match body {
                UnitBody::Model(model) => {
                    names.models.insert(model.name.as_str());
                }
                UnitBody::Provider(provider) => {
                    names.providers.insert(provider.name.as_str());
                }
                UnitBody::Organization(organization) => names.tags = &organization.tags,
                UnitBody::Team(_)
                | UnitBody::Price(_)
                | UnitBody::Overlay(_)
                | UnitBody::CachePurges(_)
                | UnitBody::Key(_)
                | UnitBody::Budget(_)
                | UnitBody::Limit(_)
                | UnitBody::Catalog(_) => {}
            }
        }
        names
    }

    fn missing(&self, scope: &LimitScope) -> Vec<Wrong> {
        let is_there = match scope {
            LimitScope::Team(team) => self.units.contains_key(&UnitId::Team(*team)),
            LimitScope::Model(model) => self.models.contains(model.as_str()),
            LimitScope::Provider(provider) => self.providers.contains(provider.as_str()),
            LimitScope::Credential(credential) => self.units.values().any(|body| match body {
                UnitBody::Provider(provider) => provider.credentials.iter().any(|one| one.id == *credential),
                _ => false,
            }),
            LimitScope::Tag(tag) => return self.missing_tag(tag).into_iter().collect(),
            LimitScope::EndUser(Which::Each(Each { each: false })) => {
                let message = "is `true`: to mean one only, say who instead of `{each: …}`";
                return vec![("scope.end_user.each".to_owned(), message.to_owned())];
            }
            LimitScope::Organization | LimitScope::User(_) | LimitScope::Key(_) | LimitScope::EndUser(_) => true,
        };
        match is_there {
            true => Vec::new(),
            false => {
                let kind = scope.kind();
                vec![(format!("scope.{kind}"), format!("there is no such {kind}"))]
            }
        }
    }

    /// Of tags that the organization does not know nothing is kept, so nothing would ever count.
    fn missing_tag(&self, scope: &TagScope) -> Option<Wrong> {
        let TagScope { name, value } = scope;
        let Some(tag) = self.tags.iter().find(|tag| tag.name == *name) else {
            let message = format!("the organization has no tag {name}: add it to its `tags`");
            return Some(("scope.tag.name".to_owned(), message));
        };
        let (values, value) = (tag.values.as_ref()?, value.as_ref()?);
        (!values.contains(value)).then(|| {
            let message = format!("the organization's tag {name} has no such value");
            ("scope.tag.value".to_owned(), message)
        })
    }
}

#[cfg(test)]
mod tests;
