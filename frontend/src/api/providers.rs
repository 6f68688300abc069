//! Providers, their credentials, and trying them out.

use gatewright_types::api::{Credential, NewCredential, NewProvider, Provider, ProviderChange, SelfTest};
use gatewright_types::{CredentialId, Page, ProviderId};

use super::{Answer, Method, Pending, body, decode, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn providers(self, cursor: Option<String>) -> Pending<Page<Provider>> {
        self.api.get(with_query(&self.path("providers"), &page(cursor)))
    }

    /// The providers to choose from.
    pub(crate) fn provider_choices(self) -> Pending<Page<Provider>> {
        self.api.get(with_query(&self.path("providers"), &longest_page()))
    }

    pub(crate) fn create_provider(self, provider: &NewProvider) -> Pending<Provider> {
        self.api.post(self.path("providers"), body(provider))
    }

    pub(crate) fn change_provider(self, provider: ProviderId, change: &ProviderChange) -> Pending<Provider> {
        self.api
            .patch(self.path(&format!("providers/{provider}")), body(change))
    }

    pub(crate) fn delete_provider(self, provider: ProviderId) -> Pending<()> {
        self.api.delete(self.path(&format!("providers/{provider}")))
    }

    pub(crate) fn add_credential(self, provider: ProviderId, credential: &NewCredential) -> Pending<Credential> {
        self.api.post(
            self.path(&format!("providers/{provider}/credentials")),
            body(credential),
        )
    }

    pub(crate) fn remove_credential(self, provider: ProviderId, credential: CredentialId) -> Pending<()> {
        self.api
            .delete(self.path(&format!("providers/{provider}/credentials/{credential}")))
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
