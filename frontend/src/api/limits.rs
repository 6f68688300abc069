//! Limits of requests and tokens.

use gatewright_types::api::{LimitScopeQuery, NewRateLimit, RateLimit, RateLimitChange};
use gatewright_types::{LimitId, Page};

use super::{Answer, body, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn limits(self, query: &LimitScopeQuery) -> Answer<Page<RateLimit>> {
        self.api.get(with_query(&self.path("limits"), query)).await
    }

    pub(crate) async fn create_limit(self, limit: &NewRateLimit) -> Answer<RateLimit> {
        self.api.post(self.path("limits"), body(limit)).await
    }

    pub(crate) async fn change_limit(self, limit: LimitId, change: &RateLimitChange) -> Answer<RateLimit> {
        self.api
            .patch(self.path(&format!("limits/{limit}")), body(change))
            .await
    }

    pub(crate) async fn delete_limit(self, limit: LimitId) -> Answer<()> {
        self.api.delete(self.path(&format!("limits/{limit}"))).await
    }
}
