//! How budgets stand: what the ledger has, and what nodes hold beyond it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, BudgetUnit, CounterKey, Counting, IncreaseUnit, Period};
use gatewright_coord::CounterStanding;
use gatewright_store::{BudgetRow, BudgetSpend, reached_steps};
use gatewright_types::api::BudgetState;
use gatewright_types::{BudgetId, DisplayName, Nanos, OrganizationId};

use crate::control::Control;
use crate::error::{ApiError, chain};

/// What was spent in a window, by whom it is for; by nobody where it is for all.
type Spent = BTreeMap<Option<DisplayName>, Nanos>;

/// A budget in the window of now.
struct Asked {
    budget: Budget,
    counting: Counting,
    from: DateTime<Utc>,
    /// The period whose rest is carried over.
    before: Option<Period>,
}

struct Window {
    budget: Budget,
    counting: Counting,
    spent: Spent,
    carried_over: Nanos,
}

/// The states of budgets, in their order.
pub(crate) async fn states(
    control: &Control,
    organization: OrganizationId,
    rows: &[BudgetRow],
    now: DateTime<Utc>,
) -> Result<Vec<Option<BudgetState>>, ApiError> {
    let asked: Vec<_> = rows.iter().map(|row| Asked::of(row, now)).collect();
    let since: Vec<_> = asked.iter().flatten().map(Asked::since).collect();
    let mut spent: HashMap<_, Vec<_>> = HashMap::new();
    for one in control.db.organization(organization).spent_since(&since).await? {
        spent.entry(one.budget).or_default().push(one);
    }
    let windows: Vec<_> = asked
        .into_iter()
        .map(|asked| asked.map(|asked| asked.window(&spent)))
        .collect();
    let live = live(control, organization, windows.iter().flatten()).await;
    let states = windows
        .into_iter()
        .map(|window| Some(state(&window?, live.as_ref(), now)));
    Ok(states.collect())
}

/// As nodes count by it. What is stored was compiled when it was saved; an earlier release may have thought otherwise.
pub(crate) fn compiled(row: &BudgetRow) -> Option<Budget> {
    let unit = BudgetUnit {
        scope: row.scope.clone(),
        spec: row.spec.clone(),
        increases: row
            .increases
            .iter()
            .map(|increase| IncreaseUnit {
                amount: increase.amount,
                expires_at: increase.expires_at,
            })
            .collect(),
        since: Some(row.created_at),
    };
    Budget::compiled(row.id, &unit)
}

impl Asked {
    fn of(row: &BudgetRow, now: DateTime<Utc>) -> Option<Self> {
        let budget = compiled(row)?;
        let counting = budget.counting(now);
        Some(Self {
            before: budget.carried_from(counting),
            from: counting.since(now),
            budget,
            counting,
        })
    }

    /// From when on what was spent matters, in milliseconds since 1970.
    fn since(&self) -> (BudgetId, i64) {
        let since = self.before.map_or(self.from, |before| before.from);
        (self.budget.id, since.timestamp_millis())
    }

    fn window(self, spent: &HashMap<BudgetId, Vec<BudgetSpend>>) -> Window {
        let all = spent.get(&self.budget.id).map_or(&[][..], Vec::as_slice);
        let spent = match self.counting {
            Counting::Period(period) => sums(all, period.from, Some(period.to)),
            Counting::Rolling { .. } | Counting::Total => sums(all, self.from, None),
        };
        let carried_over = match self.before {
            Some(before) if !self.budget.scope.is_for_each() => {
                let then = total(&sums(all, before.from, Some(before.to)));
                self.budget.spec.amount.saturating_sub(then).max(Nanos::ZERO)
            }
            Some(_) | None => Nanos::ZERO,
        };
        Window {
            budget: self.budget,
            counting: self.counting,
            spent,
            carried_over,
        }
    }
}

fn sums(all: &[BudgetSpend], from: DateTime<Utc>, to: Option<DateTime<Utc>>) -> Spent {
    let times = from.timestamp_millis()..to.map_or(i64::MAX, |to| to.timestamp_millis());
    let mut spent = Spent::new();
    for row in all.iter().filter(|row| times.contains(&row.from_ms)) {
        let sum = spent.entry(row.name.clone()).or_default();
        *sum = sum.saturating_add(row.cost);
    }
    spent
}

fn total(spent: &Spent) -> Nanos {
    spent.values().fold(Nanos::ZERO, |sum, one| sum.saturating_add(*one))
}

/// What the counters say, by budget. Nothing while they cannot be asked.
async fn live(
    control: &Control,
    organization: OrganizationId,
    windows: impl Iterator<Item = &Window>,
) -> Option<BTreeMap<BudgetId, Vec<CounterStanding>>> {
    let mut budgets = Vec::new();
    let mut keys: Vec<Arc<str>> = Vec::new();
    for Window {
        budget,
        counting,
        spent,
        ..
    } in windows
    {
        if !budget.scope.is_for_each() {
            budgets.push(budget.id);
            keys.push(CounterKey::of_budget(budget.id, *counting, None).text());
            continue;
        }
        for name in spent.keys().flatten() {
            budgets.push(budget.id);
            keys.push(CounterKey::of_budget(budget.id, *counting, Some(name)).text());
        }
    }
    match control.counters.standing(organization, &keys).await {
        Ok(standings) => {
            let mut by_budget: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (budget, standing) in budgets.into_iter().zip(standings) {
                by_budget.entry(budget).or_default().push(standing);
            }
            Some(by_budget)
        }
        Err(error) => {
            tracing::debug!(error = %chain(&error), "the counters of budgets cannot be asked");
            None
        }
    }
}

fn state(window: &Window, live: Option<&BTreeMap<BudgetId, Vec<CounterStanding>>>, now: DateTime<Utc>) -> BudgetState {
    let Window {
        budget,
        counting,
        spent,
        carried_over,
    } = window;
    let (from, to) = match counting {
        Counting::Period(period) => (Some(period.from), Some(period.to)),
        Counting::Rolling { .. } => (Some(counting.since(now)), None),
        Counting::Total => (None, None),
    };
    let each = budget.scope.is_for_each();
    let cap = budget.cap(now).saturating_add(*carried_over);
    let most = spent.values().copied().max().unwrap_or_default();
    let sum = total(spent);
    let reserved = live.map(|live| {
        let standings = live.get(&budget.id).map_or(&[][..], Vec::as_slice);
        let held: i64 = standings.iter().flat_map(|one| one.leased.values()).sum();
        // Nodes may have reported what the ledger does not have yet.
        let reported: i64 = standings.iter().map(|one| one.spent(*counting, now)).sum();
        Nanos::new(held.saturating_add(reported.saturating_sub(sum.get()).max(0)))
    });
    BudgetState {
        from,
        to,
        cap: (!each).then_some(cap),
        carried_over: *carried_over,
        spent: sum,
        reserved,
        reached: reached_steps(&budget.spec.alerts, most, cap),
    }
}
