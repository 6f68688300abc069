//! What would become of a request.

use gatewright_types::api::{ExplainRequest, Explanation};

use super::{Answer, body};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn explain(self, request: &ExplainRequest) -> Answer<Explanation> {
        self.api.post(self.path("explain"), body(request)).await
    }
}
