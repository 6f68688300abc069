//! The handle through which an organization's data is read. Its queries are in the file of their resource; each starts
//! from the organization's identifier, so what belongs to another one is not there.

use std::fmt;

use gatewright_types::OrganizationId;
use sea_orm::DatabaseExecutor;

/// One organization's data: every query made through it filters by that organization.
pub struct Scope<'a> {
    pub(crate) connection: DatabaseExecutor<'a>,
    pub(crate) id: OrganizationId,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(connection: impl Into<DatabaseExecutor<'a>>, id: OrganizationId) -> Self {
        Self {
            connection: connection.into(),
            id,
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope of {}", self.id)
    }
}
