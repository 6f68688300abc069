//! Keeps the counters and this node in step: reports what was spent, renews leases, and gives back what is not used: by
//! and by, at once where others need it, and all of it when the node stops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use gatewright_coord::{Heard, Recall};
use gatewright_types::OrganizationId;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::account::{Account, Telling};
use super::call::{Call, Outcome};
use super::{Accounts, Inner};

const EVERY: Duration = Duration::from_secs(5);
/// What others wait for is gathered for so long.
const GATHER: Duration = Duration::from_millis(5);
const LISTEN_FOR: Duration = Duration::from_secs(60);
/// One call takes no more counters than that, so that nobody waits long for it.
const AT_ONCE: usize = 64;
const SIDE_BY_SIDE: usize = 4;
const LAST_TRIES: u32 = 3;
const BETWEEN_LAST_TRIES: Duration = Duration::from_millis(300);

/// Accounts that have to be told of sooner than by and by.
#[derive(Debug, Default)]
pub(super) struct Urgent {
    accounts: Mutex<Vec<Arc<Account>>>,
    called: Notify,
}

impl Urgent {
    pub(super) fn add(&self, account: &Arc<Account>) {
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(account.clone());
        self.called.notify_one();
    }

    fn take(&self) -> Vec<Arc<Account>> {
        std::mem::take(&mut *self.accounts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Accounts {
    /// Until told to stop, which gives back everything.
    pub async fn keep_in_step(self, mut stop: watch::Receiver<bool>) {
        let inner = &*self.inner;
        let mut recalls = inner.counters.recalls();
        let mut next = Instant::now();
        while !*stop.borrow() {
            tokio::select! {
                heard = recalls.next(LISTEN_FOR) => inner.hear(heard),
                () = inner.urgent.called.notified() => {
                    sleep(GATHER).await;
                    inner.tell(inner.urgent.take(), Telling::InStep).await;
                }
                () = sleep_until(next) => {
                    inner.in_step().await;
                    next = Instant::now() + EVERY;
                }
                _ = stop.changed() => {}
            }
        }
        inner.give_back().await;
    }
}

impl Inner {
    fn hear(&self, heard: Heard) {
        match heard {
            Heard::Tiding(text) => {
                let recall = Recall::read(&text);
                let key = recall.and_then(|recall| Some((recall.organization, recall.key.parse().ok()?)));
                self.recall(key.and_then(|(organization, key)| self.shelves.find(organization, &key)));
            }
            // Others may wait for anything.
            Heard::Missed => self.recall(self.shelves.all()),
            Heard::Nothing => {}
        }
    }

    fn recall(&self, accounts: impl IntoIterator<Item = Arc<Account>>) {
        for account in accounts {
            if account.recall() {
                self.urgent.add(&account);
            }
        }
    }

    async fn in_step(&self) {
        if self.away.may_ask() {
            self.tell(self.shelves.all(), Telling::InStep).await;
            self.know_the_time().await;
        }
        self.shelves.sweep(Instant::now());
    }

    /// Every answer says it; a node that has none asks.
    async fn know_the_time(&self) {
        let asked_at = Instant::now();
        if self.clock.is_known(asked_at) {
            return;
        }
        self.metrics.counter_round_trip();
        match self.counters.now().await {
            Ok(now) => self.clock.learn(now, asked_at),
            Err(error) => tracing::debug!(%error, "the counters' time is not known"),
        }
    }

    /// Whether everything was heard.
    async fn tell(&self, accounts: Vec<Arc<Account>>, telling: Telling) -> bool {
        let mut of: HashMap<OrganizationId, Vec<Arc<Account>>> = HashMap::new();
        for account in accounts {
            of.entry(account.organization).or_default().push(account);
        }
        let told = futures_util::stream::iter(of)
            .map(|(organization, accounts)| async move {
                let mut heard = true;
                for accounts in accounts.chunks(AT_ONCE) {
                    heard &= self.tell_of(organization, accounts, telling).await;
                }
                heard
            })
            .buffer_unordered(SIDE_BY_SIDE);
        told.fold(true, |all, heard| std::future::ready(all && heard)).await
    }

    async fn tell_of(&self, organization: OrganizationId, accounts: &[Arc<Account>], telling: Telling) -> bool {
        let mut call = Call::default();
        for account in accounts {
            if let Some(demand) = account.tell(telling, || self.next_number()) {
                call.add(account, 0, demand);
            }
        }
        if call.is_empty() {
            return true;
        }
        !matches!(call.make(self, organization).await, Outcome::Unknown)
    }

    async fn give_back(&self) {
        for _ in 0..LAST_TRIES {
            if self.tell(self.shelves.all(), Telling::Leaving).await {
                return;
            }
            sleep(BETWEEN_LAST_TRIES).await;
        }
        tracing::warn!("leases of budgets and limits are not given back: they end by themselves");
    }
}
