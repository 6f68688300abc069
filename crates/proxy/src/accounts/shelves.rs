//! All accounts of a node, found by organization and key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatewright_contract::CounterKey;
use gatewright_types::OrganizationId;
use tokio::time::Instant;

use super::Counter;
use super::account::Account;

const SHELVES: usize = 32;

type Key = (OrganizationId, CounterKey);

#[derive(Debug, Default)]
pub(super) struct Shelves {
    shelves: [Mutex<HashMap<Key, Arc<Account>>>; SHELVES],
}

impl Shelves {
    pub(super) fn find(&self, organization: OrganizationId, key: &CounterKey) -> Option<Arc<Account>> {
        self.of(key).get(&(organization, key.clone())).cloned()
    }

    pub(super) fn open(&self, organization: OrganizationId, counter: &Counter) -> Arc<Account> {
        self.of(&counter.key)
            .entry((organization, counter.key.clone()))
            .or_insert_with(|| Arc::new(Account::new(organization, counter)))
            .clone()
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

    fn of(&self, key: &CounterKey) -> MutexGuard<'_, HashMap<Key, Arc<Account>>> {
        let [first, ..] = &self.shelves;
        let place = usize::try_from(key.spread() % SHELVES as u64).unwrap_or(0);
        locked(self.shelves.get(place).unwrap_or(first))
    }
}

fn locked(shelf: &Mutex<HashMap<Key, Arc<Account>>>) -> MutexGuard<'_, HashMap<Key, Arc<Account>>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
