//! Organizations.

use gatewright_types::api::{NewOrganization, Organization, OrganizationChange};

use super::{Api, Pending, body};
use crate::session::Workspace;

impl Api {
    pub(crate) fn create_organization(self, organization: &NewOrganization) -> Pending<Organization> {
        self.post("organizations".to_owned(), body(organization))
    }
}

impl Workspace {
    /// The address of something that belongs to the organization.
    pub(super) fn path(self, rest: &str) -> String {
        format!("organizations/{}/{rest}", self.slug())
    }

    pub(crate) fn change_organization(self, change: &OrganizationChange) -> Pending<Organization> {
        self.api.patch(format!("organizations/{}", self.slug()), body(change))
    }

    pub(crate) fn delete_organization(self) -> Pending<()> {
        self.api.delete(format!("organizations/{}", self.slug()))
    }
}
