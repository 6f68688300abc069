//! What nodes say to counters and what they hear from them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Counting, is_in_ledger};
use gatewright_types::{NodeId, OrganizationId};

/// Who holds leases: a node from one start to the next. What an earlier start of it held is not its own any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    pub node: NodeId,
    /// Another one at each start.
    pub incarnation: u64,
}

/// One call for counters of one organization. No key is in it twice.
#[derive(Debug, Clone)]
pub struct Take {
    pub organization: OrganizationId,
    pub holder: Holder,
    /// Grows with each call of a holder; a call that arrives after a later one changes nothing.
    pub number: u64,
    pub demands: Vec<CounterDemand>,
}

impl Take {
    /// Whether it asks for something of which the ledger knows what was spent.
    pub(super) fn needs_seed(&self) -> bool {
        self.demands.iter().any(|demand| is_in_ledger(&demand.key))
    }
}

/// What a node tells and wants of a counter. Amounts are totals, so that an answer that was lost leaves nothing behind.
#[derive(Debug, Clone)]
pub struct CounterDemand {
    pub key: Arc<str>,
    pub cap: i64,
    pub counting: Counting,
    pub carry: Option<Carry>,
    /// The lease ends so long after the node's last sign of life.
    pub lasts: Duration,
    pub report: Option<Report>,
    /// The lease that it goes on to hold once the report is counted; what it had beyond is given back.
    pub held: i64,
    /// Reserved, or spent and in no report: facts, which stay leased in any case.
    pub outstanding: i64,
    /// The lease it cannot do without.
    pub required: i64,
    /// The lease it would like.
    pub wished: i64,
}

/// The cap grows by what the period before left of its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carry {
    /// The counter of the period before.
    pub previous: Arc<str>,
    /// Without what was carried over into that one.
    pub amount: i64,
}

/// What was spent, by the part of time it counts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Grows with each report of a holder. One that is told again has the same number and counts once.
    pub number: u64,
    pub parts: Vec<(i64, i64)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// What was spent of a budget is not known: nothing was counted, and nothing follows.
    Unseeded,
    Answered {
        now: DateTime<Utc>,
        /// Whether every demand got what it required.
        granted: bool,
        /// In the order of the demands.
        answers: Vec<CounterAnswer>,
    },
}

/// How a counter stands for a node after its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterAnswer {
    /// The lease that it has.
    pub lease: i64,
    /// By everybody, as far as reported, within what counts.
    pub spent: i64,
    /// To others.
    pub leased_to_others: i64,
    /// With what was carried over.
    pub cap: i64,
    /// Nodes heard of lately, this one included.
    pub nodes: i64,
    /// The oldest part that counts and in which something was spent.
    pub oldest_part: Option<i64>,
    /// There was too little for what is required.
    pub lacks: bool,
    /// Others need what this node holds and does not use.
    pub recalled: bool,
}

/// Somebody needs what others hold of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    pub organization: OrganizationId,
    pub key: Arc<str>,
}

/// What the ledger has for one part of a counter: the only one of a period, or one of those that roll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    pub key: Arc<str>,
    pub counting: Counting,
    pub part: i64,
    pub spent: i64,
}

/// How a counter is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Something is missing: nodes may have reported what the ledger has not.
    AtLeast,
    To,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CounterStanding {
    /// By the part of time, those that may have passed out of the window included.
    pub parts: BTreeMap<i64, i64>,
    /// What nodes may have spent or reserved and did not report.
    pub leased: BTreeMap<NodeId, i64>,
    /// As a node gave it last, with what was carried over. Absent where none asked yet.
    pub cap: Option<i64>,
}

impl CounterStanding {
    /// What counts at a moment.
    pub fn spent(&self, counting: Counting, now: DateTime<Utc>) -> i64 {
        self.parts
            .range(counting.first_part(now)..)
            .map(|(_, spent)| spent)
            .sum()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node, self.incarnation)
    }
}

impl Recall {
    /// As it was told on the channel; `None` where another release tells it in its way.
    pub fn read(text: &str) -> Option<Self> {
        let (organization, key) = text.split_once(' ')?;
        Some(Self {
            organization: OrganizationId::from_str(organization).ok()?,
            key: key.into(),
        })
    }
}

impl fmt::Display for Recall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.organization, self.key)
    }
}
