//! Adds up requests' rows anew, the way in which taking them in does it, but from what was stored.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Utc};
use gatewright_contract::BudgetShare;
use gatewright_types::api::{LedgerSums, LineItem, Outcome};
use gatewright_types::{Nanos, RequestId};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::adjustments;
use crate::entity::usage_adjustment;
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
    /// What was added to its cost, the oldest first.
    pub(crate) adjustments: Vec<usage_adjustment::Model>,
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
    pub(crate) adjustments: u64,
    pub(crate) adjustments_unlike: Vec<Unlike>,
    /// Most rows count in the same windows as another.
    shares: HashMap<String, Vec<Window>>,
}

impl AddedUp {
    pub(crate) fn add(&mut self, entry: Entry) -> Result<(), DbErr> {
        self.compare_with_lines(&entry)?;
        self.compare_adjustments(&entry)?;
        let row = Counted::of(&entry);
        self.all.add(row);
        let started = entry.started_at.timestamp();
        let start = |length: i64| started - started.rem_euclid(length);
        count(&mut self.minutes, start(MINUTE), row);
        count(&mut self.hours, start(HOUR), row);
        self.add_to_windows(&entry, row)?;
        let day = Day {
            start: start(DAY),
            provider: entry.provider.unwrap_or_default(),
            team: entry.team.unwrap_or_default(),
            key: entry.key,
        };
        count(&mut self.days, day, row);
        Ok(())
    }

    pub(crate) fn add_to_windows(&mut self, entry: &Entry, row: Counted) -> Result<(), DbErr> {
        let Some(text) = &entry.budgets else { return Ok(()) };
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
        Ok(())
    }

    /// A row that costs something costs what its lines come to, rounded once; one whose lines all have a price has a cost.
    fn compare_with_lines(&mut self, entry: &Entry) -> Result<(), DbErr> {
        let lines: Vec<LineItem> = stored::json("line items", &entry.lines)?;
        let (tokens, cost) = (Tokens::of(&lines), cost_of(&lines));
        let is_right = match entry.cost_nanos {
            Some(_) => cost == entry.cost_nanos,
            None => lines.is_empty() || cost.is_none(),
        };
        if !is_right || (tokens.input, tokens.output) != (entry.input_tokens, entry.output_tokens) {
            let row = Counted::charged(entry);
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

    /// An adjustment has the row's own quantities, costs what its lines come to, and adds the rest to what was there before.
    fn compare_adjustments(&mut self, entry: &Entry) -> Result<(), DbErr> {
        let mut before = entry.cost_nanos;
        for adjustment in &entry.adjustments {
            let lines: Vec<LineItem> = stored::json("line items", &adjustment.lines)?;
            let (tokens, cost) = (Tokens::of(&lines), cost_of(&lines));
            let after = before.unwrap_or(0).saturating_add(adjustment.delta_nanos);
            let is_right = cost == Some(adjustment.cost_nanos)
                && cost == Some(after)
                && adjustment.priced == before.is_none()
                && (tokens.input, tokens.output) == (entry.input_tokens, entry.output_tokens);
            if !is_right {
                let priced = i64::from(adjustment.priced);
                self.adjustments_unlike.push(Unlike {
                    request: RequestId::from_uuid(entry.id),
                    lines: Counted([
                        1,
                        0,
                        1 - i64::from(before.is_none()),
                        tokens.input,
                        tokens.output,
                        cost.unwrap_or(0),
                    ]),
                    row: Counted([1, 0, 1 - priced, entry.input_tokens, entry.output_tokens, after]),
                });
            }
            before = Some(after);
            self.adjustments += 1;
        }
        Ok(())
    }

    /// An adjustment of a request that there is not.
    pub(crate) fn of_nothing(&mut self, adjustment: &usage_adjustment::Model) {
        let cost = Counted([0, 0, 0, 0, 0, adjustment.delta_nanos]);
        self.adjustments_unlike.push(Unlike {
            request: RequestId::from_uuid(adjustment.request),
            lines: Counted::default(),
            row: cost,
        });
        self.adjustments += 1;
    }
}

impl Counted {
    /// With what was added afterwards.
    pub(crate) fn of(entry: &Entry) -> Self {
        let Self([requests, errors, _, input, output, _]) = Self::charged(entry);
        let cost = adjustments::with(entry.cost_nanos, &entry.adjustments);
        let unpriced = i64::from(entry.provider.is_some() && cost.is_none());
        Self([requests, errors, unpriced, input, output, cost.unwrap_or(0)])
    }

    fn charged(entry: &Entry) -> Self {
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

/// What lines come to, rounded once; nothing where one has no price.
fn cost_of(lines: &[LineItem]) -> Option<i64> {
    let picos = lines.iter().try_fold(0_i128, |sum, line| {
        Some(sum.saturating_add(line.price?.times(line.quantity)))
    });
    picos.map(Nanos::from_picos).map(Nanos::get)
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
