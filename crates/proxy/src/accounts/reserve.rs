//! How a request gets what it needs: from the leases at hand, else by one call for all that they lack, else by waiting
//! until others spend less than they have reserved.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatewright_types::OrganizationId;
use gatewright_types::api::WhenUnavailable;
use tokio::time::{Instant, sleep, timeout};

use super::account::{Account, Asking, NotNow, Turn};
use super::call::{Call, Outcome};
use super::reservation::Entry;
use super::{Counter, Demand, Denied, Inner, Reservation};

/// Even a request without patience waits so long for what other nodes hold and do not use.
const RECALL_PATIENCE: Duration = Duration::from_millis(100);
/// Whoever waits looks again after a pause, which becomes longer, and sooner when something is settled on this node.
const PAUSE_MS: u64 = 10;
const LONGEST_PAUSE_MS: u64 = 80;
/// Whether counters are filled by now.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What is wanted of one account: the sum of the demands for it.
struct Wanted<'a> {
    account: Arc<Account>,
    counter: &'a Counter,
    amount: i64,
    index: usize,
}

enum Attempt {
    Reserved,
    /// The demand that is in the way, and whether others may make room for it.
    Spent {
        place: usize,
        waits: Waits,
    },
    Unavailable {
        place: usize,
    },
    /// The counters are about to be filled.
    Unfilled,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    InVain,
    /// Requests of this node have reserved it.
    ForOurs,
    ForOthers,
}

impl Reservation {
    /// Reserves more, all or nothing of it. What was reserved before stays.
    pub async fn add(&mut self, demands: &[Demand], patience: Option<Duration>) -> Result<(), Denied> {
        let inner = self.accounts.inner.clone();
        let now = inner.now();
        let mut wanted: Vec<Wanted<'_>> = Vec::with_capacity(demands.len());
        let mut entries = Vec::with_capacity(demands.len());
        for (index, Demand { counter, amount }) in demands.iter().enumerate() {
            let account = inner.shelves.open(self.organization, counter);
            entries.push(Entry {
                account: account.clone(),
                reserved: *amount,
                part: counter.counting.part(now),
                settled: None,
            });
            match wanted.iter_mut().find(|wanted| Arc::ptr_eq(&wanted.account, &account)) {
                Some(wanted) => wanted.amount += amount,
                None => wanted.push(Wanted {
                    account,
                    counter,
                    amount: *amount,
                    index,
                }),
            }
        }
        inner.reserve(self.organization, &wanted, patience).await?;
        match self.entries.is_empty() {
            true => self.entries = entries,
            false => self.entries.append(&mut entries),
        }
        Ok(())
    }
}

