//! What a node knows of a counter beside its own part: what the counters answered last.

use chrono::{DateTime, Utc};
use gatewright_contract::Counting;
use gatewright_coord::CounterAnswer;

use super::{Counter, Standing};

#[derive(Debug, Clone, Copy)]
pub(super) struct Knowledge {
    /// By everybody, this node's reports included.
    spent: i64,
    leased_to_others: i64,
    carried: i64,
    /// Neither spent nor leased.
    free: i64,
    oldest_part: Option<i64>,
    at: DateTime<Utc>,
}

/// What this node itself has to do with a counter and did not report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    pub(super) spent_or_reserved: i64,
    pub(super) oldest_part: Option<i64>,
}

impl Knowledge {
    pub(super) fn of(answer: &CounterAnswer, counter: &Counter, at: DateTime<Utc>) -> Self {
        Self {
            spent: answer.spent,
            leased_to_others: answer.leased_to_others,
            carried: answer.cap - counter.cap,
            free: answer.cap - answer.spent - answer.leased_to_others - answer.lease,
            oldest_part: answer.oldest_part,
            at,
        }
    }

    /// Whether so much is beyond the cap even if nobody spends what is reserved.
    pub(super) const fn is_beyond(&self, counter: &Counter, amount: i64) -> bool {
        self.spent + amount > counter.cap + self.carried
    }

    pub(super) const fn others_hold(&self) -> bool {
        self.leased_to_others > 0
    }

    /// All that was spent then may have stopped to count.
    pub(super) fn is_old(&self, counting: Counting, first_part: i64) -> bool {
        match counting {
            Counting::Period(_) | Counting::Total => false,
            Counting::Rolling { .. } => counting.part(self.at) < first_part,
        }
    }
}

/// How a counter stands by what was heard of it and by what this node itself did. `first_part` is the oldest that counts.
pub(super) fn standing(knowledge: Option<&Knowledge>, own: Own, counter: &Counter, first_part: i64) -> Standing {
    let fresh = knowledge.filter(|knowledge| !knowledge.is_old(counter.counting, first_part));
    let of_others = fresh.map_or(0, |known| known.spent + known.leased_to_others);
    let cap = counter.cap + knowledge.map_or(0, |known| known.carried);
    let spent_or_reserved = of_others + own.spent_or_reserved;
    let oldest = [fresh.and_then(|known| known.oldest_part), own.oldest_part];
    let resets_at = match counter.counting {
        Counting::Period(period) => Some(period.to),
        Counting::Total => None,
        Counting::Rolling { .. } => {
            let oldest = oldest.into_iter().flatten().min();
            oldest.and_then(|part| counter.counting.part_counts_until(part.max(first_part)))
        }
    };
    Standing {
        cap,
        spent_or_reserved,
        remaining: (cap - spent_or_reserved).max(0),
        resets_at,
    }
}

/// Of a counter that this node has nothing to do with so far.
pub(super) fn untouched(counter: &Counter, now: DateTime<Utc>) -> Standing {
    let own = Own {
        spent_or_reserved: 0,
        oldest_part: None,
    };
    standing(None, own, counter, counter.counting.first_part(now))
}

/// What a node may let through beside its lease while nobody can be asked: its share of what was left, and of the whole
/// where it is not known what was left.
pub(super) fn share_while_away(
    knowledge: Option<&Knowledge>,
    counter: &Counter,
    nodes: i64,
    now: DateTime<Utc>,
) -> i64 {
    let left = match knowledge {
        Some(known) if !known.is_old(counter.counting, counter.counting.first_part(now)) => known.free,
        Some(_) | None => counter.cap,
    };
    left.max(0) / nodes.max(1)
}
