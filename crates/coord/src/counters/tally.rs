//! One counter in memory, and the arithmetic of a call. `take.lua` is the same in Redis.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gatewright_contract::Counting;

use super::{CounterAnswer, CounterDemand, CounterStanding, Holder};

/// A node that was silent for longer does not share in what is left.
pub(super) const LIVELY_MS: i64 = 60_000;
/// A holder that was silent for longer is forgotten, and with it which of its reports were counted.
pub(super) const HOLDER_FORGOTTEN_AFTER_MS: i64 = 24 * 60 * 60 * 1000;
/// Leases beyond what is required are at most one of so many parts, for each node, of what is left.
pub(super) const SHARES: i64 = 4;
/// How long a recall stands.
pub(super) const RECALL_MS: i64 = 2000;
/// A counter lasts so much longer than what can still be asked of it.
pub(super) const GRACE_MS: i64 = 10 * 60 * 1000;

#[derive(Debug, Default)]
pub(super) struct Tally {
    parts: BTreeMap<i64, i64>,
    leases: BTreeMap<Holder, Lease>,
    cap: Option<i64>,
    recalled_until_ms: i64,
    /// For ever when absent.
    expires_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Lease {
    amount: i64,
    until_ms: i64,
    seen_ms: i64,
    call: u64,
    report: u64,
}

/// What became of a demand once its report was counted, and before anything is leased for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    base: i64,
    need: i64,
    available: i64,
    spent: i64,
    others: i64,
    cap: i64,
    nodes: i64,
    recalled: bool,
    /// A later call was answered before.
    pub(super) late: bool,
}

/// How long what was spent may be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keeps {
    /// A moment, in milliseconds since 1970.
    Until(i64),
    /// From the last change on, in milliseconds.
    For(i64),
    Ever,
}

impl Keeps {
    pub(super) fn of(counting: Counting) -> Self {
        match counting {
            // The next period may carry over what this one leaves, and may be some days longer.
            Counting::Period(period) => {
                let length = (period.to - period.from).num_milliseconds();
                Self::Until(period.to.timestamp_millis() + length + length / 4)
            }
            Counting::Rolling { part, parts } => Self::For(part.num_milliseconds() * parts),
            Counting::Total => Self::Ever,
        }
    }

    const fn until(self, now_ms: i64) -> Option<i64> {
        match self {
            Self::Until(until_ms) => Some(until_ms),
            Self::For(for_ms) => Some(now_ms + for_ms),
            Self::Ever => None,
        }
    }
}

impl Told {
    pub(super) const fn lacks(&self) -> bool {
        self.late || (self.need > 0 && self.need > self.available)
    }
}

impl Tally {
    /// Counts the report and what is given back.
    pub(super) fn tell(&mut self, demand: &CounterDemand, carried: i64, by: Holder, number: u64, now_ms: i64) -> Told {
        self.expire(demand.counting, now_ms);
        let cap = demand.cap + carried;
        self.cap = Some(cap);
        let mut lease = self.leases.get(&by).copied().unwrap_or_default();
        let late = number <= lease.call;
        let mut kept = lease.amount;
        if !late {
            if let Some(report) = demand.report.as_ref().filter(|report| report.number > lease.report) {
                lease.report = report.number;
                kept = (kept - self.count(demand.counting, &report.parts, now_ms)).max(0);
            }
            lease.call = number;
        }
        let spent = self.spent();
        let others = self.leased_to_others(by);
        let base = match late {
            true => lease.amount,
            false => {
                let free = (cap - spent - others - kept).max(0);
                demand.held.min(kept + free).max(demand.outstanding)
            }
        };
        if !late {
            lease.amount = base;
            lease.until_ms = now_ms + millis(demand.lasts);
            lease.seen_ms = now_ms;
            self.leases.insert(by, lease);
        }
        Told {
            base,
            need: (demand.required - base).max(0),
            available: cap - spent - others - base,
            spent,
            others,
            cap,
            nodes: self.nodes(now_ms),
            recalled: now_ms < self.recalled_until_ms,
            late,
        }
    }

    /// Leases what is required, and more as far as there is plenty.
    pub(super) fn grant(&mut self, demand: &CounterDemand, told: Told, by: Holder) -> CounterAnswer {
        let required = told.base + told.need;
        let share = ((told.available - told.need) / (SHARES * told.nodes)).max(0);
        let more = match told.recalled {
            true => 0,
            false => (demand.wished - required).clamp(0, share),
        };
        if let Some(lease) = self.leases.get_mut(&by) {
            lease.amount = required + more;
        }
        self.answer(demand, told, required + more)
    }

