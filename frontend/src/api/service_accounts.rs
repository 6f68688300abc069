//! Service accounts.

use gatewright_types::api::{NewServiceAccount, ServiceAccount, ServiceAccountChange};
use gatewright_types::{Page, ServiceAccountId};

use super::{Answer, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn service_accounts(self, cursor: Option<String>) -> Answer<Page<ServiceAccount>> {
        self.api
            .get(with_query(&self.path("service-accounts"), &page(cursor)))
            .await
    }

    /// The service accounts to choose from.
    pub(crate) async fn service_account_choices(self) -> Answer<Page<ServiceAccount>> {
        self.api
            .get(with_query(&self.path("service-accounts"), &longest_page()))
            .await
    }

    pub(crate) async fn create_service_account(self, account: &NewServiceAccount) -> Answer<ServiceAccount> {
        self.api.post(self.path("service-accounts"), body(account)).await
    }

    pub(crate) async fn change_service_account(
        self,
        account: ServiceAccountId,
        change: &ServiceAccountChange,
    ) -> Answer<ServiceAccount> {
        self.api
            .patch(self.path(&format!("service-accounts/{account}")), body(change))
            .await
    }

    pub(crate) async fn delete_service_account(self, account: ServiceAccountId) -> Answer<()> {
        self.api.delete(self.path(&format!("service-accounts/{account}"))).await
    }
}
