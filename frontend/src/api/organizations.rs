//! Organizations.

use gatewright_types::api::{NewOrganization, Organization, OrganizationChange};

use super::{Answer, Api, body};
use crate::session::Workspace;

impl Api {
    pub(crate) async fn create_organization(self, organization: &NewOrganization) -> Answer<Organization> {
        self.post("organizations".to_owned(), body(organization)).await
    }
}

impl Workspace {
    /// The address of something that belongs to the organization.
    pub(super) fn path(self, rest: &str) -> String {
        format!("organizations/{}/{rest}", self.slug())
    }

    pub(crate) async fn change_organization(self, change: &OrganizationChange) -> Answer<Organization> {
        self.api
            .patch(format!("organizations/{}", self.slug()), body(change))
            .await
    }

    pub(crate) async fn delete_organization(self) -> Answer<()> {
        self.api.delete(format!("organizations/{}", self.slug())).await
    }
}
