//! What was used.

use gatewright_types::Page;
use gatewright_types::api::{UsageQuery, UsageRow, UsageSeries, UsageSeriesQuery};

use super::{Answer, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn usage(self, query: &UsageQuery) -> Answer<Page<UsageRow>> {
        self.api.get(with_query(&self.path("usage"), query)).await
    }

    pub(crate) async fn usage_series(self, query: &UsageSeriesQuery) -> Answer<UsageSeries> {
        self.api.get(with_query(&self.path("usage/series"), query)).await
    }
}
