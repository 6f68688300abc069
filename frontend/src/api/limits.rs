//! Limits of requests and tokens.

use gatewright_types::api::{LimitScopeQuery, NewRateLimit, RateLimit, RateLimitChange};
use gatewright_types::{LimitId, Page};

use super::{Pending, body, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn limits(self, query: &LimitScopeQuery) -> Pending<Page<RateLimit>> {
        self.api.get(with_query(&self.path("limits"), query))
    }

    pub(crate) fn create_limit(self, limit: &NewRateLimit) -> Pending<RateLimit> {
        self.api.post(self.path("limits"), body(limit))
    }

    pub(crate) fn change_limit(self, limit: LimitId, change: &RateLimitChange) -> Pending<RateLimit> {
        self.api.patch(self.path(&format!("limits/{limit}")), body(change))
    }

    pub(crate) fn delete_limit(self, limit: LimitId) -> Pending<()> {
        self.api.delete(self.path(&format!("limits/{limit}")))
    }
}
