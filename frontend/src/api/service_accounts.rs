//! Service accounts.

use gatewright_types::api::{NewServiceAccount, ServiceAccount, ServiceAccountChange};
use gatewright_types::{Page, ServiceAccountId};

use super::{Pending, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn service_accounts(self, cursor: Option<String>) -> Pending<Page<ServiceAccount>> {
        self.api.get(with_query(&self.path("service-accounts"), &page(cursor)))
    }

    /// The service accounts to choose from.
    pub(crate) fn service_account_choices(self) -> Pending<Page<ServiceAccount>> {
        self.api
            .get(with_query(&self.path("service-accounts"), &longest_page()))
    }

    pub(crate) fn create_service_account(self, account: &NewServiceAccount) -> Pending<ServiceAccount> {
        self.api.post(self.path("service-accounts"), body(account))
    }

    pub(crate) fn change_service_account(
        self,
        account: ServiceAccountId,
        change: &ServiceAccountChange,
    ) -> Pending<ServiceAccount> {
        self.api
            .patch(self.path(&format!("service-accounts/{account}")), body(change))
    }

    pub(crate) fn delete_service_account(self, account: ServiceAccountId) -> Pending<()> {
        self.api.delete(self.path(&format!("service-accounts/{account}")))
    }
}