impl Inner {
    async fn reserve(
        &self,
        organization: OrganizationId,
        wanted: &[Wanted<'_>],
        patience: Option<Duration>,
    ) -> Result<(), Denied> {
        let began = Instant::now();
        let mut turn: Option<Turn> = None;
        let mut tries = 0;
        loop {
            tries += 1;
            let (place, waits) = match self.attempt(organization, wanted, turn.as_ref()).await {
                Attempt::Reserved => return Ok(()),
                Attempt::Unavailable { place } => {
                    let index = wanted.get(place).map_or(0, |wanted| wanted.index);
                    return Err(Denied::Unavailable { index });
                }
                Attempt::Unfilled => {
                    sleep(LOOK_AGAIN).await;
                    continue;
                }
                Attempt::Spent { place, waits } => (place, waits),
            };
            let Some(spent) = wanted.get(place) else { continue };
            let patience = match waits {
                Waits::InVain => Duration::ZERO,
                Waits::ForOurs => patience.unwrap_or_default(),
                Waits::ForOthers => patience.unwrap_or(RECALL_PATIENCE).max(RECALL_PATIENCE),
            };
            let left = patience.saturating_sub(began.elapsed());
            if left.is_zero() {
                let standing = spent.account.standing(spent.counter, self.now());
                return Err(Denied::Spent {
                    index: spent.index,
                    standing,
                });
            }
            let stays = turn
                .as_ref()
                .is_some_and(|turn| Arc::ptr_eq(&turn.account, &spent.account));
            if !stays {
                turn = Some(Account::queue(&spent.account));
            }
            if let Some(turn) = &turn {
                self.wait_for(turn, tries, left).await;
            }
        }
    }

    /// Until it is this one's turn and something may have changed.
    async fn wait_for(&self, turn: &Turn, tries: u64, at_most: Duration) {
        let pause = match turn.account.is_head(turn) {
            true => {
                let pause = (PAUSE_MS * tries).min(LONGEST_PAUSE_MS);
                let differs = self
                    .next_number()
                    .wrapping_mul(7919)
                    .wrapping_add(self.holder.incarnation);
                Duration::from_millis(pause / 2 + differs % pause)
            }
            false => at_most,
        };
        // Either way it is tried again.
        let _called = timeout(pause.min(at_most), turn.called.notified()).await;
    }

    async fn attempt(&self, organization: OrganizationId, wanted: &[Wanted<'_>], turn: Option<&Turn>) -> Attempt {
        loop {
            let mut held = Held {
                wanted: Vec::with_capacity(wanted.len()),
            };
            let mut lacking: Vec<usize> = Vec::new();
            let at = Instant::now();
            for (place, one) in wanted.iter().enumerate() {
                match one.account.reserve(one.counter, one.amount, turn, at) {
                    true => held.take(one),
                    false => lacking.push(place),
                }
            }
            if lacking.is_empty() {
                held.keep();
                return Attempt::Reserved;
            }
            if !self.away.may_ask() {
                return self.by_what_is_known(wanted, &lacking, held);
            }
            // In the same order for all, so that no two wait for each other.
            lacking.sort_unstable_by_key(|place| wanted.get(*place).map(|one| Arc::as_ptr(&one.account)));
            let mut call = Call::default();
            let mut stopped = None;
            for place in lacking.iter().copied() {
                let Some(one) = wanted.get(place) else { continue };
                match one.account.ask(one.counter, one.amount, turn, || self.next_number()) {
                    Asking::Begun(demand) => call.add(&one.account, one.amount, demand),
                    Asking::Not(why) => {
                        stopped = Some((place, one, why));
                        break;
                    }
                }
            }
            let Some((place, one, why)) = stopped else {
                return match call.make(self, organization).await {
                    Outcome::Granted => {
                        held.keep();
                        Attempt::Reserved
                    }
                    Outcome::Refused { lacking: lacks } => {
                        let places = lacks.iter().filter_map(|lack| lacking.get(*lack)).copied();
                        in_the_way(wanted, places)
                    }
                    Outcome::Unfilled { soon: true } => Attempt::Unfilled,
                    Outcome::Unfilled { soon: false } | Outcome::Unknown => {
                        self.by_what_is_known(wanted, &lacking, held)
                    }
                };
            };
            drop(call);
            let waits = match why {
                NotNow::Busy => {
                    drop(held);
                    one.account.answer_of_another(one.amount).await;
                    continue;
                }
                NotNow::Unseeded { filled_soon: true } => return Attempt::Unfilled,
                NotNow::Unseeded { filled_soon: false } => return self.by_what_is_known(wanted, &lacking, held),
                NotNow::Queued => Waits::ForOthers,
                NotNow::Spent => Waits::InVain,
            };
            return Attempt::Spent { place, waits };
        }
    }

    /// Where nobody can be asked, every counter says for itself what that means.
    fn by_what_is_known<'a>(&self, wanted: &'a [Wanted<'a>], lacking: &[usize], mut held: Held<'a>) -> Attempt {
        let (now, nodes) = (self.now(), self.nodes.load(Ordering::Relaxed));
        for place in lacking.iter().copied() {
            let Some(one) = wanted.get(place) else { continue };
            match one.counter.when_unavailable {
                WhenUnavailable::Deny => return Attempt::Unavailable { place },
                WhenUnavailable::Local => {
                    if !one.account.reserve_while_away(one.counter, one.amount, nodes, now) {
                        return Attempt::Spent {
                            place,
                            waits: Waits::InVain,
                        };
                    }
                    held.take(one);
                }
            }
        }
        held.keep();
        Attempt::Reserved
    }
}

/// Of those that lack something, the one for which waiting is in vain, else the first.
fn in_the_way(wanted: &[Wanted<'_>], places: impl Iterator<Item = usize>) -> Attempt {
    let mut found = None;
    for place in places {
        let Some(one) = wanted.get(place) else { continue };
        if !one.account.may_fit_later(one.counter, one.amount) {
            return Attempt::Spent {
                place,
                waits: Waits::InVain,
            };
        }
        let waits = match one.account.others_hold() {
            true => Waits::ForOthers,
            false => Waits::ForOurs,
        };
        found.get_or_insert(Attempt::Spent { place, waits });
    }
    found.unwrap_or(Attempt::Spent {
        place: 0,
        waits: Waits::ForOurs,
    })
}

/// What an attempt has reserved so far; released when it comes to nothing.
struct Held<'a> {
    wanted: Vec<&'a Wanted<'a>>,
}

impl<'a> Held<'a> {
    fn take(&mut self, one: &'a Wanted<'a>) {
        self.wanted.push(one);
    }

    fn keep(mut self) {
        self.wanted.clear();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for one in &self.wanted {
            one.account.release(one.amount);
        }
    }
}
