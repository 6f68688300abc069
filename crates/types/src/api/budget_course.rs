//! What was spent of a budget's scope in the course of its window of now.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::UsageGroup;
use crate::Nanos;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BudgetCourseQuery {
    #[serde(default)]
    pub by: UsageGroup,
}

/// From the beginning of the window, or 90 days ago if that is later, up to now, in at most 200 buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetCourse {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// Before this nothing is told: requests were removed without being kept for the budget, or there are more since then
    /// than are read. Null where everything is told.
    pub known_from: Option<DateTime<Utc>>,
    pub bucket_seconds: u32,
    /// Those in which something was spent, oldest first.
    pub buckets: Vec<CourseBucket>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CourseBucket {
    pub start: DateTime<Utc>,
    /// Null where there is none, beyond the 50 that spent most, and for what is only kept by the day.
    pub group: Option<String>,
    pub cost: Nanos,
    pub requests: u64,
}
