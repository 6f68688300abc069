//! The period of a budget that was met last. Almost every request meets the same one, and to find it in a calendar takes
//! longer than all else that a request has to do with a budget.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, Utc};

use crate::{Counting, Period};

/// Follows from what is configured and from the time: it is no part of what a budget is.
#[derive(Debug, Default)]
pub struct MetPeriods {
    last: ArcSwapOption<Met>,
}

#[derive(Debug, Clone, Copy)]
struct Met {
    period: Period,
    /// Looked for where something is carried over.
    before: Option<Period>,
}

impl MetPeriods {
    pub(crate) fn counting(&self, now: DateTime<Utc>, find: impl FnOnce() -> Counting) -> Counting {
        if let Some(met) = self.last.load().as_ref().filter(|met| met.period.has(now)) {
            return Counting::Period(met.period);
        }
        let found = find();
        if let Counting::Period(period) = found {
            self.keep(Met { period, before: None });
        }
        found
    }

    /// The period before another.
    pub(crate) fn before(&self, period: Period, find: impl FnOnce() -> Period) -> Period {
        let met = self.last.load();
        let known = met.as_ref().filter(|met| met.period == period);
        if let Some(before) = known.and_then(|met| met.before) {
            return before;
        }
        let before = find();
        self.keep(Met {
            period,
            before: Some(before),
        });
        before
    }

    fn keep(&self, met: Met) {
        self.last.store(Some(Arc::new(met)));
    }
}

impl Clone for MetPeriods {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for MetPeriods {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
