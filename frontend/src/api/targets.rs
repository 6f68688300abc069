//! How the targets of routes do.

use gatewright_types::Page;
use gatewright_types::api::{TargetHealth, TargetReset};

use super::{Answer, Method, Pending, body};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn targets(self) -> Pending<Page<TargetHealth>> {
        self.api.get(self.path("targets"))
    }

    pub(crate) async fn reset_target(self, reset: &TargetReset) -> Answer<()> {
        let call = self
            .api
            .exchange(Method::POST, self.path("targets/reset"), Some(body(reset)));
        call.await.map(drop)
    }
}
