//! What this node may spend of budgets and limits without asking: leases of the shared counters, what requests under way
//! have reserved of them, and what was spent and not reported yet. The usual request reserves and settles here and goes
//! nowhere; one that finds too little asks once for all its counters together.
//!
//! Of budgets, amounts are nano-dollars; of limits, requests, tokens or units; of concurrency, requests, which settle as 0.

mod account;
mod away;
mod call;
mod clock;
mod knowledge;
mod pace;
mod reservation;
mod reserve;
mod shelves;
mod sync;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{CounterKey, Counting};
use gatewright_coord::{Counters, Holder};
use gatewright_types::api::WhenUnavailable;
use gatewright_types::{NodeId, OrganizationId};

use crate::metrics::Metrics;
use away::Away;
use clock::Clock;
use shelves::Shelves;
use sync::Urgent;

pub use reservation::Reservation;

#[cfg(test)]
mod tests;

/// The accounts of one node. Clones are the same accounts.
#[derive(Debug, Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    counters: Counters,
    holder: Holder,
    metrics: Arc<Metrics>,
    shelves: Shelves,
    /// The last number that was given to a call or a report.
    number: AtomicU64,
    clock: Clock,
    away: Away,
    /// Nodes that had to do with what this one asked for last.
    nodes: AtomicI64,
    /// What has to be told sooner than by and by.
    urgent: Urgent,
}

/// A budget or limit as a request meets it. Those with the same key share what they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Within the organization.
    pub key: CounterKey,
    /// Less than 2^53.
    pub cap: i64,
    pub counting: Counting,
    /// Leases outlive a restart of their node, so that what it had let through is counted before others spend it.
    pub exact: bool,
    pub when_unavailable: WhenUnavailable,
    /// Only of a period that has one before it.
    pub carry: Option<CarriedOver>,
}

/// The cap grows by what the period before left of its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedOver {
    pub previous: CounterKey,
    /// Without what was carried over into that one.
    pub amount: i64,
}

/// So much of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    pub counter: Counter,
    pub amount: i64,
}

/// How a counter stands, as far as this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// With what was carried over.
    pub cap: i64,
    /// By everybody. What other nodes hold and do not use counts as well.
    pub spent_or_reserved: i64,
    /// Never negative.
    pub remaining: i64,
    /// The end of the period, or when the oldest of what counts in a time up to now stops to count. Absent for what never
    /// begins anew, and where nothing counts.
    pub resets_at: Option<DateTime<Utc>>,
}

/// Why nothing was reserved. The index is that of the demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("demand {index} goes beyond its cap")]
    Spent { index: usize, standing: Standing },
    #[error("nobody can say what was spent of the counter of demand {index}")]
    Unavailable { index: usize },
}

impl Accounts {
    pub fn new(counters: Counters, node: NodeId, metrics: Arc<Metrics>) -> Self {
        let incarnation = u64::try_from(Utc::now().timestamp_millis()).unwrap_or_default();
        Self {
            inner: Arc::new(Inner {
                counters,
                holder: Holder { node, incarnation },
                metrics,
                shelves: Shelves::default(),
                number: AtomicU64::new(0),
                clock: Clock::default(),
                away: Away::new(),
                nodes: AtomicI64::new(1),
                urgent: Urgent::default(),
            }),
        }
    }

    /// By the counters' clock, as far as it is known: windows begin and end by it on all nodes alike.
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }

    /// Reserves all or nothing. What is in the way of it only because others have reserved it is waited for, up to
    /// `patience`, in the order of arrival on this node.
    pub async fn reserve(
        &self,
        organization: OrganizationId,
        demands: &[Demand],
        patience: Option<Duration>,
    ) -> Result<Reservation, Denied> {
        let mut reservation = Reservation::new(self.clone(), organization);
        reservation.add(demands, patience).await?;
        Ok(reservation)
    }

    /// As far as this node knows without asking.
    pub fn peek(&self, organization: OrganizationId, counter: &Counter) -> Standing {
        let now = self.now();
        match self.inner.shelves.find(organization, &counter.key) {
            Some(account) => account.standing(counter, now),
            None => knowledge::untouched(counter, now),
        }
    }
}

impl Inner {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn next_number(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed) + 1
    }
}
