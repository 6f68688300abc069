//! What the ledger has for each counter of an organization's budgets, in the windows of a moment.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, CounterKey, Counting};
use gatewright_coord::Seed;
use gatewright_store::{BudgetSpend, DatabaseError, Scope};
use gatewright_types::api::BudgetMode;
use gatewright_types::{BudgetId, DisplayName};

/// What a counter should have, by its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booked {
    pub(crate) budget: BudgetId,
    pub(crate) name: Option<DisplayName>,
    /// Where the window begins; absent for ever.
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) mode: BudgetMode,
    pub(crate) key: Arc<str>,
    pub(crate) counting: Counting,
    /// In nano-dollars, where something was spent.
    pub(crate) parts: BTreeMap<i64, i64>,
}

impl Booked {
    pub(crate) fn seeds(&self) -> impl Iterator<Item = Seed> + '_ {
        self.parts.iter().map(|(part, spent)| self.seed(*part, *spent))
    }

    pub(crate) fn seed(&self, part: i64, spent: i64) -> Seed {
        Seed {
            key: self.key.clone(),
            counting: self.counting,
            part,
            spent,
        }
    }
}

/// Of all budgets, in the order of their counters' keys.
pub(crate) async fn booked(
    scope: &Scope<'_>,
    budgets: &[Budget],
    now: DateTime<Utc>,
) -> Result<Vec<Booked>, DatabaseError> {
    let mut beginnings = BTreeSet::new();
    let mut spent: HashMap<BudgetId, Vec<BudgetSpend>> = HashMap::new();
    for budget in budgets {
        for counting in countings(budget, now) {
            match counting {
                Counting::Period(_) | Counting::Total => {
                    beginnings.insert(budget.share(counting, now, None).from_ms);
                }
                Counting::Rolling { .. } => {
                    let since_ms = counting.since(now).timestamp_millis();
                    spent.insert(budget.id, scope.spent(budget.id, since_ms).await?);
                }
            }
        }
    }
    let rolling: HashSet<_> = spent.keys().copied().collect();
    for row in scope.spent_in(&beginnings).await? {
        if !rolling.contains(&row.budget) {
            spent.entry(row.budget).or_default().push(row);
        }
    }
    let mut booked: Vec<_> = budgets
        .iter()
        .flat_map(|budget| of_budget(budget, spent.get(&budget.id).map_or(&[], Vec::as_slice), now))
        .collect();
    booked.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(booked)
}

/// The window of a moment, and the one before where that decides how much this one has.
fn countings(budget: &Budget, now: DateTime<Utc>) -> impl Iterator<Item = Counting> {
    let counting = budget.counting(now);
    let before = budget.carried_from(counting).map(Counting::Period);
    before.into_iter().chain([counting])
}

fn of_budget(budget: &Budget, spent: &[BudgetSpend], now: DateTime<Utc>) -> Vec<Booked> {
    let mut all = Vec::new();
    for counting in countings(budget, now) {
        let mut of_names: BTreeMap<Option<&DisplayName>, BTreeMap<i64, i64>> = BTreeMap::new();
        if !budget.scope.is_for_each() {
            of_names.insert(None, BTreeMap::new());
        }
        for row in spent.iter().filter(|row| counts_in(budget, counting, row, now)) {
            // The opening of a budget for each has a row for nobody, which says that it was added up.
            if row.name.is_none() && budget.scope.is_for_each() {
                continue;
            }
            let part = counting.part(DateTime::from_timestamp_millis(row.from_ms).unwrap_or_default());
            let parts = of_names.entry(row.name.as_ref()).or_default();
            *parts.entry(part).or_default() += row.cost.get();
        }
        for (name, parts) in of_names {
            all.push(Booked {
                budget: budget.id,
                name: name.cloned(),
                mode: budget.spec.mode,
                from: match counting {
                    Counting::Total => None,
                    Counting::Period(_) | Counting::Rolling { .. } => Some(counting.since(now)),
                },
                key: CounterKey::of_budget(budget.id, counting, name).text(),
                counting,
                parts,
            });
        }
    }
    all
}

fn counts_in(budget: &Budget, counting: Counting, row: &BudgetSpend, now: DateTime<Utc>) -> bool {
    match counting {
        Counting::Rolling { .. } => row.from_ms >= counting.since(now).timestamp_millis(),
        Counting::Period(_) | Counting::Total => row.from_ms == budget.share(counting, now, None).from_ms,
    }
}
