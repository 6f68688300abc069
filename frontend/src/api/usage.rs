//! What was used.

use gatewright_types::api::{Decision, UsageQuery, UsageRow, UsageSeries, UsageSeriesQuery};
use gatewright_types::{Page, RequestId};

use super::{Pending, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn usage(self, query: &UsageQuery) -> Pending<Page<UsageRow>> {
        self.api.get(with_query(&self.path("usage"), query))
    }

    pub(crate) fn usage_series(self, query: &UsageSeriesQuery) -> Pending<UsageSeries> {
        self.api.get(with_query(&self.path("usage/series"), query))
    }

    /// Why a request went where it went; not found where that was not kept.
    pub(crate) fn request_trace(self, request: RequestId) -> Pending<Decision> {
        self.api.get(self.path(&format!("usage/{request}/trace")))
    }
}
