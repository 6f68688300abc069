//! How a key's secret is kept fresh, and when a key that nobody uses is shut: what is asked for, and how it stands.
//!
//! No secret can be shown without somebody who looks at it, so a schedule rotates nothing by itself. It says when a
//! rotation is due, warns before, and may shut the key when nobody rotates it in time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::HumanDuration;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct KeyUpkeep {
    /// The secret is to be replaced when it is so old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_every: Option<HumanDuration>,
    /// The key is disabled so long after a rotation was due; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_overdue_after: Option<HumanDuration>,
    /// The key is disabled when nobody used it for so long; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_after_idle: Option<HumanDuration>,
}

impl KeyUpkeep {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Active,
    /// It can be enabled again.
    Disabled,
    Expired,
    Revoked,
}

/// Since when and why a key does not work, until somebody enables it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Disabled {
    pub at: DateTime<Utc>,
    pub reason: DisabledReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Somebody did it.
    ByHand,
    /// Nobody used it for as long as it may be idle.
    Idle,
    /// Nobody rotated it in time.
    RotationOverdue,
}

/// What will happen to a key unless somebody does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyWarning {
    ExpiresSoon,
    /// It is disabled soon, because nobody uses it.
    IdleSoon,
    RotationDueSoon,
    RotationOverdue,
}

impl DisabledReason {
    pub const ALL: [Self; 3] = [Self::ByHand, Self::Idle, Self::RotationOverdue];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Idle => "idle",
            Self::RotationOverdue => "rotation_overdue",
        }
    }
}
