//! The ledger: whether everything that is derived from requests' rows says what the rows say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::{BudgetId, DisplayName, KeyId, Nanos, RequestId, Slug, TeamId};

words! {
    /// What is compared with the rows of requests.
    LedgerCheck {
        /// Each row's own lines: what they add up to.
        Lines = "lines",
        /// What was added to rows' costs afterwards: its own lines, and what was there before.
        Adjustments = "adjustments",
        /// Sums of usage by minute, as long as they are kept.
        Minutes = "minutes",
        Hours = "hours",
        Days = "days",
        /// What was spent in each budget's windows.
        BudgetSpend = "budget_spend",
        /// What the nodes go by, in the windows of now.
        Counters = "counters",
    }
}

/// Everything that is kept where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LedgerVerificationQuery {
    /// Widened to the beginning of its day, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Widened to the end of its day. With it budgets are left out: their windows may go on after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// All of one moment, whatever comes in meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerVerification {
    /// Nothing differs.
    pub clean: bool,
    pub at: DateTime<Utc>,
    /// Since when rows were read; null when since ever.
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub requests: u64,
    /// What the rows say that they cost.
    pub cost: Nanos,
    pub checks: Vec<LedgerCheckResult>,
    /// The first 100 of each check.
    pub differences: Vec<LedgerDifference>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerCheckResult {
    pub check: LedgerCheck,
    /// Rows, buckets or windows.
    pub compared: u64,
    pub differences: u64,
}

/// Two numbers that should be the same. What does not apply to it is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerDifference {
    pub check: LedgerCheck,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetId>,
    /// Of a budget for each: for whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DisplayName>,
    /// Where the bucket or window begins; absent for a window that is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    pub expected: LedgerSums,
    pub found: LedgerSums,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerSums {
    pub requests: u64,
    pub errors: u64,
    pub unpriced: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost: Nanos,
}

impl LedgerVerification {
    const MOST_DIFFERENCES: usize = 100;

    /// Adds what a comparison gave.
    pub fn note(&mut self, check: LedgerCheck, compared: u64, differences: impl IntoIterator<Item = LedgerDifference>) {
        let mut found = 0;
        for difference in differences {
            found += 1;
            if found <= Self::MOST_DIFFERENCES {
                self.differences.push(difference);
            }
        }
        self.clean &= found == 0;
        self.checks.push(LedgerCheckResult {
            check,
            compared,
            differences: u64::try_from(found).unwrap_or(u64::MAX),
        });
    }
}

impl LedgerDifference {
    /// Of nothing in particular.
    pub const fn between(check: LedgerCheck, expected: LedgerSums, found: LedgerSums) -> Self {
        Self {
            check,
            request: None,
            budget: None,
            name: None,
            start: None,
            provider: None,
            team: None,
            key: None,
            expected,
            found,
        }
    }
}
