//! Carries out the control plane's provider self-tests with the data plane's HTTP client, so that a test takes the very
//! way a request would.

use gatewright_control::{SelfTestCall, SelfTester};
use gatewright_proxy::upstream::Upstream;
use gatewright_types::api::{SelfTest, SelfTestOutcome};

pub(crate) fn tester(upstream: Upstream) -> SelfTester {
    SelfTester::new(move |call| {
        let upstream = upstream.clone();
        Box::pin(async move { test(&upstream, call).await })
    })
}

async fn test(upstream: &Upstream, call: SelfTestCall) -> SelfTest {
    let SelfTestCall {
        kind,
        base_url,
        credential,
    } = call;
    match (base_url, credential) {
        (Some(base_url), Some((id, secret))) => upstream.self_test(kind, Some(id), &base_url, Some(&secret)).await,
        (Some(base_url), None) => upstream.self_test(kind, None, &base_url, None).await,
        (None, credential) => SelfTest {
            credential: credential.map(|(id, _)| id),
            outcome: SelfTestOutcome::Works,
            status: None,
            message: format!("a provider of kind {} answers by itself", kind.as_str()),
            duration_ms: 0,
        },
    }
}
