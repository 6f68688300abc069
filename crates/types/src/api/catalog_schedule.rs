//! The schedule by which an installation fetches newer catalogues by itself, and what it may approve without a person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::HumanDuration;

words! {
    /// What of a fetched catalogue is put in force without a person's approval.
    #[derive(Default)]
    AutomaticApproval {
        /// Nothing: each waits for a person.
        #[default]
        Never = "never",
        /// One that only adds models and aliases, under names by which nothing was known before.
        Additions = "additions",
        /// Any that is not older than the one in force.
        Always = "always",
    }

    /// How a try ended.
    CatalogTryOutcome {
        /// It is in force already, or was decided on before.
        Unchanged = "unchanged",
        /// It waits for a person's approval.
        Waiting = "waiting",
        /// It was put in force.
        Approved = "approved",
        /// It could not be fetched or believed, or is older than the one in force.
        Failed = "failed",
    }
}

/// From where and how often newer catalogues are fetched. The first try is made at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCatalogSchedule {
    /// An https address. The signature is at the same address with `.sig` behind its path.
    pub url: String,
    /// From five minutes to 30 days.
    pub every: HumanDuration,
    #[serde(default)]
    pub approval: AutomaticApproval,
}

/// The schedule, and how it goes. Without `setting` nothing is fetched by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogSchedule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<NewCatalogSchedule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_try: Option<CatalogTry>,
}

/// One try to fetch a newer catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogTry {
    pub at: DateTime<Utc>,
    pub outcome: CatalogTryOutcome,
    /// The version of what was fetched, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
