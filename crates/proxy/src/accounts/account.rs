//! One counter as this node has it. Of its lease it uses what is reserved and what was spent and is not known to be
//! counted: that never goes beyond the lease, but for what requests cost more than they had reserved.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_coord::{CounterAnswer, CounterDemand, Report};
use gatewright_types::OrganizationId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::knowledge::{self, Knowledge, Own, share_while_away};
use super::pace::Pace;
use super::{Counter, Standing};

/// How long leases last after a node's last sign of life.
const LEASE_LASTS: Duration = Duration::from_secs(30);
/// Long enough for a node to come back and hand over what it had let through.
const EXACT_LEASE_LASTS: Duration = Duration::from_secs(600);
/// Who found a cap spent is not asked again for so long.
const SPENT_FOR: Duration = Duration::from_millis(250);
const UNSEEDED_FOR: Duration = Duration::from_millis(200);
const FILLED_WITHIN: Duration = Duration::from_secs(10);
/// A recall is told again while it stands.
const RECALLED_FOR: Duration = Duration::from_secs(2);
/// What was not used for so long gives back all of its lease.
const IDLE_AFTER: Duration = Duration::from_secs(15);
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Account {
    pub(super) organization: OrganizationId,
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
    unreported: BTreeMap<i64, i64>,
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
    unseeded_until: Instant,
    /// Since when they are awaited; absent while they are filled.
    unseeded_since: Option<Instant>,
    recalled_until: Instant,
    /// It is on the list of those that have to be told of soon.
    hurried: bool,
    last_used: Instant,
    last_told: Instant,
}

/// What comes of asking.
#[derive(Debug)]
pub(super) enum Asking {
    /// Reserved, so that nobody takes it meanwhile: ask for this.
    Begun(CounterDemand),
    Not(NotNow),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotNow {
    /// Somebody else asks.
    Busy,
    /// Others wait for their turn.
    Queued,
    Spent,
    Unseeded,
}

/// Why a counter is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    InStep,
    Leaving,
}

/// A place in the queue of an account, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) account: Arc<Account>,
    pub(super) called: Arc<Notify>,
}

impl Account {
    pub(super) fn new(organization: OrganizationId, counter: &Counter) -> Self {
        let now = Instant::now();
        Self {
            organization,
            state: Mutex::new(State {
                counter: counter.clone(),
                lease: 0,
                lease_until: now,
                reserved: 0,
                unreported: BTreeMap::new(),
                reported: None,
                asking: false,
                waiting: 0,
                queue: VecDeque::new(),
                pace: Pace::new(now),
                knowledge: None,
                spent_until: now,
                unseeded_until: now,
                unseeded_since: None,
                recalled_until: now,
                hurried: false,
                last_used: now,
                last_told: now,
            }),
            answered: Notify::new(),
        }
    }

