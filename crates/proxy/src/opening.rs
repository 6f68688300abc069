//! Begins one call to a provider: sends the request and waits for the answer's head, or for the error that comes
//! instead. Owns all it needs, so that a slow beginning can go on behind a stream that has already begun to the caller.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::UpstreamTarget;
use gatewright_llm::{Endpoint, Failure, FailureKind, Segments, classify, sandbox};
use gatewright_types::RequestId;
use gatewright_types::api::{Fault, ServedTier};
use http::Method;
use http::header::{HeaderName, HeaderValue};
use http_body::Body as _;

use crate::attempts::random;
use crate::fault::{Cutting, Mishap};
use crate::patience::Limit;
use crate::refusal::{Refusal, UpstreamRefusal};
use crate::tier::told_tier;
use crate::upstream::{Call, Chosen, Manner, Outgoing, Player, Upstream, address, failure, read_body};

/// No error body worth passing on is larger.
const ERROR_BODY_BYTES: usize = 256 << 10;

/// A call about to be made.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) upstream: Upstream,
    pub(crate) target: Arc<UpstreamTarget>,
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Segments,
    pub(crate) stream: bool,
    /// The caller reads the provider's own dialect: its errors as well.
    pub(crate) same_dialect: bool,
    /// What the caller wants to go wrong.
    pub(crate) fault: Option<Fault>,
    /// What the caller told the provider besides its body.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) request_id: RequestId,
    pub(crate) credential: Option<Chosen>,
    pub(crate) traceparent: Option<String>,
    pub(crate) connect: Limit,
    pub(crate) now: DateTime<Utc>,
}

/// An answer that has begun.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) status: u16,
    /// The tier it is served in, where the head says so.
    pub(crate) served: Option<ServedTier>,
    pub(crate) source: Source,
}

/// Where an answer's bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    Network(reqwest::Response),
    /// The body of a network answer that is read piece by piece.
    Flowing(reqwest::Body),
    Sandbox(Player),
    /// An answer that is spoilt on purpose.
    Cutting(Cutting),
}

impl Opening {
    /// Another call like this one.
    pub(crate) fn again(&self, body: Bytes) -> Self {
        Self {
            upstream: self.upstream.clone(),
            target: self.target.clone(),
            endpoint: self.endpoint,
            body: body.into(),
            stream: self.stream,
            same_dialect: self.same_dialect,
            fault: self.fault.clone(),
            headers: self.headers.clone(),
            request_id: self.request_id,
            credential: self.credential.clone(),
            traceparent: self.traceparent.clone(),
            connect: self.connect,
            now: self.now,
        }
    }

    pub(crate) async fn open(mut self) -> Result<Opened, Refusal> {
        let body = std::mem::take(&mut self.body);
        let target = &*self.target;
        let mishap = Mishap::of(target, self.fault.as_ref(), random());
        match mishap {
            Some(Mishap::Silence) => std::future::pending().await,
            Some(Mishap::Later(delay)) => tokio::time::sleep(delay).await,
            Some(Mishap::Answered(..) | Mishap::Cut) | None => {}
        }
        let mut opened = match &target.provider.base_url {
            _ if let Some(Mishap::Answered(status, body)) = mishap => Mishap::answer(status, body),
            Some(base_url) => {
                let provider = &target.provider;
                let model = provider.deployment(target.model.as_str());
                let address = address(provider, base_url, self.endpoint, model, self.stream);
                let call = Call {
                    method: Method::POST,
                    provider,
                    base_url,
                    address: address.map_err(|error| self.failed(error))?,
                    credential: self.credential.as_ref(),
                    manner: Manner::Ours(&self.headers),
                    body: Outgoing::Whole(body),
                    traceparent: self.traceparent.clone(),
                    connect: self.connect,
                    now: self.now,
                };
                let response = self.upstream.call(call).await.map_err(|error| self.failed(error))?;
                Opened {
                    status: response.status().as_u16(),
                    served: told_tier(provider.kind, response.headers()),
                    source: Source::Network(response),
                }
            }
            None => self.play(target, body).await,
        };
        if mishap == Some(Mishap::Cut) {
            opened.source = Source::Cutting(Cutting::new(opened.source));
        }
        match opened.status {
            200..300 => Ok(opened),
            _ => Err(Box::pin(self.error(opened)).await),
        }
    }

