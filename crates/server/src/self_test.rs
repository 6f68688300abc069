//! Carries out the control plane's provider self-tests with the data plane's HTTP client, so that a test takes the very
//! way a request would.

use gatewright_contract::{BaseUrl, OpenedCredential, Secret};
use gatewright_control::{SelfTestCall, SelfTester};
use gatewright_proxy::upstream::{Trial, Upstream};
use gatewright_types::CredentialId;
use gatewright_types::api::{SelfTest, SelfTestOutcome};

pub(crate) fn tester(upstream: Upstream) -> SelfTester {
    SelfTester::new(move |call| {
        let upstream = upstream.clone();
        Box::pin(async move { test(&upstream, call).await })
    })
}

async fn test(upstream: &Upstream, call: SelfTestCall) -> SelfTest {
    let SelfTestCall {
        provider,
        kind,
        base_url,
        network,
        settings: _,
        credential,
    } = call;
    let run = async |base_url: &BaseUrl, credential: Option<(CredentialId, &Secret)>| {
        let network = network.as_ref();
        let trial = Trial {
            provider,
            kind,
            base_url,
            network,
            credential,
        };
        upstream.self_test(trial).await
    };
    match (base_url, credential) {
        (Some(base_url), Some((id, OpenedCredential::ApiKey(secret)))) => run(&base_url, Some((id, &secret))).await,
        (Some(_), Some((id, OpenedCredential::Aws(_) | OpenedCredential::Entra(_) | OpenedCredential::Google(_)))) => {
            SelfTest {
                credential: Some(id),
                outcome: SelfTestOutcome::Unexpected,
                status: None,
                message: "only API keys can be tried out".to_owned(),
                duration_ms: 0,
            }
        }
        (Some(base_url), None) => run(&base_url, None).await,
        (None, credential) => SelfTest {
            credential: credential.map(|(id, _)| id),
            outcome: SelfTestOutcome::Works,
            status: None,
            message: format!("a provider of kind {} answers by itself", kind.as_str()),
            duration_ms: 0,
        },
    }
}