    /// Whether the lease had room for it.
    pub(super) fn reserve(&self, counter: &Counter, amount: i64, turn: Option<&Turn>) -> bool {
        let now = Instant::now();
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

    /// Reserves it ahead of the answer.
    pub(super) fn ask(
        &self,
        counter: &Counter,
        amount: i64,
        turn: Option<&Turn>,
        next_number: impl FnOnce() -> u64,
    ) -> Asking {
        let now = Instant::now();
        let mut state = self.state();
        if state.asking {
            return Asking::Not(NotNow::Busy);
        }
        if !self.is_next(&state, turn) {
            return Asking::Not(NotNow::Queued);
        }
        if now < state.unseeded_until {
            return Asking::Not(NotNow::Unseeded);
        }
        let known_spent = now < state.spent_until
            && state
                .knowledge
                .is_some_and(|known| known.is_beyond(counter, state.spent_unreported() + amount));
        if known_spent {
            return Asking::Not(NotNow::Spent);
        }
        state.begin_report(next_number);
        let outstanding = state.outstanding();
        let required = outstanding + amount;
        let ahead = state.pace.ahead(state.reserved, now).max(state.reserved + 2 * amount);
        // What is free of the lease is too little for it, and may do for others should there be no more.
        state.lease = state.lease.min(outstanding + state.reported_sum());
        let wished = required.saturating_add(state.waiting).saturating_add(ahead);
        let demand = state.demand(outstanding, required, wished);
        state.asking = true;
        state.add(amount);
        Asking::Begun(demand)
    }

    /// What is to be told of it by the way, if anything.
    pub(super) fn tell(&self, telling: Telling, next_number: impl FnOnce() -> u64) -> Option<CounterDemand> {
        let now = Instant::now();
        let mut state = self.state();
        state.hurried = false;
        if state.asking {
            return None;
        }
        state.begin_report(next_number);
        let outstanding = state.outstanding();
        let gives_all = telling == Telling::Leaving
            || now.duration_since(state.last_used) > IDLE_AFTER
            || (now < state.recalled_until && state.queue.is_empty());
        let ahead = match gives_all {
            true => 0,
            false => state.pace.ahead(state.reserved, now),
        };
        let wished = outstanding.saturating_add(ahead);
        let lease = state.lease_to_come(now);
        let is_ample = gives_all || lease / 2 > wished;
        let held = match is_ample {
            true => lease.min(wished),
            false => lease,
        };
        let lasts = state.lasts();
        let renews = lease > 0 && now.duration_since(state.last_told) > lasts / 3;
        let grows = !gives_all && lease < wished;
        if state.reported.is_none() && held == lease && !renews && !grows {
            return None;
        }
        if now.duration_since(state.last_told) >= Duration::from_secs(1) {
            state.pace.turn(now);
        }
        state.asking = true;
        // At once: others may have it before this node hears of that.
        state.lease = state.lease.min(held.max(outstanding) + state.reported_sum());
        Some(state.demand(held, 0, wished.max(held)))
    }

    /// Of a call that was made at `asked_at`. `amount` was reserved ahead of it and stays reserved where it was granted.
    /// Whether it should be told of soon.
    pub(super) fn answered(
        &self,
        answer: &CounterAnswer,
        granted: bool,
        amount: i64,
        asked_at: Instant,
        now: DateTime<Utc>,
    ) -> bool {
        let mut state = self.state();
        state.asking = false;
        state.unseeded_since = None;
        state.reported = None;
        state.lease = answer.lease;
        state.lease_until = asked_at + state.lasts();
        state.last_told = asked_at;
        state.knowledge = Some(Knowledge::of(answer, &state.counter, now));
        if answer.recalled {
            state.recalled_until = Instant::now() + RECALLED_FOR;
        }
        if !granted {
            state.reserved -= amount;
            if answer.lacks {
                state.spent_until = Instant::now() + SPENT_FOR;
            }
        }
        if state.lease > state.used() {
            state.call_next();
        }
        let hurries = state.is_to_hurry();
        drop(state);
        self.answered.notify_waiters();
        hurries
    }

    /// A call has no answer, and it is not known whether it was heard.
    pub(super) fn unanswered(&self, amount: i64) {
        let mut state = self.state();
        state.asking = false;
        state.reserved -= amount;
        drop(state);
        self.answered.notify_waiters();
    }

    pub(super) fn unseeded(&self) {
        let now = Instant::now();
        let mut state = self.state();
        state.unseeded_until = now + UNSEEDED_FOR;
        state.unseeded_since.get_or_insert(now);
    }

    /// Whether the counters are about to be filled, as they are when an organization's first budget is met. Where that
    /// takes long nobody fills them, and each budget goes by what it says of that.
    pub(super) fn is_filled_soon(&self) -> bool {
        let since = self.state().unseeded_since;
        since.is_some_and(|since| since.elapsed() < FILLED_WITHIN)
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
        state.recalled_until = Instant::now() + RECALLED_FOR;
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
        knowledge::standing(state.knowledge.as_ref(), own, counter, now)
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

    /// Waits until whoever asks has an answer; what the waiting one needs is asked for by the next.
    pub(super) async fn answer_of_another(&self, amount: i64) {
        let _waiting = Waiting::new(self, amount);
        let mut answered = std::pin::pin!(self.answered.notified());
        answered.as_mut().enable();
        let is_asking = self.state().asking;
        if is_asking {
            answered.await;
        }
    }

    pub(super) fn queue(account: &Arc<Self>) -> Turn {
        let called = Arc::new(Notify::new());
        account.state().queue.push_back(called.clone());
        Turn {
            account: account.clone(),
            called,
        }
    }

    pub(super) fn is_head(&self, turn: &Turn) -> bool {
        self.state()
            .queue
            .front()
            .is_some_and(|head| Arc::ptr_eq(head, &turn.called))
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

    /// Nobody waits, or whoever asks is whose turn it is.
    fn is_next(&self, state: &State, turn: Option<&Turn>) -> bool {
        let own = turn.filter(|turn| std::ptr::eq(&*turn.account, self));
        match (state.queue.front(), own) {
            (None, _) => true,
            (Some(head), Some(turn)) => Arc::ptr_eq(head, &turn.called),
            (Some(_), None) => false,
        }
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
            *self.unreported.entry(part).or_default() += amount;
            self.pace.spends(amount);
        }
    }

    fn begin_report(&mut self, next_number: impl FnOnce() -> u64) {
        if self.reported.is_none() && !self.unreported.is_empty() {
            self.reported = Some(Report {
                number: next_number(),
                parts: std::mem::take(&mut self.unreported).into_iter().collect(),
            });
        }
    }

    fn demand(&self, held: i64, required: i64, wished: i64) -> CounterDemand {
        let outstanding = self.outstanding();
        CounterDemand {
            key: self.counter.key.clone(),
            cap: self.counter.cap,
            counting: self.counter.counting,
            carry: self.counter.carry.clone(),
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

    fn spent_unreported(&self) -> i64 {
        self.unreported.values().sum()
    }

    fn reported_sum(&self) -> i64 {
        let parts = self.reported.iter().flat_map(|report| &report.parts);
        parts.map(|(_, amount)| amount).sum()
    }

    fn parts(&self) -> impl Iterator<Item = (i64, i64)> {
        let reported = self.reported.iter().flat_map(|report| report.parts.iter().copied());
        reported.chain(self.unreported.iter().map(|(part, amount)| (*part, *amount)))
    }

    /// While nobody can be told, what stopped to count does not have to be told any more.
    fn forget_what_passed(&mut self, now: DateTime<Utc>) {
        let first = self.counter.counting.first_part(now);
        self.unreported.retain(|part, _| *part >= first);
    }

    fn call_next(&self) {
        if let Some(next) = self.queue.front() {
            next.notify_one();
        }
    }

    fn is_to_hurry(&mut self) -> bool {
        let now = Instant::now();
        // Free, or spent by now: others wait for it no longer when they know.
        let tells = self.lease > self.used() || !self.unreported.is_empty();
        let gives = now < self.recalled_until && self.queue.is_empty() && tells;
        let hurries = gives && !self.hurried;
        self.hurried |= hurries;
        hurries
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.account.state();
        state.queue.retain(|place| !Arc::ptr_eq(place, &self.called));
        state.call_next();
    }
}

/// Counts what somebody needs who waits for the answer to another.
struct Waiting<'a> {
    account: &'a Account,
    amount: i64,
}

impl<'a> Waiting<'a> {
    fn new(account: &'a Account, amount: i64) -> Self {
        account.state().waiting += amount;
        Self { account, amount }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.account.state().waiting -= self.amount;
    }
}
