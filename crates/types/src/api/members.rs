//! People who belong to an organization.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::KeyOwner;
use crate::{DisplayName, Email, PersonId, Role};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    pub id: PersonId,
    pub email: Email,
    pub name: DisplayName,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    pub role: Role,
}

/// `?keys=revoke` or `?keys=hand_over&to=…`: what becomes of the keys of somebody who is removed. Who has keys is not
/// removed without it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MemberRemoval {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<MemberKeys>,
    /// Whom they are handed over to: another member or a service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<KeyOwner>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberKeys {
    Revoke,
    HandOver,
}
