//! What would become of a request.

use gatewright_types::api::{ExplainRequest, Explanation};

use super::{Pending, body};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn explain(self, request: &ExplainRequest) -> Pending<Explanation> {
        self.api.post(self.path("explain"), body(request))
    }
}
