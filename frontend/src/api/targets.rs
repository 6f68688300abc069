//! How the targets of routes do.

use gatewright_types::Page;
use gatewright_types::api::{TargetHealth, TargetReset};

use super::{Method, Pending, body};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn targets(self) -> Pending<Page<TargetHealth>> {
        self.api.get(self.path("targets"))
    }

    pub(crate) fn reset_target(self, reset: &TargetReset) -> Pending<()> {
        self.api
            .order(Method::POST, self.path("targets/reset"), Some(body(reset)))
    }
}
