//! What a month came to, and who bears it: by cost centre, team, tag, user or customer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Money, Month, TagName};

/// What becomes of cost that is nobody's own: that of shared teams, and that without whatever a report is split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SharedCost {
    /// It is told by itself.
    #[default]
    Separate,
    /// The others bear it, each as much as its own cost is of all of theirs.
    Proportional,
    /// The others bear it, all alike.
    Even,
}

impl SharedCost {
    pub const ALL: [Self; 3] = [Self::Separate, Self::Proportional, Self::Even];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Separate => "separate",
            Self::Proportional => "proportional",
            Self::Even => "even",
        }
    }
}

/// What a report is split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChargebackBy {
    /// The key's, else that of the team the request was for, else that of the key's service account, else the
    /// organization's.
    #[default]
    CostCentre,
    Team,
    /// The value of the tag `tag`.
    Tag,
    /// The person or the service account whose key it was.
    User,
    /// The end user whom requests were about.
    Customer,
}

impl ChargebackBy {
    pub const ALL: [Self; 5] = [Self::CostCentre, Self::Team, Self::Tag, Self::User, Self::Customer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CostCentre => "cost_centre",
            Self::Team => "team",
            Self::Tag => "tag",
            Self::User => "user",
            Self::Customer => "customer",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargebackQuery {
    pub month: Month,
    #[serde(default)]
    pub by: ChargebackBy,
    /// Which tag; with `by=tag`, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagName>,
    /// How many rows at most, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargebackMonthQuery {
    pub month: Month,
}

/// A month's report. The rows come in pages, the dearest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Chargeback {
    pub month: Month,
    /// Months are in UTC.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub by: ChargebackBy,
    pub tag: Option<TagName>,
    /// How the report deals with cost that is nobody's own: as the organization said when the month was locked, else as it
    /// says.
    pub shared_cost: SharedCost,
    /// A locked month stays as it is.
    pub lock: Option<ChargebackLock>,
    /// Requests before then are no longer kept, and are missing here. Null when none are missing.
    pub missing_before: Option<DateTime<Utc>>,
    /// Of the whole month, not of this page.
    pub sums: ChargebackSums,
    pub items: Vec<ChargebackRow>,
    pub next_cursor: Option<String>,
}

/// What requests came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChargebackSums {
    pub requests: u64,
    /// Requests without a known price, which are not in any cost.
    pub unpriced: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// What its own requests cost.
    pub direct: Money,
    /// What it bears of shared cost. Below zero for what is borne by others.
    pub shared: Money,
    /// Both together.
    pub total: Money,
}

/// Whose a row of a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChargebackKind {
    /// One cost centre, team, value, user or customer.
    Own,
    /// The smallest of very many together.
    Rest,
    /// A shared team, or all of them together.
    Shared,
    /// Without a cost centre, a team, the tag, an owner or an end user.
    Unassigned,
}

impl ChargebackKind {
    pub const ALL: [Self; 4] = [Self::Own, Self::Rest, Self::Shared, Self::Unassigned];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Rest => "rest",
            Self::Shared => "shared",
            Self::Unassigned => "unassigned",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChargebackRow {
    pub kind: ChargebackKind,
    /// A cost centre, the identifier of a team, a tag's value, the identifier of a person or service account, the name of an
    /// end user. Null where there is none, and for several together.
    pub subject: Option<String>,
    /// What people call it: a team's, person's or service account's name. Null for the others, and for what is gone.
    pub name: Option<String>,
    #[serde(flatten)]
    pub sums: ChargebackSums,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChargebackLock {
    pub at: DateTime<Utc>,
    pub by: String,
    /// Requests of the month that came in after it was locked. They are not in its reports: each counts as a correction in
    /// the month in which it came in.
    pub late_requests: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChargebackMonth {
    pub month: Month,
    /// Null while it is open.
    pub lock: Option<ChargebackLock>,
    /// While what it comes to is being kept, for it to be locked.
    #[serde(default)]
    pub locking: Option<ChargebackLocking>,
    /// From when on it can be locked.
    pub lockable_from: DateTime<Utc>,
    pub requests: u64,
    /// Requests without a known price.
    pub unpriced: u64,
    pub total: Money,
}

/// How far a month is that is being locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChargebackLocking {
    pub done: u64,
    /// 0 until it is known how many there are.
    pub portions: u64,
}

/// Why a locked month is opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargebackUnlock {
    /// It stands in the audit log; 1 to 500 characters.
    pub reason: String,
}
