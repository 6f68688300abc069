//! One counter as this node has it. Of its lease it uses what is reserved and what was spent and is not known to be
//! counted: that never goes beyond the lease, but for what requests cost more than they had reserved.

mod asking;
mod parts;
mod queue;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_coord::{Carry, CounterDemand, Report};
use gatewright_types::OrganizationId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::knowledge::{self, Knowledge, Own, share_while_away};
use super::pace::Pace;
use super::{CarriedOver, Counter, Standing};
use parts::Parts;

pub(super) use asking::{Asking, NotNow, Telling};
pub(super) use queue::Turn;

/// How long leases last after a node's last sign of life.
const LEASE_LASTS: Duration = Duration::from_secs(30);
/// Long enough for a node to come back and hand over what it had let through.
const EXACT_LEASE_LASTS: Duration = Duration::from_secs(600);
/// A recall is told again while it stands.
const RECALLED_FOR: Duration = Duration::from_secs(2);
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Account {
    pub(super) organization: OrganizationId,
    /// As the counters know it.
    key: Arc<str>,
    state: Mutex<State>,
    /// Whoever asked has an answer, or none.
    answered: Notify,
}

#[derive(Debug)]
struct State {
    /// As the last request had it.
    counter: Counter,
    lease: i64,
    lease_until: Instant,
    reserved: i64,
    unreported: Parts,
    /// Told, and not known to be counted.
    reported: Option<Report>,
    /// Somebody asks: others wait for the answer.
    asking: bool,
    /// What those need.
    waiting: i64,
    /// Those who wait for others to spend less than they have reserved, in the order of their arrival.
    queue: VecDeque<Arc<Notify>>,
    pace: Pace,
    knowledge: Option<Knowledge>,
    spent_until: Instant,
    /// As long as they are.
    unseeded: Option<Unseeded>,
    recalled_until: Option<Instant>,
    /// It is on the list of those that have to be told of soon.
    hurried: bool,
    last_used: Instant,
    last_told: Instant,
}

/// The counters were found not to be filled from the ledger.
#[derive(Debug, Clone, Copy)]
struct Unseeded {
    since: Instant,
    /// Nobody asks before.
    again_at: Instant,
}

impl Account {
    pub(super) fn new(organization: OrganizationId, counter: &Counter) -> Self {
        let now = Instant::now();
        Self {
            organization,
            key: counter.key.text(),
            state: Mutex::new(State {
                counter: counter.clone(),
                lease: 0,
                lease_until: now,
                reserved: 0,
                unreported: Parts::default(),
                reported: None,
                asking: false,
                waiting: 0,
                queue: VecDeque::new(),
                pace: Pace::new(now),
                knowledge: None,
                spent_until: now,
                unseeded: None,
                recalled_until: None,
                hurried: false,
                last_used: now,
                last_told: now,
            }),
            answered: Notify::new(),
        }
    }

    /// Whether the lease had room for it.
    pub(super) fn reserve(&self, counter: &Counter, amount: i64, turn: Option<&Turn>, now: Instant) -> bool {
        let mut state = self.state();
        state.meet(counter, now);
        let fits = amount <= 0 || (now < state.lease_until && state.used() + amount <= state.lease);
        let fits = fits && (amount <= 0 || self.is_next(&state, turn));
        if fits {
            state.add(amount);
        }
        fits
    }

    /// By what this node knows, where nobody can be asked.
    pub(super) fn reserve_while_away(&self, counter: &Counter, amount: i64, nodes: i64, now: DateTime<Utc>) -> bool {
        let mut state = self.state();
        state.forget_what_passed(now);
        let share = share_while_away(state.knowledge.as_ref(), counter, nodes, now);
        let fits = state.used() + amount <= state.lease + share;
        if fits {
            state.add(amount);
        }
        fits
    }

    /// Whether it should be told of soon: others wait for what this leaves.
    pub(super) fn settle(&self, reserved: i64, spent: i64, part: i64) -> bool {
        let mut state = self.state();
        state.reserved -= reserved;
        state.spend(part, spent);
        state.call_next();
        state.is_to_hurry()
    }

    /// Nothing came of it.
    pub(super) fn release(&self, reserved: i64) -> bool {
        self.settle(reserved, 0, 0)
    }

    /// What was settled was not right by so much.
    pub(super) fn correct(&self, by: i64, part: i64) -> bool {
        self.settle(0, by, part)
    }

    pub(super) fn recall(&self) -> bool {
        let mut state = self.state();
        state.recalled_until = Some(Instant::now() + RECALLED_FOR);
        state.is_to_hurry()
    }

