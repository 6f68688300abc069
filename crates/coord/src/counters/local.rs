//! The counters of a single process. They begin unseeded at each start.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use gatewright_types::OrganizationId;
use tokio::sync::broadcast;

use super::tally::{Tally, Told, millis, time};
use super::{CounterDemand, CounterStanding, Recall, Right, Seed, Take, Taken};
use crate::health::LocalTidings;

/// Whoever is this far behind has missed something.
const ROOM: usize = 1024;
/// Counters whose time is over are looked for this often.
const SWEEP_EVERY_MS: i64 = 60_000;

#[derive(Clone)]
pub struct LocalCounters {
    books: Arc<Mutex<Books>>,
    recalled: broadcast::Sender<String>,
    asked_to_seed: broadcast::Sender<String>,
    /// Milliseconds since 1970.
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

#[derive(Debug, Default)]
struct Books {
    of: HashMap<OrganizationId, Book>,
    awaiting: BTreeSet<OrganizationId>,
    swept_at_ms: i64,
}

/// An organization's counters.
#[derive(Debug, Default)]
struct Book {
    seeded: bool,
    tallies: HashMap<Arc<str>, Tally>,
}

impl LocalCounters {
    pub fn new() -> Self {
        Self::with_clock(|| {
            let past = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            past.map_or(0, millis)
        })
    }

    /// By another clock than the process's.
    pub fn with_clock(clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self {
            books: Arc::default(),
            recalled: broadcast::Sender::new(ROOM),
            asked_to_seed: broadcast::Sender::new(ROOM),
            clock: Arc::new(clock),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        time((self.clock)())
    }

    pub(super) fn recalls(&self) -> LocalTidings {
        LocalTidings::of(self.recalled.subscribe())
    }

    pub(super) fn seeds_asked_for(&self) -> LocalTidings {
        LocalTidings::of(self.asked_to_seed.subscribe())
    }

    pub(super) fn awaiting_seed(&self) -> Vec<OrganizationId> {
        self.books().awaiting.iter().copied().collect()
    }

    pub(super) fn take(&self, take: &Take) -> Taken {
        let now_ms = (self.clock)();
        let mut books = self.books();
        books.sweep(now_ms);
        let Books { of, awaiting, .. } = &mut *books;
        let book = of.entry(take.organization).or_default();
        if take.needs_seed() && !book.seeded {
            awaiting.insert(take.organization);
            // Whoever begins to listen later looks at who waits.
            let _listeners = self.asked_to_seed.send(take.organization.to_string());
            return Taken::Unseeded;
        }
        let book = &mut book.tallies;
        let told: Vec<_> = take
            .demands
            .iter()
            .map(|demand| tell(book, take, demand, now_ms))
            .collect();
        let granted = !told.iter().any(Told::lacks);
        let mut answers = Vec::with_capacity(told.len());
        for (demand, told) in take.demands.iter().zip(told) {
            let tally = book.entry(demand.key.clone()).or_default();
            let (answer, recall) = match granted {
                true => (tally.grant(demand, told, take.holder), false),
                false => tally.refuse(demand, told, now_ms),
            };
            tally.keep(demand.counting, now_ms);
            answers.push(answer);
            if recall {
                self.recall(take.organization, &demand.key);
            }
        }
        Taken::Answered {
            now: time(now_ms),
            granted,
            answers,
        }
    }

    fn recall(&self, organization: OrganizationId, key: &Arc<str>) {
        let recall = Recall {
            organization,
            key: key.clone(),
        };
        // Without listeners nobody holds anything.
        let _listeners = self.recalled.send(recall.to_string());
    }

    pub(super) fn seed(&self, organization: OrganizationId, seeds: &[Seed]) -> bool {
        let now_ms = (self.clock)();
        let mut books = self.books();
        books.awaiting.remove(&organization);
        let book = books.of.entry(organization).or_default();
        if book.seeded {
            return false;
        }
        for seed in seeds {
            let tally = book.tallies.entry(seed.key.clone()).or_default();
            tally.set_part(seed.part, seed.spent);
            tally.keep(seed.counting, now_ms);
        }
        book.seeded = true;
        true
    }

    pub(super) fn correct(&self, organization: OrganizationId, seed: &Seed, right: Right) -> Option<i64> {
        let now_ms = (self.clock)();
        let mut books = self.books();
        let book = books.of.get_mut(&organization).filter(|book| book.seeded)?;
        let tally = book.tallies.entry(seed.key.clone()).or_default();
        let before = tally.part(seed.part);
        let after = match right {
            Right::AtLeast => before.max(seed.spent),
            Right::To => seed.spent,
        };
        tally.set_part(seed.part, after);
        tally.keep(seed.counting, now_ms);
        Some(after - before)
    }

    pub(super) fn standing(&self, organization: OrganizationId, keys: &[Arc<str>]) -> Vec<CounterStanding> {
        let now_ms = (self.clock)();
        let books = self.books();
        let book = books.of.get(&organization);
        let found = |key: &Arc<str>| book.and_then(|book| book.tallies.get(key));
        let standing = |key: &Arc<str>| found(key).map(|tally| tally.standing(now_ms));
        keys.iter().map(|key| standing(key).unwrap_or_default()).collect()
    }

    pub(super) fn forget(&self, organization: OrganizationId, keys: &[Arc<str>]) {
        if let Some(book) = self.books().of.get_mut(&organization) {
            book.tallies.retain(|key, _| !keys.contains(key));
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(book: &mut HashMap<Arc<str>, Tally>, take: &Take, demand: &CounterDemand, now_ms: i64) -> Told {
    let carried = demand.carry.as_ref().map_or(0, |carry| {
        let previous = book.get(&carry.previous);
        previous.map_or(carry.amount, |tally| tally.left_of(carry.amount, now_ms))
    });
    let tally = book.entry(demand.key.clone()).or_default();
    tally.tell(demand, carried, take.holder, take.number, now_ms)
}

impl Books {
    fn sweep(&mut self, now_ms: i64) {
        if now_ms < self.swept_at_ms + SWEEP_EVERY_MS {
            return;
        }
        self.swept_at_ms = now_ms;
        for book in self.of.values_mut() {
            book.tallies.retain(|_, tally| !tally.is_over(now_ms));
        }
    }
}

impl Default for LocalCounters {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LocalCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCounters").finish_non_exhaustive()
    }
}
