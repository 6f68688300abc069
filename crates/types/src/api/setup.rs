//! First run: a one-time link makes the owner and the first organization.

use serde::{Deserialize, Serialize};

use crate::{DisplayName, Email, Slug};

/// Whether this installation still waits for its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetupState {
    pub needed: bool,
}

/// What the setup page sends; `token` is the one from the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewInstallation {
    pub token: String,
    pub organization: Slug,
    pub organization_name: DisplayName,
    pub email: Email,
    pub name: DisplayName,
    pub password: String,
}