    pub(super) fn standing(&self, counter: &Counter, now: DateTime<Utc>) -> Standing {
        let state = self.state();
        let first = counter.counting.first_part(now);
        let parts = state.parts().filter(|(part, _)| *part >= first);
        let (mut spent, mut oldest_part) = (0, None);
        for (part, amount) in parts {
            spent += amount;
            oldest_part = Some(oldest_part.map_or(part, |oldest: i64| oldest.min(part)));
        }
        let own = Own {
            spent_or_reserved: spent + state.reserved,
            oldest_part,
        };
        knowledge::standing(state.knowledge.as_ref(), own, counter, first)
    }

    /// Whether so much may fit once others spent less than they have reserved.
    pub(super) fn may_fit_later(&self, counter: &Counter, amount: i64) -> bool {
        let state = self.state();
        let wanted = state.spent_unreported() + amount;
        state.knowledge.is_none_or(|known| !known.is_beyond(counter, wanted))
    }

    pub(super) fn others_hold(&self) -> bool {
        self.state().knowledge.is_some_and(|known| known.others_hold())
    }

    /// Nothing would be lost with it.
    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        let state = self.state();
        now.duration_since(state.last_used) > FORGOTTEN_AFTER
            && state.lease == 0
            && state.used() == 0
            && state.reported.is_none()
            && state.unreported.is_empty()
            && !state.asking
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes on what is configured by now. Of a cap that was lowered only what is used stays leased until somebody asks.
    fn meet(&mut self, counter: &Counter, now: Instant) {
        self.last_used = now;
        if self.counter == *counter {
            return;
        }
        if counter.cap < self.counter.cap {
            self.lease = self.lease.min(self.used());
        }
        self.spent_until = now;
        self.counter = counter.clone();
    }

    fn add(&mut self, amount: i64) {
        self.reserved += amount;
        self.pace.reserves(self.reserved);
    }

    fn spend(&mut self, part: i64, amount: i64) {
        if amount != 0 {
            self.unreported.add(part, amount);
            self.pace.spends(amount);
        }
    }

    fn begin_report(&mut self, next_number: impl FnOnce() -> u64) {
        if self.reported.is_none() && !self.unreported.is_empty() {
            self.reported = Some(Report {
                number: next_number(),
                parts: std::mem::take(&mut self.unreported).into(),
            });
        }
    }

    fn demand(&self, key: &Arc<str>, held: i64, required: i64, wished: i64) -> CounterDemand {
        let outstanding = self.outstanding();
        CounterDemand {
            key: key.clone(),
            cap: self.counter.cap,
            counting: self.counter.counting,
            carry: self
                .counter
                .carry
                .as_ref()
                .map(|CarriedOver { previous, amount }| Carry {
                    previous: previous.text(),
                    amount: *amount,
                }),
            lasts: self.lasts(),
            report: self.reported.clone(),
            held: held.max(outstanding),
            outstanding,
            required,
            wished,
        }
    }

    const fn lasts(&self) -> Duration {
        match self.counter.exact {
            true => EXACT_LEASE_LASTS,
            false => LEASE_LASTS,
        }
    }

    /// Of the lease.
    fn used(&self) -> i64 {
        self.reserved + self.spent_unreported() + self.reported_sum()
    }

    /// Of what the lease will be once the report is counted.
    fn outstanding(&self) -> i64 {
        (self.reserved + self.spent_unreported()).max(0)
    }

    /// Once the report is counted. One that has ended may be others' by now.
    fn lease_to_come(&self, now: Instant) -> i64 {
        match now < self.lease_until {
            true => (self.lease - self.reported_sum()).max(0),
            false => 0,
        }
    }

    const fn spent_unreported(&self) -> i64 {
        self.unreported.sum()
    }

    fn reported_sum(&self) -> i64 {
        let parts = self.reported.iter().flat_map(|report| &report.parts);
        parts.map(|(_, amount)| amount).sum()
    }

    fn parts(&self) -> impl Iterator<Item = (i64, i64)> {
        let reported = self.reported.iter().flat_map(|report| report.parts.iter().copied());
        reported.chain(self.unreported.iter())
    }

    /// While nobody can be told, what stopped to count does not have to be told any more.
    fn forget_what_passed(&mut self, now: DateTime<Utc>) {
        let first = self.counter.counting.first_part(now);
        self.unreported.forget_before(first);
    }

    fn call_next(&self) {
        if let Some(next) = self.queue.front() {
            next.notify_one();
        }
    }

    fn is_to_hurry(&mut self) -> bool {
        if !self.is_recalled() {
            return false;
        }
        // Free, or spent by now: others wait for it no longer when they know.
        let tells = self.lease > self.used() || !self.unreported.is_empty();
        let hurries = self.queue.is_empty() && tells && !self.hurried;
        self.hurried |= hurries;
        hurries
    }

    /// Hardly ever: the time is asked only then.
    fn is_recalled(&mut self) -> bool {
        self.recalled_until = self.recalled_until.filter(|until| Instant::now() < *until);
        self.recalled_until.is_some()
    }
}
