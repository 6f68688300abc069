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
mod ways;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::{BaseUrl, Egress, Keyring, Provider};
use gatewright_llm::{Failure, FailureKind, Segments};
use gatewright_routing::Health;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::Url;

use crate::call::failure_of;
use crate::native::Streamed;
use crate::news::News;
use crate::patience::Limit;
use authorize::Unsigned;
pub(crate) use credentials::{Chosen, Preference};
pub use fetch::FetchError;
pub(crate) use files::Fetched;
use files::Files;
use identity::{Endpoint, Identities};
pub(crate) use place::address;
pub(crate) use sandbox::Player;
use segments::SegmentsBody;
pub use self_test::Trial;
use ways::{Ways, Whose};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("gatewright/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Of a call as most are, so that the map does not grow. With one more it would be twice as large.
const ROOM_FOR_HEADERS: usize = 6;

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
    /// It is still coming in, and can be sent once.
    Streamed(Streamed),
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

    pub(crate) async fn call(&self, call: Call<'_>) -> Result<reqwest::Response, Failure> {
        let Shared { ways, identities, .. } = &*self.shared;
        ways.egress()
            .check(call.base_url)
            .map_err(|error| connection_failure(format!("its address {error}")))?;
        let way = ways.way(Whose::of(call.provider), call.connect.length)?;
        way.check(ways.egress(), &call.address).await?;
        let mut signed_body = Bytes::new();
        let signs = call.credential.is_some_and(authorize::signs_the_body);
        let body = match call.body {
            Outgoing::Streamed(_) if signs => {
                let message = "a body that is passed on as it comes cannot be signed".to_owned();
                return Err(failure_of(FailureKind::Credential, message));
            }
            Outgoing::Streamed(streamed) => Some(reqwest::Body::wrap(streamed)),
            Outgoing::Whole(segments) if signs => {
                signed_body = segments.into_iter().collect::<Vec<_>>().concat().into();
                let segments: Segments = signed_body.clone().into();
                (!segments.is_empty()).then(|| SegmentsBody::wrap(segments))
            }
            Outgoing::Whole(segments) => (!segments.is_empty()).then(|| SegmentsBody::wrap(segments)),
        };
        let (own, added): (_, &[_]) = match call.manner {
            Manner::Ours(added) => (our_headers(), added),
            Manner::Native(own) => (own, &[]),
        };
        let mut headers = own;
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(USER_AGENT).or_insert(AGENT);
        for (name, value) in &call.provider.settings.headers {
            // Both were checked to be what a header can carry.
            if let (Ok(name), Ok(value)) = (
                name.as_str().parse::<HeaderName>(),
                HeaderValue::from_str(value.as_str()),
            ) {
                headers.insert(name, value);
            }
        }
        for (name, value) in added {
            headers.append(name.clone(), value.clone());
        }
        if let Some(chosen) = call.credential {
            let unsigned = Unsigned {
                provider: call.provider,
                method: &call.method,
                address: &call.address,
                body: &signed_body,
                now: call.now,
            };
            let endpoint = || Endpoint {
                way: way.clone(),
                egress: ways.egress().clone(),
            };
            authorize::authorize(identities, endpoint, chosen, unsigned, &mut headers).await?;
        }
        if let Some(context) = call.traceparent.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert("traceparent", context);
        }
        let mut request = reqwest::Request::new(call.method, call.address);
        *request.headers_mut() = headers;
        *request.body_mut() = body;
        let answered = way.client.execute(request).await;
        let answer = answered.map_err(|error| match error.is_connect() && error.is_timeout() {
            true => call.connect.exceeded(),
            false => failure(&error),
        })?;
        match way.refused_by_proxy(answer.status().as_u16()) {
            Some(refused) => Err(refused),
            None => Ok(answer),
        }
    }
}

fn our_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(ROOM_FOR_HEADERS);
    headers.insert(CONTENT_TYPE, JSON);
    headers
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
