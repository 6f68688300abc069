//! All accounts of a node, found by organization and key.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatewright_types::OrganizationId;
use tokio::time::Instant;

use super::Counter;
use super::account::Account;

const SHELVES: usize = 32;

type Key = (OrganizationId, Arc<str>);

#[derive(Debug)]
pub(super) struct Shelves {
    hasher: RandomState,
    shelves: [Mutex<HashMap<Key, Arc<Account>>>; SHELVES],
}

impl Shelves {
    pub(super) fn find(&self, organization: OrganizationId, key: &Arc<str>) -> Option<Arc<Account>> {
        let key = (organization, key.clone());
        self.of(&key).get(&key).cloned()
    }

    pub(super) fn open(&self, organization: OrganizationId, counter: &Counter) -> Arc<Account> {
        let key = (organization, counter.key.clone());
        let mut shelf = self.of(&key);
        let account = shelf
            .entry(key)
            .or_insert_with(|| Arc::new(Account::new(organization, counter)));
        account.clone()
    }

    pub(super) fn all(&self) -> Vec<Arc<Account>> {
        let shelves = self.shelves.iter().map(locked);
        shelves
            .flat_map(|shelf| shelf.values().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// Removes accounts that are of no use to anybody. One that somebody has in hand stays: it must not be there twice.
    pub(super) fn sweep(&self, now: Instant) {
        for shelf in self.shelves.iter() {
            let in_use = |account: &Arc<Account>| Arc::strong_count(account) > 1 || !account.is_forgettable(now);
            locked(shelf).retain(|_, account| in_use(account));
        }
    }

    fn of(&self, key: &Key) -> MutexGuard<'_, HashMap<Key, Arc<Account>>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SHELVES as u64).unwrap_or(0);
        locked(self.shelves.get(hash).unwrap_or_else(|| {
            let [first, ..] = &self.shelves;
            first
        }))
    }
}

impl Default for Shelves {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shelves: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

fn locked(shelf: &Mutex<HashMap<Key, Arc<Account>>>) -> MutexGuard<'_, HashMap<Key, Arc<Account>>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
