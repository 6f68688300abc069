//! Makes a call's request and sends it, and sends it anew where the server says that it did not look at it.

use bytes::Bytes;
use gatewright_llm::{Failure, FailureKind, Segments};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use super::authorize::{self, Unsigned};
use super::identity::Endpoint;
use super::segments::SegmentsBody;
use super::ways::{Way, Whose};
use super::{AGENT, Call, Manner, Outgoing, Upstream, connection_failure, failure};
use crate::call::failure_of;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Of a call as most are, so that the map does not grow. With one more it would be twice as large.
const ROOM_FOR_HEADERS: usize = 6;
/// A server that goes on refusing has failed.
const MOST_SENT: u32 = 3;

impl Upstream {
    /// What the provider answers, whatever its status.
    pub(crate) async fn call(&self, mut call: Call<'_>) -> Result<reqwest::Response, Failure> {
        let ways = &self.shared.ways;
        ways.egress()
            .check(call.base_url)
            .map_err(|error| connection_failure(format!("its address {error}")))?;
        let way = ways.way(Whose::of(call.provider), call.connect.length)?;
        way.check(ways.egress(), &call.address).await?;
        let mut sent = 0;
        let answer = loop {
            let request = self.request(&mut call, &way).await?;
            sent += 1;
            match way.client.execute(request).await {
                Ok(answer) => break answer,
                Err(error) if sent < MOST_SENT && call.body.is_left() && was_not_looked_at(&error) => {}
                Err(error) if error.is_connect() && error.is_timeout() => return Err(call.connect.exceeded()),
                Err(error) => return Err(failure(&error)),
            }
        };
        match way.refused_by_proxy(answer.status().as_u16()) {
            Some(refused) => Err(refused),
            None => Ok(answer),
        }
    }

    async fn request(&self, call: &mut Call<'_>, way: &Way) -> Result<reqwest::Request, Failure> {
        let mut signed_body = Bytes::new();
        let signs = call.credential.is_some_and(authorize::signs_the_body);
        let body = match &mut call.body {
            Outgoing::Streamed(_) if signs => {
                let message = "a body that is passed on as it comes cannot be signed".to_owned();
                return Err(failure_of(FailureKind::Credential, message));
            }
            Outgoing::Streamed(streamed) => streamed.take().map(reqwest::Body::wrap),
            Outgoing::Whole(segments) if signs => {
                signed_body = segments.clone().into_iter().collect::<Vec<_>>().concat().into();
                let segments: Segments = signed_body.clone().into();
                (!segments.is_empty()).then(|| SegmentsBody::wrap(segments))
            }
            Outgoing::Whole(segments) => (!segments.is_empty()).then(|| SegmentsBody::wrap(segments.clone())),
        };
        let (mut headers, added): (_, &[_]) = match &call.manner {
            Manner::Ours(added) => (our_headers(), added),
            Manner::Native(own) => (own.clone(), &[]),
        };
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
                egress: self.shared.ways.egress().clone(),
            };
            authorize::authorize(&self.shared.identities, endpoint, chosen, unsigned, &mut headers).await?;
        }
        let context = call.traceparent.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(context)) = context {
            headers.insert("traceparent", context);
        }
        let mut request = reqwest::Request::new(call.method.clone(), call.address.clone());
        *request.headers_mut() = headers;
        *request.body_mut() = body;
        Ok(request)
    }
}

/// The same for a small request of our own.
pub(super) async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
    for _ in 1..MOST_SENT {
        let Some(copy) = request.try_clone() else { break };
        match copy.send().await {
            Err(error) if was_not_looked_at(&error) => {}
            answered => return answered,
        }
    }
    request.send().await
}

impl Outgoing {
    /// Whether it can be sent, for the first time or again.
    const fn is_left(&self) -> bool {
        matches!(self, Self::Whole(_) | Self::Streamed(Some(_)))
    }
}

fn our_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(ROOM_FOR_HEADERS);
    headers.insert(CONTENT_TYPE, JSON);
    headers
}

/// A server of HTTP/2 may close a connection while calls are on their way to it, or have too many at once, and says which
/// of them it never looked at (RFC 9113, 8.7).
fn was_not_looked_at(error: &reqwest::Error) -> bool {
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let said = causes.find_map(|cause| cause.downcast_ref::<h2::Error>());
    said.is_some_and(|said| {
        let goes_away = said.is_go_away() && said.reason() == Some(h2::Reason::NO_ERROR);
        let refuses = said.is_reset() && said.reason() == Some(h2::Reason::REFUSED_STREAM);
        said.is_remote() && (goes_away || refuses)
    })
}
