//! Asks a provider which models it has, as its requests are sent: with one of its credentials, through its network. What
//! matters is that it answers.

use chrono::Utc;
use gatewright_contract::{BaseUrl, Provider};
use gatewright_llm::{Endpoint, Failure, FailureKind, Segments, classify};
use gatewright_types::api::ProviderKind;
use http::Method;
use serde::de::IgnoredAny;

use super::self_test::list_of_models;
use super::{Call, Chosen, Manner, Outgoing, Upstream, connection_failure, read_body};
use crate::call::failure_of;
use crate::patience::Limit;
use crate::told::Told;

const LARGEST_ANSWER_BYTES: usize = 8 << 20;

impl Upstream {
    pub(crate) async fn ask_for_models(
        &self,
        provider: &Provider,
        base_url: &BaseUrl,
        credential: Option<&Chosen>,
        connect: Limit,
    ) -> Result<(), Failure> {
        let address = list_of_models(provider.kind, base_url);
        let headers = match provider.kind {
            ProviderKind::Anthropic => Told::default().headers_for(Endpoint::Messages, false, &[]),
            _ => Vec::new(),
        };
        let now = Utc::now();
        let call = Call {
            method: Method::GET,
            provider,
            base_url,
            address: address
                .parse()
                .map_err(|_| connection_failure("its address is none".to_owned()))?,
            credential,
            manner: Manner::Ours(&headers),
            body: Outgoing::Whole(Segments::default()),
            traceparent: None,
            connect,
            now,
        };
        let response = self.call(call).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_body(response, LARGEST_ANSWER_BYTES).await?;
        match status {
            200..300 if serde_json::from_slice::<IgnoredAny>(&body).is_ok() => Ok(()),
            200..300 => Err(failure_of(
                FailureKind::Malformed,
                "the answer is no list of models".to_owned(),
            )),
            _ => Err(classify(status, &headers, &body, now)),
        }
    }
}
