//! Asks a provider at its own address, and takes what it answers: in one piece where it is short enough to be priced
//! before its head goes out, else as it comes.

use bytes::Bytes;
use gatewright_contract::BaseUrl;
use gatewright_llm::{Failure, FailureKind, NativeWatch, classify};
use gatewright_types::RequestId;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::Sighted;
use super::incoming::Body;
use crate::asking::credential;
use crate::call::refused;
use crate::gateway::Gateway;
use crate::limits;
use crate::opening::Source;
use crate::patience::Patience;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::upstream::{Call, Manner, Outgoing, Preference, read_body};

/// A request about to be sent.
pub(super) struct Asking<'a> {
    pub(super) sighted: Sighted,
    pub(super) base_url: &'a BaseUrl,
    pub(super) method: http::Method,
    pub(super) address: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// What a provider answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: AnswerBody,
    pub(super) sighted: Sighted,
}

pub(super) enum AnswerBody {
    Whole(Bytes),
    /// An error, whole, and what it means.
    Error(Bytes, Failure),
    Flowing(Source, NativeWatch),
}

impl Asking<'_> {
    pub(super) async fn ask(self, gateway: &Gateway, record: &mut Record) -> Result<Answer, Refusal> {
        let upstream = gateway.parts.upstream.clone();
        let provider = &self.sighted.provider;
        let patience = Patience::natively(&provider.settings.timeouts, gateway.parts.settings.timeouts);
        let credential = credential(&upstream, provider, Preference::default())?;
        let used = credential.as_ref().map(|chosen| chosen.id);
        limits::spend_natively(gateway, &self.sighted, used, record).await?;
        record.attempt_natively(&self.sighted, used, patience.beginning().length);
        let model = self.sighted.target.as_ref().map(|target| target.model.as_str());
        let (body, mut pump) = match self.body {
            Body::Whole(bytes) => (Outgoing::Whole(bytes.into()), None),
            Body::Flowing(flowing) => {
                let (streamed, pump) = flowing.split();
                (Outgoing::Streamed(Some(streamed)), Some(pump))
            }
        };
        let call = Call {
            provider,
            base_url: self.base_url,
            address: self.address,
            credential: credential.as_ref(),
            method: self.method,
            manner: Manner::Native(self.headers),
            body,
            traceparent: record.trace().call(provider, model.unwrap_or_default()),
            connect: patience.connect,
            now: chrono::Utc::now(),
        };
        let began = Instant::now();
        let limit = patience.beginning();
        let deadline = record.started() + limit.length;
        let limit_bytes = gateway.parts.settings.answer_limit_bytes;
        let id = record.id();
        let answered = timeout_at(deadline, async {
            let call = upstream.call(call);
            let response = match &mut pump {
                Some(pump) => pump.along(call).await?,
                None => call.await.map_err(refused)?,
            };
            take(response, self.sighted.clone(), limit_bytes).await
        })
        .await;
        record.waited(began.elapsed());
        if let Some(pump) = &pump {
            record.flowed(pump.pumped_bytes());
        }
        let answered = answered.unwrap_or_else(|_| Err(refused(limit.exceeded())));
        let failure = match &answered {
            Err(Refusal::Upstream(upstream)) => Some(&upstream.failure),
            Ok(Answer {
                body: AnswerBody::Error(_, failure),
                ..
            }) => Some(failure),
            Ok(_) | Err(_) => None,
        };
        if let Some(failure) = failure {
            record.failed_natively(&refused(failure.clone()), patience);
            if let Some(credential) = used {
                upstream.credentials().failed(provider, credential, failure);
            }
        }
        if let Err(Refusal::Upstream(upstream)) = &answered {
            log(id, provider.name.as_str(), &upstream.failure, pump.is_some());
        }
        answered
    }
}

async fn take(response: reqwest::Response, sighted: Sighted, limit_bytes: usize) -> Result<Answer, Refusal> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let body = if status >= 400 {
        let body = read_body(response, limit_bytes).await.map_err(refused)?;
        let failure = classify(status, &headers, &body, chrono::Utc::now());
        // It is our credential that was refused, which is nothing for the caller to read about.
        if failure.kind == FailureKind::Credential {
            return Err(refused(failure));
        }
        AnswerBody::Error(body, failure)
    } else if sighted.native.purpose.is_some() && !sighted.native.stream && is_json(kind) {
        AnswerBody::Whole(read_body(response, limit_bytes).await.map_err(refused)?)
    } else {
        let watch = sighted.native.watch(kind);
        AnswerBody::Flowing(Source::Network(response), watch)
    };
    Ok(Answer {
        status,
        headers,
        body,
        sighted,
    })
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// `gone`: its body was passed on as it came, so that nobody here can send it again.
fn log(id: RequestId, provider: &str, failure: &Failure, gone: bool) {
    let status = failure.status;
    if failure.kind == FailureKind::Credential {
        tracing::error!(
            request.id = %id, upstream.provider = provider, status,
            "the provider refused our credential; an administrator has to replace it"
        );
        return;
    }
    tracing::warn!(
        request.id = %id, upstream.provider = provider, status, reason = failure.message, body_gone = gone,
        "a call to a provider failed"
    );
}
