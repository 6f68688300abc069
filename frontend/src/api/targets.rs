//! How the targets of routes do.

use gatewright_types::Page;
use gatewright_types::api::{TargetHealth, TargetReset};

use super::{Answer, Method, body};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn targets(self) -> Answer<Page<TargetHealth>> {
        self.api.get(self.path("targets")).await
    }

    pub(crate) async fn reset_target(self, reset: &TargetReset) -> Answer<()> {
        let call = self
            .api
            .exchange(Method::POST, self.path("targets/reset"), Some(body(reset)));
        call.await.map(drop)
    }
}
