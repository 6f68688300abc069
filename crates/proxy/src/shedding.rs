//! What a node does when more is asked of it than it can carry: it refuses at once, before a body is read, and it refuses
//! those first who have more than their share under way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gatewright_types::OrganizationId;

/// So that organizations seldom wait for one another's turn at the lock.
const SHARDS: usize = 32;

/// How many requests are under way on the node, and whose they are.
#[derive(Debug)]
pub struct Shedding {
    /// Beyond it only organizations below their share get in, and nobody beyond a quarter more.
    limit: usize,
    all: AtomicUsize,
    /// Organizations that have something under way.
    organizations: AtomicUsize,
    shards: [Mutex<HashMap<OrganizationId, usize>>; SHARDS],
}

/// A request's place among those under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shedding: Arc<Shedding>,
    organization: OrganizationId,
}

/// The node is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Shedding {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            all: AtomicUsize::new(0),
            organizations: AtomicUsize::new(0),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    pub(crate) fn enter(self: &Arc<Self>, organization: OrganizationId) -> Result<Place, Full> {
        let mut shard = self.shard(organization).lock().unwrap_or_else(PoisonError::into_inner);
        let own = shard.get(&organization).copied().unwrap_or(0);
        let others = self.organizations.load(Ordering::Relaxed);
        let organizations = if own == 0 { others + 1 } else { others };
        if !admits(self.limit, self.all.load(Ordering::Relaxed), own, organizations) {
            return Err(Full);
        }
        shard.insert(organization, own + 1);
        self.all.fetch_add(1, Ordering::Relaxed);
        if own == 0 {
            self.organizations.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Place {
            shedding: self.clone(),
            organization,
        })
    }

    fn leave(&self, organization: OrganizationId) {
        let mut shard = self.shard(organization).lock().unwrap_or_else(PoisonError::into_inner);
        self.all.fetch_sub(1, Ordering::Relaxed);
        match shard.get_mut(&organization) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                shard.remove(&organization);
                self.organizations.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn shard(&self, organization: OrganizationId) -> &Mutex<HashMap<OrganizationId, usize>> {
        // The end of an identifier is random.
        let last = organization.uuid().as_bytes()[15];
        &self.shards[usize::from(last) % SHARDS]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shedding.leave(self.organization);
    }
}

/// Below the limit everybody gets in, whoever uses how much: unused room is nobody's. At the limit only those get in who
/// have less than an even share, into a reserve, while what the others have ends and is not replaced.
const fn admits(limit: usize, all: usize, own: usize, organizations: usize) -> bool {
    let share = limit / organizations;
    // Even a node with more organizations than places serves one request of each.
    let below = own == 0 || own < share;
    all < limit || (below && all < limit + limit.div_ceil(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_organization_alone_may_have_all_of_it() {
        let shedding = Arc::new(Shedding::new(8));
        let organization = OrganizationId::mint();

        let places: Vec<_> = (0..8).map(|_| shedding.enter(organization)).collect();

        assert!(places.iter().all(Result::is_ok));
        assert_eq!(shedding.enter(organization).err(), Some(Full));
        drop(places);
        assert!(shedding.enter(organization).is_ok());
    }

    #[test]
    fn whoever_floods_the_node_ends_up_with_an_even_share() {
        let shedding = Arc::new(Shedding::new(100));
        let (loud, late) = (OrganizationId::mint(), OrganizationId::mint());
        let mut of_loud: Vec<_> = std::iter::from_fn(|| shedding.enter(loud).ok()).collect();
        assert_eq!(of_loud.len(), 100);

        // Both ask all the time; each turn one request of each ends.
        let mut of_late = Vec::new();
        for _ in 0..1_000 {
            of_late.extend(shedding.enter(late));
            of_loud.extend(shedding.enter(loud));
            of_loud.remove(0);
            of_loud.extend(shedding.enter(loud));
            of_late.extend(shedding.enter(late));
        }

        assert!((45..=55).contains(&of_late.len()), "{}", of_late.len());
        assert!(!of_loud.is_empty(), "nobody starves");
        assert!(of_loud.len() + of_late.len() <= 125);
    }

    #[test]
    fn what_ended_is_forgotten() {
        let shedding = Arc::new(Shedding::new(10));
        for _ in 0..1_000 {
            let place = shedding.enter(OrganizationId::mint());
            assert!(place.is_ok());
        }
        assert_eq!(shedding.all.load(Ordering::Relaxed), 0);
        assert_eq!(shedding.organizations.load(Ordering::Relaxed), 0);
        let left: usize = shedding
            .shards
            .iter()
            .map(|shard| shard.lock().expect("a lock").len())
            .sum();
        assert_eq!(left, 0);
    }
}
