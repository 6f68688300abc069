//! Calls to providers: one pool of connections, no redirects, addresses checked, secrets opened at use.

mod address;
mod authorize;
mod credentials;
mod fetch;
mod files;
mod identity;
mod listing;
mod place;
mod sandbox;
mod segments;
mod self_test;
mod sending;
mod ways;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::{BaseUrl, Egress, Keyring, Provider};
use gatewright_llm::{Failure, FailureKind, Segments};
use gatewright_routing::Health;
use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::call::failure_of;
use crate::native::Streamed;
use crate::news::News;
use crate::patience::Limit;
pub(crate) use credentials::{Chosen, Preference};
pub use fetch::FetchError;
pub(crate) use files::Fetched;
use files::Files;
use identity::Identities;
pub(crate) use place::address;
pub(crate) use sandbox::Player;
pub use self_test::Trial;
use ways::Ways;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("gatewright/", env!("CARGO_PKG_VERSION")));

/// The way out to providers; clones share its connections.
#[derive(Debug, Clone)]
pub struct Upstream {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    health: Health,
    news: News,
    credentials: credentials::Credentials,
    identities: Identities,
    files: Files,
    ways: Ways,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) provider: &'a Provider,
    pub(crate) base_url: &'a BaseUrl,
    pub(crate) address: Url,
    pub(crate) credential: Option<&'a Chosen>,
    pub(crate) manner: Manner<'a>,
    pub(crate) body: Outgoing,
    pub(crate) traceparent: Option<String>,
    pub(crate) connect: Limit,
    pub(crate) now: DateTime<Utc>,
}

/// The body of a call.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Whole(Segments),
    /// It is still coming in, and can be sent once; nothing by then.
    Streamed(Option<Streamed>),
}

/// Whose request it is.
#[derive(Debug)]
pub(crate) enum Manner<'a> {
    /// JSON of ours, with what the provider's dialect wants to be told besides the body.
    Ours(&'a [(HeaderName, HeaderValue)]),
    /// The caller's own, as far as it may pass.
    Native(HeaderMap),
}

impl Upstream {
    pub fn new(egress: Egress, keyring: Keyring) -> reqwest::Result<Self> {
        let (health, news) = (Health::default(), News::new());
        let shared = Shared {
            credentials: credentials::Credentials::new(keyring.clone(), health.clone(), news.clone()),
            health,
            news,
            identities: Identities::new(),
            files: Files::new(egress.addresses)?,
            ways: Ways::new(egress, keyring)?,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// What is known of how providers do; clones are the same.
    pub fn health(&self) -> &Health {
        &self.shared.health
    }

    pub(crate) fn news(&self) -> &News {
        &self.shared.news
    }

    pub(crate) fn credentials(&self) -> &credentials::Credentials {
        &self.shared.credentials
    }

    pub(crate) fn files(&self) -> &Files {
        &self.shared.files
    }
}

/// What a failed call means, without the address it was made to.
pub(crate) fn failure(error: &reqwest::Error) -> Failure {
    let kind = if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_decode() {
        FailureKind::Malformed
    } else {
        FailureKind::Connection
    };
    let mut message = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = cause.to_string();
        source = cause.source();
    }
    failure_of(kind, message)
}

fn connection_failure(message: String) -> Failure {
    failure_of(FailureKind::Connection, message)
}

/// Reads a body whole, up to a limit.
pub(crate) async fn read_body(mut response: reqwest::Response, limit_bytes: usize) -> Result<Bytes, Failure> {
    let Some(first) = response.chunk().await.map_err(|error| failure(&error))? else {
        return Ok(Bytes::new());
    };
    let Some(second) = response.chunk().await.map_err(|error| failure(&error))? else {
        return Ok(first);
    };
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    let mut whole = bytes::BytesMut::with_capacity(announced.min(limit_bytes).max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(more) = response.chunk().await.map_err(|error| failure(&error))? {
        whole.extend_from_slice(&more);
        if whole.len() > limit_bytes {
            let message = format!("the answer is larger than {limit_bytes} bytes");
            return Err(failure_of(FailureKind::Malformed, message));
        }
    }
    Ok(whole.freeze())
}
