//! What goes back to the caller: status, headers and body, for answers and refusals alike. Metering happens here, so
//! that no reply can be made without it.

use std::time::Duration;

use bytes::Bytes;
use gatewright_llm::error_body;
use gatewright_types::Nanos;
use gatewright_types::api::Outcome;

use crate::call::Answer;
use crate::gateway::Gateway;
use crate::record::{End, Facts, Metered, Record, Used};
use crate::refusal::Refusal;
use crate::relay::Relay;

const REQUEST_ID: &str = "x-gw-request-id";
const PROVIDER: &str = "x-gw-provider";
const MODEL: &str = "x-gw-model";
const ATTEMPTS: &str = "x-gw-attempts";
const CACHE: &str = "x-gw-cache";
const COST: &str = "x-gw-cost-usd";
const OVERHEAD: &str = "x-gw-overhead-ms";
const CONTENT_TYPE: &str = "content-type";
const JSON: Bytes = Bytes::from_static(b"application/json");
/// Said of what is not known, so that every answer has every header.
const NONE: Bytes = Bytes::from_static(b"none");

/// A header's name in lower case and its value, in no HTTP library's types: they move to actix without a copy.
pub(crate) type Header = (&'static str, Bytes);

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<Header>,
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
                headers.push((COST, cost(metered)));
                Self {
                    status,
                    headers,
                    body: ReplyBody::Whole(body),
                }
            }
            Answer::Stream(begun) => {
                let mut headers = gateway_headers(&record.facts());
                record.hold_overhead();
                headers.push((CONTENT_TYPE, Bytes::from_static(b"text/event-stream")));
                headers.push(("cache-control", Bytes::from_static(b"no-cache")));
                headers.push(("x-accel-buffering", Bytes::from_static(b"no")));
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
            cost(Metered {
                cost: Some(Nanos::ZERO),
            }),
        ));
        Self {
            status: 200,
            headers,
            body: ReplyBody::Whole(body.into()),
        }
    }

    fn render(refusal: &Refusal, mut headers: Vec<Header>, metered: Metered) -> Self {
        headers.push((CONTENT_TYPE, JSON));
        headers.push((COST, cost(metered)));
        if let Some(wait) = refusal.retry_after() {
            headers.push(("retry-after", wait.as_secs().max(1).to_string().into()));
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

fn gateway_headers(facts: &Facts<'_>) -> Vec<Header> {
    let text = |text: Option<&str>| text.map_or(NONE, |text| Bytes::copy_from_slice(text.as_bytes()));
    let mut headers = Vec::with_capacity(11);
    headers.push((REQUEST_ID, facts.id.to_string().into()));
    headers.push((PROVIDER, text(facts.provider)));
    headers.push((MODEL, text(facts.model)));
    headers.push((ATTEMPTS, facts.attempts.to_string().into()));
    headers.push((CACHE, Bytes::from_static(b"off")));
    headers.push((OVERHEAD, overhead(facts.overhead)));
    headers
}

/// Milliseconds with three decimals.
fn overhead(overhead: Duration) -> Bytes {
    let micros = overhead.as_micros();
    format!("{}.{:03}", micros / 1_000, micros % 1_000).into()
}

fn cost(metered: Metered) -> Bytes {
    match metered.cost {
        Some(cost) => cost.to_string().into(),
        None => Bytes::from_static(b"unpriced"),
    }
}