    async fn play(&self, target: &UpstreamTarget, body: Segments) -> Opened {
        let id = self.request_id.to_string();
        let body = body.into_iter().collect::<Vec<_>>().concat();
        let script = sandbox(&body, self.stream, target.model.as_str(), &id, self.now.timestamp());
        tokio::time::sleep(script.wait).await;
        Opened {
            status: script.status,
            served: None,
            source: Source::Sandbox(Player::new(script.steps)),
        }
    }

    async fn error(&self, opened: Opened) -> Refusal {
        let status = opened.status;
        let (headers, body) = match opened.source {
            Source::Network(response) => (response.headers().clone(), read_body(response, ERROR_BODY_BYTES).await),
            Source::Sandbox(player) => (http::HeaderMap::new(), player.collect().await),
            Source::Flowing(_) | Source::Cutting(_) => (http::HeaderMap::new(), Ok(Bytes::new())),
        };
        let body = body.unwrap_or_default();
        let failure = classify(status, &headers, &body, self.now);
        let refusal = self.failed(failure);
        match refusal {
            Refusal::Upstream(upstream)
                if self.same_dialect && upstream.failure.kind == FailureKind::BadRequest && is_object(&body) =>
            {
                Refusal::Upstream(UpstreamRefusal {
                    body: Some(body),
                    ..upstream
                })
            }
            other => other,
        }
    }

    /// Logged here, once, because only here the provider's own words are at hand.
    fn failed(&self, failure: Failure) -> Refusal {
        let provider = &self.target.provider;
        if let Some(credential) = &self.credential {
            self.upstream.credentials().failed(provider, credential.id, &failure);
        }
        let provider = provider.name.as_str();
        let status = failure.status;
        match failure.kind {
            FailureKind::BadRequest | FailureKind::RateLimited => {
                tracing::debug!(request.id = %self.request_id, upstream.provider = provider, status, "the provider refused a request");
            }
            FailureKind::Credential => tracing::error!(
                request.id = %self.request_id, upstream.provider = provider, status,
                "the provider refused our credential; an administrator has to replace it"
            ),
            FailureKind::NotFound
            | FailureKind::Overloaded
            | FailureKind::Server
            | FailureKind::Timeout
            | FailureKind::Connection
            | FailureKind::Malformed
            | FailureKind::ErrorEvent => tracing::warn!(
                request.id = %self.request_id, upstream.provider = provider, status, reason = failure.message,
                "a call to a provider failed"
            ),
        }
        Refusal::Upstream(failure.into())
    }
}

impl Source {
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        loop {
            match self {
                Self::Sandbox(player) => return player.poll_next(cx),
                Self::Cutting(cutting) => return cutting.poll_next(cx),
                Self::Flowing(body) => match std::task::ready!(std::pin::Pin::new(&mut *body).poll_frame(cx)) {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(bytes) => return Poll::Ready(Some(Ok(bytes))),
                        // Trailers say nothing a caller could use.
                        Err(_) => continue,
                    },
                    Some(Err(error)) => return Poll::Ready(Some(Err(failure(&error)))),
                    None => return Poll::Ready(None),
                },
                Self::Network(_) => self.begin_to_flow(),
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Failure>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// All that is left, behind what was read already.
    pub(crate) async fn rest(&mut self, first: Bytes, limit_bytes: usize) -> Result<Bytes, Failure> {
        let mut whole = bytes::BytesMut::from(&*first);
        while let Some(more) = self.next().await {
            whole.extend_from_slice(&more?);
            if whole.len() > limit_bytes {
                break;
            }
        }
        Ok(whole.freeze())
    }

    /// The whole body at once.
    pub(crate) async fn collect(self, limit_bytes: usize) -> Result<Bytes, Failure> {
        match self {
            Self::Network(response) => read_body(response, limit_bytes).await,
            Self::Sandbox(player) => player.collect().await,
            Self::Flowing(body) => read_body(http::Response::new(body).into(), limit_bytes).await,
            mut cutting @ Self::Cutting(_) => cutting.rest(Bytes::new(), limit_bytes).await,
        }
    }

    fn begin_to_flow(&mut self) {
        let before = std::mem::replace(self, Self::Sandbox(Player::new(Vec::new())));
        if let Self::Network(response) = before {
            *self = Self::Flowing(http::Response::<reqwest::Body>::from(response).into_body());
        }
    }
}

fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() && body.trim_ascii_start().starts_with(b"{")
}
