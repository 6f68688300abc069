//! Budgets: how much may be spent within a window, and what happens then.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::LimitScope;
use super::catalog::words;
use crate::{BudgetId, BudgetRequestId, Currency, DisplayName, HumanDuration, IncreaseId, ModelName, Nanos, ZoneName};

/// What is written of a budget. The same shape is in the API, in the configuration file and in the published configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BudgetSpec {
    /// In `currency`. `"0"` blocks everything.
    pub amount: Nanos,
    #[serde(default, skip_serializing_if = "is_usual_currency")]
    pub currency: Currency,
    pub window: BudgetWindow,
    /// In which days and months begin.
    #[serde(default, skip_serializing_if = "ZoneName::is_utc")]
    pub time_zone: ZoneName,
    #[serde(default, skip_serializing_if = "BudgetAction::is_usual")]
    pub action: BudgetAction,
    /// Less than `amount`: where downgrading begins; `amount` then blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft: Option<Nanos>,
    /// Percentages of the amount whose reaching is told.
    #[serde(default = "usual_alerts", skip_serializing_if = "are_usual_alerts")]
    pub alerts: Vec<u16>,
    /// What a window leaves of `amount` is added to the next one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carry_over: bool,
    #[serde(default, skip_serializing_if = "BudgetMode::is_usual")]
    pub mode: BudgetMode,
    /// While nodes cannot ask what was spent. When absent, `deny` for a strict budget and `local` for a smooth one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_unavailable: Option<WhenUnavailable>,
    /// Of requests whose price is not known. When absent, `block` for a strict budget and `allow` for a smooth one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<UnpricedRequests>,
}

words! {
    /// How exactly an amount is kept.
    #[derive(Default)]
    BudgetMode {
        /// Reserves what a request usually costs. What is spent beyond the amount is bounded.
        #[default]
        Smooth = "smooth",
        /// Reserves the most a request can cost. Never a cent beyond the amount.
        Strict = "strict",
    }

    WhenUnavailable {
        /// Each node goes on by what it knows.
        Local = "local",
        Deny = "deny",
    }

    UnpricedRequests {
        Block = "block",
        /// They count as nothing, and say so in their rows.
        Allow = "allow",
    }
}

/// `hour`, `day`, `week` (from Monday), `month`, `total`, `{fiscal_month: {starts_on: 26}}` or `{rolling: 30d}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BudgetWindow {
    Hour,
    Day,
    Week,
    Month,
    /// A month that begins on another day than the first.
    FiscalMonth {
        starts_on: u8,
    },
    /// The time up to now, from `1h` to `90d`.
    Rolling(HumanDuration),
    /// Once, for ever.
    Total,
}

/// What happens once it is spent: `block`, `warn`, `ask` or `{downgrade: MODEL}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BudgetAction {
    #[default]
    Block,
    /// Nothing but that it is told.
    Warn,
    /// Blocks, and asks those who may raise it.
    Ask,
    /// Requests go to this model instead, from `soft` on where that is given.
    Downgrade(ModelName),
}

/// A budget, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Budget {
    pub id: BudgetId,
    pub scope: LimitScope,
    /// What it is for, in words: `team Search`.
    pub scope_name: String,
    #[serde(flatten)]
    pub spec: BudgetSpec,
    /// In force now.
    pub increases: Vec<Increase>,
    /// Of a budget for each, the sum of all, and no cap. Absent of one that this release does not understand.
    pub state: Option<BudgetState>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

/// How a budget stands within its window of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetState {
    /// Absent for `total`.
    pub from: Option<DateTime<Utc>>,
    /// When it begins anew; absent for `total` and for what rolls.
    pub to: Option<DateTime<Utc>>,
    /// The amount with increases and what was carried over. Absent of a budget for each.
    pub cap: Option<Nanos>,
    pub carried_over: Nanos,
    pub spent: Nanos,
    /// For requests under way, and leased to nodes. Absent while nodes cannot be asked.
    pub reserved: Option<Nanos>,
    /// Percentages that were reached; of a budget for each, by whoever spent the most.
    pub reached: Vec<u16>,
}

/// A percentage of a budget was reached. Told once in a window, for each of those whom it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetAlert {
    /// In percent of `cap`.
    pub step: u16,
    /// Who reached it, of a budget for each.
    pub name: Option<DisplayName>,
    /// The beginning of the window; absent for `total`.
    pub from: Option<DateTime<Utc>>,
    /// When it was noticed.
    pub spent: Nanos,
    pub cap: Nanos,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBudget {
    pub scope: LimitScope,
    #[serde(flatten)]
    pub spec: BudgetSpec,
}

/// Replaces all that is written of it but the scope.
pub type BudgetChange = BudgetSpec;

/// More for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Increase {
    pub id: IncreaseId,
    pub amount: Nanos,
    pub reason: String,
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewIncrease {
    pub amount: Nanos,
    pub reason: String,
    pub expires_at: DateTime<Utc>,
}

/// Somebody wants a budget raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetRequest {
    pub id: BudgetRequestId,
    pub budget: BudgetId,
    /// Absent where a refused request asked, by a budget that says `ask`.
    pub amount: Option<Nanos>,
    pub reason: String,
    pub state: BudgetRequestState,
    /// What its approval made.
    pub increase: Option<IncreaseId>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub decided_at: Option<DateTime<Utc>>,
    pub decided_by: Option<String>,
}

words! {
    BudgetRequestState {
        Open = "open",
        Approved = "approved",
        Denied = "denied",
    }
}

/// The requests of all budgets, or of one, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BudgetRequestQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<BudgetRequestState>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBudgetRequest {
    pub amount: Nanos,
    pub reason: String,
}

/// Approving makes an increase of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BudgetDecision {
    Approve { amount: Nanos, expires_at: DateTime<Utc> },
    Deny {},
}

impl BudgetSpec {
    /// More cannot be counted exactly to the nano-dollar.
    pub const LARGEST: Nanos = Nanos::new(9_000_000_000_000_000);

    pub fn when_unavailable(&self) -> WhenUnavailable {
        self.when_unavailable.unwrap_or(match self.mode {
            BudgetMode::Smooth => WhenUnavailable::Local,
            BudgetMode::Strict => WhenUnavailable::Deny,
        })
    }

    pub fn unpriced(&self) -> UnpricedRequests {
        self.unpriced.unwrap_or(match self.mode {
            BudgetMode::Smooth => UnpricedRequests::Allow,
            BudgetMode::Strict => UnpricedRequests::Block,
        })
    }
}

impl fmt::Display for BudgetWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hour => f.write_str("hour"),
            Self::Day => f.write_str("day"),
            Self::Week => f.write_str("week"),
            Self::Month => f.write_str("month"),
            Self::FiscalMonth { starts_on } => write!(f, "month from day {starts_on}"),
            Self::Rolling(length) => write!(f, "rolling {length}"),
            Self::Total => f.write_str("total"),
        }
    }
}

impl BudgetMode {
    pub fn is_usual(&self) -> bool {
        *self == Self::Smooth
    }
}

impl BudgetAction {
    pub fn is_usual(&self) -> bool {
        *self == Self::Block
    }
}

fn usual_alerts() -> Vec<u16> {
    vec![50, 80, 100]
}

fn are_usual_alerts(alerts: &[u16]) -> bool {
    alerts == usual_alerts()
}

fn is_usual_currency(currency: &Currency) -> bool {
    *currency == Currency::default()
}
