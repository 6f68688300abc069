//! Fetches a document that an administrator named, under the same rules as calls to providers: the address is checked,
//! there are no redirects, and what comes is bounded in size and time.

use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::{AddressPolicy, BaseUrl, DestinationError};
use http::header::USER_AGENT;
use url::Url;

use super::sending::send;
use super::{AGENT, Upstream, failure, read_body};

const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no document. Reads as a sentence about the address.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Destination(#[from] DestinationError),
    #[error("must be an https address")]
    PlainHttp,
    #[error("answered with status {0}")]
    Status(u16),
    #[error("did not answer within {} seconds", .0.as_secs())]
    Late(Duration),
    #[error("could not be read: {0}")]
    Failed(String),
}

impl Upstream {
    pub async fn fetch(&self, url: &Url, limit_bytes: usize, patience: Duration) -> Result<Bytes, FetchError> {
        let mut place = url.clone();
        place.set_query(None);
        let place: BaseUrl = place.as_str().parse()?;
        // Not the list of hosts: it is about what organizations may call, and this is the installation's own.
        place.check(self.shared.ways.egress().addresses)?;
        let private = place.check(AddressPolicy::PublicOnly) == Err(DestinationError::Private);
        if url.scheme() != "https" && !private {
            return Err(FetchError::PlainHttp);
        }
        let fetched = tokio::time::timeout(patience, self.fetch_from(url, limit_bytes)).await;
        fetched.unwrap_or(Err(FetchError::Late(patience)))
    }

    async fn fetch_from(&self, url: &Url, limit_bytes: usize) -> Result<Bytes, FetchError> {
        let failed = |failure: gatewright_llm::Failure| FetchError::Failed(failure.message);
        let request = self.shared.ways.straight(CONNECT).map_err(failed)?.get(url.clone());
        let response = send(request.header(USER_AGENT, AGENT))
            .await
            .map_err(|error| failed(failure(&error)))?;
        match response.status().as_u16() {
            200 => read_body(response, limit_bytes).await.map_err(failed),
            status => Err(FetchError::Status(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use gatewright_contract::Keyring;

    use super::*;

    #[tokio::test]
    async fn what_may_not_be_called_is_not_fetched() {
        // Another test of this process may have been first.
        let _there = rustls::crypto::ring::default_provider().install_default();
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a keyring");
        let check = async |policy, url: &str, problem: &str| {
            let upstream = Upstream::new(AddressPolicy::into(policy), keyring.clone()).expect("a client");
            let url = url.parse().expect("an address");
            let refused = upstream
                .fetch(&url, 10, Duration::from_secs(1))
                .await
                .expect_err("refused");
            assert!(refused.to_string().contains(problem), "{url}: {refused}");
        };

        check(
            AddressPolicy::AllowPrivate,
            "http://169.254.169.254/latest",
            "may not have",
        )
        .await;
        check(
            AddressPolicy::AllowPrivate,
            "http://catalogue.example.com/c.json",
            "https",
        )
        .await;
        check(AddressPolicy::AllowPrivate, "http://93.184.216.34/c.json?x=1", "https").await;
        check(
            AddressPolicy::AllowPrivate,
            "https://u:p@example.com/c.json",
            "must not hold",
        )
        .await;
        check(AddressPolicy::PublicOnly, "https://127.0.0.1/c.json", "private").await;
        check(AddressPolicy::PublicOnly, "http://example.com/c.json", "https").await;
    }
}
