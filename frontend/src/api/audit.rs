//! The audit log.

use gatewright_types::Page;
use gatewright_types::api::{AuditEntry, AuditQuery};

use super::{Pending, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn audit(self, query: &AuditQuery) -> Pending<Page<AuditEntry>> {
        self.api.get(with_query(&self.path("audit"), query))
    }
}
