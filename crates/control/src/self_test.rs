//! What a provider's self-test asks for and how it is carried out: by whoever has an HTTP client. The control plane
//! has none, so the server hands it this function.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use gatewright_contract::{BaseUrl, NetworkUnit, OpenedCredential, Secret};
use gatewright_types::api::{ProviderKind, ProviderSettings, SelfTest};
use gatewright_types::{CredentialId, ProviderId};

/// The cheapest real call to a provider with one of its credentials.
#[derive(Debug)]
pub struct SelfTestCall {
    pub provider: ProviderId,
    pub kind: ProviderKind,
    /// Absent for a kind that calls nobody.
    pub base_url: Option<BaseUrl>,
    /// Absent where it is called straight.
    pub network: Option<Arc<NetworkUnit>>,
    pub settings: ProviderSettings,
    pub credential: Option<(CredentialId, OpenedCredential)>,
}

/// Carries out self-tests.
#[derive(Clone)]
pub struct SelfTester(Arc<dyn Fn(SelfTestCall) -> BoxFuture<'static, SelfTest> + Send + Sync>);

impl SelfTester {
    pub fn new(test: impl Fn(SelfTestCall) -> BoxFuture<'static, SelfTest> + Send + Sync + 'static) -> Self {
        Self(Arc::new(test))
    }

    /// The answer never holds a secret, whatever the provider said.
    pub(crate) async fn run(&self, call: SelfTestCall) -> SelfTest {
        let opened = call.credential.iter().flat_map(|(_, opened)| opened.secrets());
        let secrets: Vec<Secret> = opened.cloned().collect();
        let mut test = (self.0)(call).await;
        // Providers like to repeat what they refuse.
        for secret in secrets {
            test.message = test.message.replace(secret.expose(), "[secret]");
        }
        test
    }
}

impl fmt::Debug for SelfTester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SelfTester")
    }
}
