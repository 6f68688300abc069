//! What organizations spent and have under way: one counter for each budget and limit, and for whatever is counted in it
//! (nano-dollars, requests, tokens, requests at once). A counter has a cap, what was *spent* of it, and what is *leased*
//! to nodes: what they may have spent or reserved and did not report yet. The sum never goes beyond the cap by a lease.
//! The truth is the ledger: counters can be filled again from it, and refuse to answer until they are.

mod local;
mod redis;
mod tally;
mod words;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_types::OrganizationId;

use crate::{CoordError, Tidings};

pub use local::LocalCounters;
pub use redis::RedisCounters;
pub use words::{
    Carry, CounterAnswer, CounterDemand, CounterStanding, Holder, Recall, Report, Right, Seed, Take, Taken,
};

/// The counters, in the memory of one process or in Redis. Clones are the same counters.
#[derive(Debug, Clone)]
pub enum Counters {
    Local(LocalCounters),
    Redis(RedisCounters),
}

impl Counters {
    /// Reports, gives back and takes leases of any number of an organization's counters at once. Leases are given for all
    /// demands or for none; what is reported and given back counts either way, and once however often it is told.
    pub async fn take(&self, take: &Take) -> Result<Taken, CoordError> {
        match self {
            Self::Local(counters) => Ok(counters.take(take)),
            Self::Redis(counters) => counters.take(take).await,
        }
    }

    /// The time that windows go by.
    pub async fn now(&self) -> Result<DateTime<Utc>, CoordError> {
        match self {
            Self::Local(counters) => Ok(counters.now()),
            Self::Redis(counters) => counters.now().await,
        }
    }

    /// Hears of counters of which others need what nodes hold and do not use; see `Recall`.
    pub fn recalls(&self) -> Tidings {
        match self {
            Self::Local(counters) => Tidings::Local(counters.recalls()),
            Self::Redis(counters) => Tidings::Redis(counters.recalls()),
        }
    }

    /// Hears that an organization's counters were asked for and have to be seeded first; which ones these are is to be
    /// asked.
    pub fn seeds_asked_for(&self) -> Tidings {
        match self {
            Self::Local(counters) => Tidings::Local(counters.seeds_asked_for()),
            Self::Redis(counters) => Tidings::Redis(counters.seeds_asked_for()),
        }
    }

    /// Organizations whose counters were asked for and have to be seeded first.
    pub async fn awaiting_seed(&self) -> Result<Vec<OrganizationId>, CoordError> {
        match self {
            Self::Local(counters) => Ok(counters.awaiting_seed()),
            Self::Redis(counters) => counters.awaiting_seed().await,
        }
    }

    /// Fills an organization's counters from the ledger: from then on it is answered for, and what has no seed counts as
    /// nothing. False, and nothing is changed, where they are seeded already.
    pub async fn seed(&self, organization: OrganizationId, seeds: &[Seed]) -> Result<bool, CoordError> {
        match self {
            Self::Local(counters) => Ok(counters.seed(organization, seeds)),
            Self::Redis(counters) => counters.seed(organization, seeds).await,
        }
    }

    /// Puts one part of a counter right. `None` where the organization is not seeded, else what was added.
    pub async fn correct(
        &self,
        organization: OrganizationId,
        seed: &Seed,
        right: Right,
    ) -> Result<Option<i64>, CoordError> {
        match self {
            Self::Local(counters) => Ok(counters.correct(organization, seed, right)),
            Self::Redis(counters) => counters.correct(organization, seed, right).await,
        }
    }

    /// How counters stand, in the order of the keys. Nothing counted is as good as not there.
    pub async fn standing(
        &self,
        organization: OrganizationId,
        keys: &[Arc<str>],
    ) -> Result<Vec<CounterStanding>, CoordError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Local(counters) => Ok(counters.standing(organization, keys)),
            Self::Redis(counters) => counters.standing(organization, keys).await,
        }
    }

    /// Removes counters that nobody will ask for any more.
    pub async fn forget(&self, organization: OrganizationId, keys: &[Arc<str>]) -> Result<(), CoordError> {
        if keys.is_empty() {
            return Ok(());
        }
        match self {
            Self::Local(counters) => {
                counters.forget(organization, keys);
                Ok(())
            }
            Self::Redis(counters) => counters.forget(organization, keys).await,
        }
    }
}
