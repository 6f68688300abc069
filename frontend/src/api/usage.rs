//! What was used.

use gatewright_types::api::{Decision, UsageQuery, UsageRow, UsageSeries, UsageSeriesQuery};
use gatewright_types::{Page, RequestId};

use super::{Answer, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn usage(self, query: &UsageQuery) -> Answer<Page<UsageRow>> {
        self.api.get(with_query(&self.path("usage"), query)).await
    }

    pub(crate) async fn usage_series(self, query: &UsageSeriesQuery) -> Answer<UsageSeries> {
        self.api.get(with_query(&self.path("usage/series"), query)).await
    }

    /// Why a request went where it went; not found where that was not kept.
    pub(crate) async fn request_trace(self, request: RequestId) -> Answer<Decision> {
        self.api.get(self.path(&format!("usage/{request}/trace"))).await
    }
}
