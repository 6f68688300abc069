//! What goes back to the caller: status, headers and body, for answers and refusals alike. Metering happens here, so
//! that no reply can be made without it.

use std::time::Duration;

use bytes::Bytes;
use gatewright_llm::error_body;
use gatewright_types::Nanos;
use gatewright_types::api::Outcome;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};

use crate::call::Answer;
use crate::gateway::Gateway;
use crate::record::{End, Facts, Metered, Record, Used};
use crate::refusal::Refusal;
use crate::relay::Relay;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-gw-request-id");
const PROVIDER: HeaderName = HeaderName::from_static("x-gw-provider");
const MODEL: HeaderName = HeaderName::from_static("x-gw-model");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-gw-attempts");
const CACHE: HeaderName = HeaderName::from_static("x-gw-cache");
const COST: HeaderName = HeaderName::from_static("x-gw-cost-usd");
const OVERHEAD: HeaderName = HeaderName::from_static("x-gw-overhead-ms");
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// Said of what is not known, so that every answer has every header.
const NONE: HeaderValue = HeaderValue::from_static("none");

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: ReplyBody,
}

pub(crate) enum ReplyBody {
    Whole(Bytes),
    Stream(Box<Relay>),
}

impl Reply {
    pub(crate) fn answer(gateway: &Gateway, answer: Answer, mut record: Record) -> Self {
        match answer {
            Answer::Whole { status, body, usage } => {
                let mut headers = gateway_headers(&record.facts());
                let used = usage.map_or(Used::Untold { content_events: 0 }, Used::Told);
                let metered = record.finish(&End {
                    outcome: Outcome::Complete,
                    status,
                    code: None,
                    used,
                });
                headers.push((CONTENT_TYPE, JSON));
                headers.push((COST, cost_header(metered)));
                Self {
                    status,
                    headers,
                    body: ReplyBody::Whole(body),
                }
            }
            Answer::Stream(begun) => {
                let mut headers = gateway_headers(&record.facts());
                record.hold_overhead();
                headers.push((CONTENT_TYPE, EVENT_STREAM));
                headers.push((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
                headers.push((BUFFERING, HeaderValue::from_static("no")));
                let relay = Relay::new(*begun, record, gateway.parts.settings.keepalive);
                Self {
                    status: 200,
                    headers,
                    body: ReplyBody::Stream(Box::new(relay)),
                }
            }
        }
    }

    /// A refusal of a request that has a record.
    pub(crate) fn refusal(refusal: &Refusal, mut record: Record) -> Self {
        let headers = gateway_headers(&record.facts());
        let metered = record.refuse(refusal);
        Self::render(refusal, headers, metered)
    }

    /// A refusal before anybody could be billed.
    pub(crate) fn stranger(refusal: &Refusal, overhead: Duration) -> Self {
        let id = gatewright_types::RequestId::mint();
        let facts = Facts {
            id,
            provider: None,
            model: None,
            attempts: 0,
            overhead,
        };
        Self::render(
            refusal,
            gateway_headers(&facts),
            Metered {
                cost: Some(Nanos::ZERO),
            },
        )
    }

    /// An answer that costs nothing and is not metered: a list of models.
    pub(crate) fn plain(body: Vec<u8>, overhead: Duration) -> Self {
        let id = gatewright_types::RequestId::mint();
        let facts = Facts {
            id,
            provider: None,
            model: None,
            attempts: 0,
            overhead,
        };
        let mut headers = gateway_headers(&facts);
        headers.push((CONTENT_TYPE, JSON));
        headers.push((
            COST,
            cost_header(Metered {
                cost: Some(Nanos::ZERO),
            }),
        ));
        Self {
            status: 200,
            headers,
            body: ReplyBody::Whole(body.into()),
        }
    }

    fn render(refusal: &Refusal, mut headers: Vec<(HeaderName, HeaderValue)>, metered: Metered) -> Self {
        headers.push((CONTENT_TYPE, JSON));
        headers.push((COST, cost_header(metered)));
        if let Some(wait) = refusal.retry_after() {
            headers.push((RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1))));
        }
        let body = match refusal {
            Refusal::Upstream(upstream) if upstream.body.is_some() => upstream.body.clone().unwrap_or_default(),
            other => error_body(&other.message(), other.kind(), other.param(), other.code()).into(),
        };
        Self {
            status: refusal.status(),
            headers,
            body: ReplyBody::Whole(body),
        }
    }
}

fn gateway_headers(facts: &Facts<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let text = |text: Option<&str>| text.and_then(|text| HeaderValue::from_str(text).ok()).unwrap_or(NONE);
    let mut headers = Vec::with_capacity(11);
    headers.push((REQUEST_ID, text(Some(&facts.id.to_string()))));
    headers.push((PROVIDER, text(facts.provider)));
    headers.push((MODEL, text(facts.model)));
    headers.push((ATTEMPTS, HeaderValue::from(facts.attempts)));
    headers.push((CACHE, HeaderValue::from_static("off")));
    headers.push((OVERHEAD, overhead_header(facts.overhead)));
    headers
}

/// Milliseconds with three decimals.
fn overhead_header(overhead: Duration) -> HeaderValue {
    let micros = overhead.as_micros();
    let text = format!("{}.{:03}", micros / 1_000, micros % 1_000);
    HeaderValue::from_str(&text).unwrap_or(NONE)
}

fn cost_header(metered: Metered) -> HeaderValue {
    match metered.cost {
        Some(cost) => HeaderValue::from_str(&cost.to_string()).unwrap_or(NONE),
        None => HeaderValue::from_static("unpriced"),
    }
}
