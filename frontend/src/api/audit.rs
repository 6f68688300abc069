//! The audit log.

use gatewright_types::Page;
use gatewright_types::api::{AuditEntry, AuditQuery};

use super::{Answer, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn audit(self, query: &AuditQuery) -> Answer<Page<AuditEntry>> {
        self.api.get(with_query(&self.path("audit"), query)).await
    }
}