    /// Leases nothing. Whether others have to be told that what they hold is needed.
    pub(super) fn refuse(&mut self, demand: &CounterDemand, told: Told, now_ms: i64) -> (CounterAnswer, bool) {
        let wanted = told.lacks() && !told.late && told.others > 0;
        let tell = wanted && self.recalled_until_ms < now_ms + RECALL_MS / 2;
        if tell {
            self.recalled_until_ms = now_ms + RECALL_MS;
        }
        (self.answer(demand, told, told.base), tell)
    }

    /// How long it has to be kept is known after each call.
    pub(super) fn keep(&mut self, counting: Counting, now_ms: i64) {
        let leased_until = self.leases.values().map(|lease| lease.until_ms).max().unwrap_or(0);
        let wanted_until = match self.spent() {
            0 => Some(leased_until),
            _ => Keeps::of(counting).until(now_ms).map(|until| until.max(leased_until)),
        };
        self.expires_at_ms = wanted_until.map(|until| until.max(now_ms) + GRACE_MS);
    }

    pub(super) const fn is_over(&self, now_ms: i64) -> bool {
        matches!(self.expires_at_ms, Some(at) if at <= now_ms)
    }

    /// What a period leaves of its amount to the next one.
    pub(super) fn left_of(&self, amount: i64, now_ms: i64) -> i64 {
        let leased: i64 = self.leases.values().map(|lease| lease.at(now_ms)).sum();
        (amount - self.spent() - leased).max(0)
    }

    pub(super) fn part(&self, part: i64) -> i64 {
        self.parts.get(&part).copied().unwrap_or(0)
    }

    pub(super) fn set_part(&mut self, part: i64, spent: i64) {
        self.parts.insert(part, spent);
    }

    pub(super) fn standing(&self, now_ms: i64) -> CounterStanding {
        let mut leased = BTreeMap::new();
        for (holder, lease) in &self.leases {
            let amount = lease.at(now_ms);
            if amount > 0 {
                *leased.entry(holder.node).or_default() += amount;
            }
        }
        CounterStanding {
            parts: self.parts.clone(),
            leased,
            cap: self.cap,
        }
    }

    fn answer(&self, demand: &CounterDemand, told: Told, lease: i64) -> CounterAnswer {
        let oldest = self.parts.iter().find(|(_, spent)| **spent > 0);
        CounterAnswer {
            lease,
            spent: told.spent,
            leased_to_others: told.others,
            cap: told.cap,
            nodes: told.nodes,
            oldest_part: oldest
                .map(|(part, _)| *part)
                .filter(|_| matches!(demand.counting, Counting::Rolling { .. })),
            lacks: told.lacks(),
            recalled: told.recalled,
        }
    }

    /// Drops what does not count any more.
    fn expire(&mut self, counting: Counting, now_ms: i64) {
        let first = counting.first_part(time(now_ms));
        self.parts.retain(|part, _| *part >= first);
        self.leases.retain(|_, lease| {
            lease.amount = lease.at(now_ms);
            lease.seen_ms > now_ms - HOLDER_FORGOTTEN_AFTER_MS
        });
    }

    /// Adds what was spent, also where it counts no longer; the sum of all.
    fn count(&mut self, counting: Counting, parts: &[(i64, i64)], now_ms: i64) -> i64 {
        let first = counting.first_part(time(now_ms));
        for (part, spent) in parts.iter().filter(|(part, _)| *part >= first) {
            *self.parts.entry(*part).or_default() += spent;
        }
        parts.iter().map(|(_, spent)| spent).sum()
    }

    fn spent(&self) -> i64 {
        self.parts.values().sum()
    }

    fn leased_to_others(&self, than: Holder) -> i64 {
        let others = self.leases.iter().filter(|(holder, _)| **holder != than);
        others.map(|(_, lease)| lease.amount).sum()
    }

    fn nodes(&self, now_ms: i64) -> i64 {
        let lively = self.leases.values().filter(|lease| lease.seen_ms > now_ms - LIVELY_MS);
        i64::try_from(lively.count()).unwrap_or(i64::MAX).max(1)
    }
}

impl Lease {
    const fn at(&self, now_ms: i64) -> i64 {
        match self.until_ms > now_ms {
            true => self.amount,
            false => 0,
        }
    }
}

pub(super) fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

pub(super) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
