//! Providers, their credentials, and trying them out.

use gatewright_types::api::{Credential, NewCredential, NewProvider, Provider, ProviderChange, SelfTest};
use gatewright_types::{CredentialId, Page, ProviderId};

use super::{Answer, Method, body, decode, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn providers(self, cursor: Option<String>) -> Answer<Page<Provider>> {
        self.api.get(with_query(&self.path("providers"), &page(cursor))).await
    }

    /// The providers to choose from.
    pub(crate) async fn provider_choices(self) -> Answer<Page<Provider>> {
        self.api.get(with_query(&self.path("providers"), &longest_page())).await
    }

    pub(crate) async fn create_provider(self, provider: &NewProvider) -> Answer<Provider> {
        self.api.post(self.path("providers"), body(provider)).await
    }

    pub(crate) async fn change_provider(self, provider: ProviderId, change: &ProviderChange) -> Answer<Provider> {
        self.api
            .patch(self.path(&format!("providers/{provider}")), body(change))
            .await
    }

    pub(crate) async fn delete_provider(self, provider: ProviderId) -> Answer<()> {
        self.api.delete(self.path(&format!("providers/{provider}"))).await
    }

    pub(crate) async fn add_credential(self, provider: ProviderId, credential: &NewCredential) -> Answer<Credential> {
        self.api
            .post(
                self.path(&format!("providers/{provider}/credentials")),
                body(credential),
            )
            .await
    }

    pub(crate) async fn remove_credential(self, provider: ProviderId, credential: CredentialId) -> Answer<()> {
        self.api
            .delete(self.path(&format!("providers/{provider}/credentials/{credential}")))
            .await
    }

    pub(crate) async fn test_provider(self, provider: ProviderId) -> Answer<Page<SelfTest>> {
        decode(
            &self
                .api
                .exchange(Method::POST, self.path(&format!("providers/{provider}/test")), None)
                .await?,
        )
    }
}
