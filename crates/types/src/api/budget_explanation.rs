//! Why a budget stands where it stands, and how far beyond its cap it may end.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Budget;
use super::catalog::words;
use crate::{DisplayName, Nanos};

words! {
    /// How a budget keeps to its cap.
    BudgetBound {
        /// Requests reserve what they usually cost. What is spent beyond the cap is bounded.
        Smooth = "smooth",
        /// Requests reserve the most that they can cost.
        Strict = "strict",
        /// It refuses nobody: it only tells, or sends requests to another model.
        None = "none",
    }

    /// In which case a bound does not hold.
    BoundException {
        /// The counters were lost before nodes had handed over what they spent.
        CountersLost = "counters_lost",
        /// A node was killed and did not come back in time.
        NodeLost = "node_lost",
        /// Nodes that cannot ask go on by what they know.
        Unavailable = "unavailable",
        /// What has no price counts as nothing.
        Unpriced = "unpriced",
        /// Requests that were let in are priced anew, or the cap is made smaller.
        Changed = "changed",
        /// Requests before the budget was made come in late.
        Opening = "opening",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetExplanation {
    /// By the nodes' clock.
    pub at: DateTime<Utc>,
    pub budget: Budget,
    pub bound: BudgetBound,
    /// The bound in words.
    pub formula: String,
    /// In the window of now: one, or of a budget for each one for each of whom something is known.
    pub standings: Vec<BudgetStanding>,
    /// Nodes that serve requests, as far as they were heard of lately; null while that cannot be asked.
    pub nodes: Option<u32>,
    pub exceptions: Vec<ExplainedException>,
    /// Requests of this window that began before it were removed before the budget counted them: what they spent is in
    /// none of these numbers. Null where everything is known.
    #[serde(default)]
    pub known_from: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetStanding {
    /// Of a budget for each: for whom.
    pub name: Option<DisplayName>,
    /// The amount with increases and what was carried over.
    pub cap: Nanos,
    /// What requests' rows say, with what was added to them afterwards.
    pub rows: SpentByRequests,
    /// What was kept with them: `rows`, those that are no longer kept, and what was spent before the budget was made.
    pub ledger: Nanos,
    /// What nodes go by; null while that cannot be asked.
    pub counter: Option<CounterReading>,
    /// Of the cap, beyond what is spent and leased.
    pub remaining: Nanos,
    /// What is spent beyond the cap.
    pub beyond: Nanos,
    pub worst: Option<WorstCase>,
}

/// Requests of a window whose rows are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpentByRequests {
    pub requests: u64,
    pub cost: Nanos,
    /// What the dearest of them cost.
    pub dearest: Nanos,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CounterReading {
    pub spent: Nanos,
    /// Given to nodes: reserved for requests under way, spent and not reported yet, or at hand for the next ones.
    pub leased: Nanos,
    /// How many nodes have such a lease.
    pub leases: u32,
}

/// The formula with the numbers of now, as if all that is leased or left were reserved by requests that reserve what is
/// usual in this window and cost what the dearest did. Requests under way are known to their nodes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorstCase {
    /// What a request of this window cost in the mean: about what each reserves.
    pub usual: Nanos,
    pub dearest: Nanos,
    /// So many that reserve so much fit into what is leased and what is left.
    pub under_way: u64,
    /// What these would cost beyond what they reserve.
    pub beyond: Nanos,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainedException {
    pub case: BoundException,
    pub text: String,
}
