//! Adds up requests' rows anew, the way in which taking them in does it, but from what was stored.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Utc};
use gatewright_contract::BudgetShare;
use gatewright_types::api::{LedgerSums, LineItem, Outcome};
use gatewright_types::{Nanos, RequestId};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::ingest::outcome_name;
use crate::rollup::{DAY, HOUR, MINUTE, Tokens};
use crate::stored;

/// As much of a row as counts somewhere.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) key: Uuid,
    pub(crate) team: Option<Uuid>,
    pub(crate) provider: Option<String>,
    pub(crate) outcome: String,
    pub(crate) lines: String,
    pub(crate) cost_nanos: Option<i64>,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) budgets: Option<String>,
}

/// What rows add up to, in the order of requests, errors, unpriced, tokens in, tokens out and nano-dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted(pub(crate) [i64; 6]);

/// A bucket of sums by day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day {
    pub(crate) start: i64,
    pub(crate) provider: String,
    pub(crate) team: Uuid,
    pub(crate) key: Uuid,
}

/// A window of a budget, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Window {
    pub(crate) budget: Uuid,
    pub(crate) from_ms: i64,
    pub(crate) name: String,
}

/// A row that says something else than its own lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unlike {
    pub(crate) request: RequestId,
    pub(crate) lines: Counted,
    pub(crate) row: Counted,
}

/// All rows, added up by everything that others add them up by.
#[derive(Debug, Default)]
pub(crate) struct AddedUp {
    pub(crate) all: Counted,
    pub(crate) minutes: HashMap<i64, Counted>,
    pub(crate) hours: HashMap<i64, Counted>,
    pub(crate) days: HashMap<Day, Counted>,
    pub(crate) windows: HashMap<Window, Counted>,
    pub(crate) unlike: Vec<Unlike>,
    /// Most rows count in the same windows as another.
    shares: HashMap<String, Vec<Window>>,
}

impl AddedUp {
    pub(crate) fn add(&mut self, entry: Entry) -> Result<(), DbErr> {
        let row = Counted::of(&entry);
        self.compare_with_lines(&entry, row)?;
        self.all.add(row);
        let started = entry.started_at.timestamp();
        let start = |length: i64| started - started.rem_euclid(length);
        count(&mut self.minutes, start(MINUTE), row);
        count(&mut self.hours, start(HOUR), row);
        if let Some(text) = &entry.budgets {
            let windows = match self.shares.get(text) {
                Some(windows) => windows,
                None => self.shares.entry(text.clone()).or_insert(windows_of(text)?),
            };
            for window in windows {
                match self.windows.get_mut(window) {
                    Some(sums) => sums.add(row),
                    None => drop(self.windows.insert(window.clone(), row)),
                }
            }
        }
        let day = Day {
            start: start(DAY),
            provider: entry.provider.unwrap_or_default(),
            team: entry.team.unwrap_or_default(),
            key: entry.key,
        };
        count(&mut self.days, day, row);
        Ok(())
    }

    /// A row that costs something costs what its lines come to, rounded once; one whose lines all have a price has a cost.
    fn compare_with_lines(&mut self, entry: &Entry, row: Counted) -> Result<(), DbErr> {
        let lines: Vec<LineItem> = stored::json("line items", &entry.lines)?;
        let tokens = Tokens::of(&lines);
        let picos = lines.iter().try_fold(0_i128, |sum, line| {
            Some(sum.saturating_add(line.price?.times(line.quantity)))
        });
        let cost = picos.map(Nanos::from_picos).map(Nanos::get);
        let is_right = match entry.cost_nanos {
            Some(_) => cost == entry.cost_nanos,
            None => lines.is_empty() || cost.is_none(),
        };
        if !is_right || (tokens.input, tokens.output) != (entry.input_tokens, entry.output_tokens) {
            let Counted([requests, errors, unpriced, ..]) = row;
            self.unlike.push(Unlike {
                request: RequestId::from_uuid(entry.id),
                lines: Counted([
                    requests,
                    errors,
                    unpriced,
                    tokens.input,
                    tokens.output,
                    cost.unwrap_or(0),
                ]),
                row,
            });
        }
        Ok(())
    }
}

impl Counted {
    fn of(entry: &Entry) -> Self {
        let fine = [Outcome::Complete, Outcome::ClientGone].map(outcome_name);
        let error = i64::from(!fine.contains(&entry.outcome.as_str()));
        let unpriced = i64::from(entry.provider.is_some() && entry.cost_nanos.is_none());
        let cost = entry.cost_nanos.unwrap_or(0);
        Self([1, error, unpriced, entry.input_tokens, entry.output_tokens, cost])
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }

    /// Of a budget's window only these two are kept.
    pub(crate) fn requests_and_cost(self) -> Self {
        let Self([requests, .., cost]) = self;
        Self([requests, 0, 0, 0, 0, cost])
    }
}

impl From<Counted> for LedgerSums {
    fn from(Counted([requests, errors, unpriced, input_tokens, output_tokens, cost]): Counted) -> Self {
        Self {
            requests: stored::count(requests),
            errors: stored::count(errors),
            unpriced: stored::count(unpriced),
            input_tokens: stored::count(input_tokens),
            output_tokens: stored::count(output_tokens),
            cost: Nanos::new(cost),
        }
    }
}

fn count<K: Eq + Hash>(sums: &mut HashMap<K, Counted>, key: K, row: Counted) {
    sums.entry(key).or_default().add(row);
}

fn windows_of(text: &str) -> Result<Vec<Window>, DbErr> {
    let shares: Vec<BudgetShare> = stored::json("budgets", text)?;
    let window = |share: BudgetShare| Window {
        budget: share.budget.uuid(),
        from_ms: share.from_ms,
        name: share.name.map_or_else(String::new, |name| name.as_str().to_owned()),
    };
    Ok(shares.into_iter().map(window).collect())
}
