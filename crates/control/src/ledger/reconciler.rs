//! Keeps the counters that nodes go by at what the ledger says. Counters that were lost are filled from it. Where they say
//! less than the ledger they are raised at once. Where they say more, nodes may have reported what they did not hand over
//! yet: only what stands still for a while is a mistake, and lowered.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::Budget;
use gatewright_coord::{CoordError, CounterStanding, Counters, Right, Seed};
use gatewright_store::{DatabaseError, Db, Opening, Scope};
use gatewright_types::api::{BudgetMode, BudgetWindow};
use gatewright_types::{BudgetId, OrganizationId, ZoneName};
use tokio::time::Instant;

use super::booked::{Booked, booked};

/// More than it takes nodes to hand over what they reported.
const STANDS_STILL_FOR: Duration = Duration::from_secs(30);
/// For what must not go beyond its cap, a node that was killed is waited for: what it reported is in its journal.
const EXACT_STANDS_STILL_FOR: Duration = Duration::from_secs(660);
/// Counters are asked about so many at a time.
const AT_A_TIME: usize = 500;
/// An opening is added up again after twice the time, from this on.
const FIRST_AGAIN: Duration = Duration::from_secs(5);

/// Why counters are not what the ledger says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error("the ledger cannot be read")]
    Ledger(#[from] DatabaseError),
    #[error("the counters cannot be reached")]
    Counters(#[from] CoordError),
}

/// What one look changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repaired {
    pub(crate) raised: usize,
    pub(crate) lowered: usize,
}

/// What a reconciler remembers from one look to the next. Losing it costs time and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Reconciler {
    /// Where a counter has more than the ledger, and since when it is these two.
    more: HashMap<(OrganizationId, Arc<str>, i64), Unlike>,
    openings: HashMap<(BudgetId, BudgetWindow, ZoneName), Due>,
}

#[derive(Debug, Clone, Copy)]
struct Unlike {
    counter: i64,
    ledger: i64,
    since: Instant,
}

/// When an opening is added up again.
#[derive(Debug, Clone, Copy)]
enum Due {
    At(Instant, Duration),
    Never,
}

/// Fills an organization's counters from the ledger. False where they are filled already.
pub(crate) async fn seed(db: &Db, counters: &Counters, organization: OrganizationId) -> Result<bool, ReconcileError> {
    let now = counters.now().await?;
    let scope = db.organization(organization);
    let budgets = scope.counted_budgets().await?;
    for budget in scope.not_opened(&budgets).await? {
        db.open_budget(organization, budget, now).await?;
    }
    let booked = booked(&scope, &budgets, now).await?;
    let seeds: Vec<_> = booked.iter().flat_map(Booked::seeds).collect();
    Ok(counters.seed(organization, &seeds).await?)
}

impl Reconciler {
    /// Compares all counters of an organization with the ledger and puts them right.
    pub(crate) async fn reconcile(
        &mut self,
        db: &Db,
        counters: &Counters,
        organization: OrganizationId,
    ) -> Result<Repaired, ReconcileError> {
        let now = counters.now().await?;
        let scope = db.organization(organization);
        let budgets = scope.counted_budgets().await?;
        self.open(db, organization, &budgets, now).await?;
        let mut repaired = Repaired::default();
        let mut seen = HashSet::new();
        for (booked, standing) in beside(&scope, counters, organization, &budgets, now).await? {
            for (part, (ledger, counter)) in parts(&booked, &standing, now) {
                let seed = booked.seed(part, ledger);
                if counter < ledger {
                    let added = counters.correct(organization, &seed, Right::AtLeast).await?;
                    repaired.raised += usize::from(added.is_some_and(|added| added > 0));
                } else if counter > ledger {
                    seen.insert((organization, booked.key.clone(), part));
                    let patience = match booked.mode {
                        BudgetMode::Smooth => STANDS_STILL_FOR,
                        BudgetMode::Strict => EXACT_STANDS_STILL_FOR,
                    };
                    if self.stood_still_for(organization, &seed, counter) >= patience {
                        counters.correct(organization, &seed, Right::To).await?;
                        tracing::warn!(
                            organization.id = %organization,
                            budget.id = %booked.budget,
                            counter_nanos = counter,
                            ledger_nanos = ledger,
                            "a counter had more than the ledger, and was lowered"
                        );
                        repaired.lowered += 1;
                    }
                }
            }
        }
        self.more.retain(|key, _| key.0 != organization || seen.contains(key));
        Ok(repaired)
    }

    /// Adds up what was spent before budgets counted, as long as more may come in.
    async fn open(
        &mut self,
        db: &Db,
        organization: OrganizationId,
        budgets: &[Budget],
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        for budget in budgets {
            let counting = (budget.id, budget.spec.window, budget.spec.time_zone.clone());
            let again_in = match self.openings.get(&counting) {
                None => FIRST_AGAIN,
                Some(Due::At(at, _)) if Instant::now() < *at => continue,
                Some(Due::At(_, waited)) => waited.saturating_mul(2),
                Some(Due::Never) => continue,
            };
            let due = match db.open_budget(organization, budget, now).await? {
                Opening::Open => Due::At(Instant::now() + again_in, again_in),
                Opening::Settled => Due::Never,
            };
            self.openings.insert(counting, due);
        }
        Ok(())
    }

    fn stood_still_for(&mut self, organization: OrganizationId, seed: &Seed, counter: i64) -> Duration {
        let key = (organization, seed.key.clone(), seed.part);
        let now = Instant::now();
        let unlike = self.more.entry(key).or_insert(Unlike {
            counter,
            ledger: seed.spent,
            since: now,
        });
        if (unlike.counter, unlike.ledger) != (counter, seed.spent) {
            *unlike = Unlike {
                counter,
                ledger: seed.spent,
                since: now,
            };
        }
        now.duration_since(unlike.since)
    }
}

/// What the ledger says of each counter, and how that stands.
pub(crate) async fn beside(
    scope: &Scope<'_>,
    counters: &Counters,
    organization: OrganizationId,
    budgets: &[Budget],
    now: DateTime<Utc>,
) -> Result<Vec<(Booked, CounterStanding)>, ReconcileError> {
    let booked = booked(scope, budgets, now).await?;
    let keys: Vec<_> = booked.iter().map(|booked| booked.key.clone()).collect();
    let mut standing = Vec::with_capacity(keys.len());
    for keys in keys.chunks(AT_A_TIME) {
        standing.extend(counters.standing(organization, keys).await?);
    }
    Ok(booked.into_iter().zip(standing).collect())
}

/// The parts that count, each with what the ledger has and what the counter has.
pub(crate) fn parts(booked: &Booked, standing: &CounterStanding, now: DateTime<Utc>) -> BTreeMap<i64, (i64, i64)> {
    let first = booked.counting.first_part(now);
    let mut parts: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (part, spent) in booked.parts.range(first..) {
        parts.entry(*part).or_default().0 = *spent;
    }
    for (part, spent) in standing.parts.range(first..) {
        parts.entry(*part).or_default().1 = *spent;
    }
    parts
}
