//! What was kept of removed requests for the windows of now in which they count: with the rows that are there it is what
//! was spent in them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gatewright_contract::Counting;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::counted::{Counted, Window};
use super::kept::COUNTS_IN_NONE;
use super::{counting, kept};
use crate::entity::budget_kept::{Column, Entity};
use crate::scope::Scope;

/// Of budgets for which everything was kept that counts in their windows of now.
#[derive(Debug, Default)]
pub(crate) struct KeptWindows {
    /// Where those windows, or the first parts of them, begin.
    since_ms: HashMap<Uuid, (Counting, i64)>,
    pub(crate) counted: HashMap<Window, Counted>,
}

impl KeptWindows {
    pub(crate) fn are_of(&self, window: &Window) -> bool {
        let Some((counting, since_ms)) = self.since_ms.get(&window.budget) else {
            return false;
        };
        match counting {
            Counting::Period(_) | Counting::Total => window.from_ms == *since_ms,
            Counting::Rolling { .. } => window.from_ms >= *since_ms,
        }
    }

    /// The beginning of the first window that is looked at.
    pub(crate) fn since_ms(&self, others: Option<i64>) -> Option<i64> {
        let own = self.since_ms.values().map(|(_, since_ms)| *since_ms);
        Some(own.fold(others?, Ord::min))
    }
}

impl Scope<'_> {
    pub(super) async fn kept_windows(&self, at: DateTime<Utc>) -> Result<KeptWindows, DbErr> {
        let mut windows = KeptWindows::default();
        for budget in self.all_budgets().await? {
            let Some(known) = counting::of(&self.connection, self.id, &budget).await? else {
                continue;
            };
            let made_before = |from| budget.since.is_none_or(|since| since < from);
            if known.known_from.is_some_and(made_before) || !kept::is_kept_for(&budget) {
                continue;
            }
            let counting = budget.counting(at);
            let since_ms = match counting {
                Counting::Period(_) | Counting::Total => budget.share(counting, at, None).from_ms,
                // Parts of before are of windows that it had until it was changed.
                Counting::Rolling { .. } => Ord::max(counting.since(at), known.since).timestamp_millis(),
            };
            windows.since_ms.insert(budget.id.uuid(), (counting, since_ms));
        }
        let rows = Entity::find()
            .filter(Column::Organization.eq(self.id.uuid()))
            .filter(Column::CountedFromMs.ne(COUNTS_IN_NONE))
            .all(&self.connection)
            .await?;
        for row in rows {
            let window = Window {
                budget: row.budget,
                from_ms: row.counted_from_ms,
                name: row.name,
            };
            if windows.are_of(&window) {
                let sums = Counted([row.requests, 0, 0, 0, 0, row.cost_nanos]);
                windows.counted.entry(window).or_default().add(sums);
            }
        }
        Ok(windows)
    }
}
