//! What goes back to the caller: status, headers and body, for answers and refusals alike. Metering happens here, so
//! that no reply can be made without it.

use std::time::Duration;

use bytes::Bytes;
use gatewright_llm::Form;
use gatewright_llm::dialect::{Dropped, inbound};
use gatewright_types::api::{CacheStatus, Dialect, Outcome};
use gatewright_types::{Nanos, RequestId};

use crate::cache::{Collecting, Given, Hit, Keeping};
use crate::call::{Answer, Begun};
use crate::count::Counted;
use crate::gateway::Gateway;
use crate::record::{End, Facts, Metered, Record, Used};
use crate::refusal::Refusal;
use crate::relay::Relay;
use crate::responses::Kept;
use crate::speech::Telling;
use crate::waiting::{Streamed, Waiting};

const REQUEST_ID: &str = "x-gw-request-id";
const PROVIDER: &str = "x-gw-provider";
const MODEL: &str = "x-gw-model";
const ATTEMPTS: &str = "x-gw-attempts";
const CACHE: &str = "x-gw-cache";
/// Seconds since an answer that was kept was given.
const AGE: &str = "age";
const COST: &str = "x-gw-cost-usd";
const OVERHEAD: &str = "x-gw-overhead-ms";
const ESTIMATED: &str = "x-gw-estimated";
const DROPPED: &str = "x-gw-dropped-params";
/// Said only when a response should have been stored and could not be.
const RESPONSE_STORED: &str = "x-gw-response-stored";
/// What vendors' client libraries heed.
const SHOULD_RETRY: &str = "x-should-retry";
const CONTENT_TYPE: &str = "content-type";
const JSON: Bytes = Bytes::from_static(b"application/json");
const EVENTS: Bytes = Bytes::from_static(b"text/event-stream");
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
    Stream(Box<Streamed>),
}

impl Reply {
    /// `keeping` is to have the answer if it is complete.
    pub(crate) async fn answer(gateway: &Gateway, answer: Answer, keeping: Option<Keeping>, record: Record) -> Self {
        match answer {
            Answer::Whole {
                status,
                body,
                used,
                telling,
                kept,
            } => {
                let mut headers = gateway_headers(&record.facts(), record.dialect());
                headers.extend(dropped(&telling));
                if kept == Kept::Lost {
                    headers.push((RESPONSE_STORED, Bytes::from_static(b"false")));
                }
                if matches!(used, Used::Counted(..)) {
                    headers.push((ESTIMATED, Bytes::from_static(b"true")));
                }
                let (maker, usage) = (record.maker(), used.tokens());
                let end = End {
                    outcome: Outcome::Complete,
                    status,
                    code: None,
                    used,
                };
                let metered = record.finish_with_others(end).await;
                if let Some(keeping) = keeping {
                    let given = Given {
                        maker,
                        usage,
                        cost: metered.cost,
                        dropped: telling.dropped().map(|dropped| dropped.to_string().into()),
                    };
                    Box::pin(keeping.whole(status, body.clone(), given)).await;
                }
                headers.push((CONTENT_TYPE, JSON));
                headers.push((COST, cost(metered)));
                Self {
                    status,
                    headers,
                    body: ReplyBody::Whole(body),
                }
            }
            Answer::Stream(begun) => {
                let collecting = keeping.and_then(Keeping::collecting);
                Self::stream(begun, collecting, gateway.parts.settings.keepalive)
            }
        }
    }

    fn stream(begun: Begun, collecting: Option<Collecting>, keepalive: Duration) -> Self {
        let (mut headers, content_type, body) = match begun {
            Begun::Streaming(streaming, mut record) => {
                let mut headers = gateway_headers(&record.facts(), record.dialect());
                record.hold_overhead();
                headers.extend(dropped(&streaming.telling));
                let content_type = streaming.telling.content_type();
                let relay = Relay::new(*streaming, collecting, record, keepalive, String::new());
                (headers, content_type, Streamed::Relaying(Box::new(relay)))
            }
            Begun::Waiting(first, calling) => {
                let headers = gateway_headers(&first.facts(), first.told.dialect);
                let waiting = Waiting::new(calling, first.told, collecting, keepalive);
                (headers, first.content_type, Streamed::Waiting(Box::new(waiting)))
            }
        };
        headers.push((CONTENT_TYPE, Bytes::from_static(content_type.as_bytes())));
        headers.push(("cache-control", Bytes::from_static(b"no-cache")));
        headers.push(("x-accel-buffering", Bytes::from_static(b"no")));
        Self {
            status: 200,
            headers,
            body: ReplyBody::Stream(Box::new(body)),
        }
    }

    /// An answer that was given before.
    pub(crate) async fn kept(hit: Hit, record: Record) -> Self {
        let maker = hit.maker.as_ref();
        let facts = Facts {
            provider: maker.map(|maker| maker.provider.as_str()),
            model: maker.and_then(|maker| maker.model.as_ref()).map(|model| model.as_str()),
            ..record.facts()
        };
        let mut headers = gateway_headers(&facts, record.dialect());
        let kind = match hit.form {
            Form::Whole | Form::Array => JSON,
            Form::Events { .. } => {
                headers.push(("cache-control", Bytes::from_static(b"no-cache")));
                EVENTS
            }
        };
        headers.push((CONTENT_TYPE, kind));
        headers.push((AGE, hit.age.as_secs().to_string().into()));
        headers.extend(hit.dropped.map(|dropped| (DROPPED, String::from(dropped).into())));
        let end = End {
            outcome: Outcome::Complete,
            status: 200,
            code: None,
            used: Used::Nothing,
        };
        let metered = record.finish_with_others(end).await;
        headers.push((COST, cost(metered)));
        Self {
            status: 200,
            headers,
            body: ReplyBody::Whole(hit.body),
        }
    }

    /// A refusal of a request that has a record.
    pub(crate) fn refusal(refusal: &Refusal, mut record: Record) -> Self {
        let (dialect, id) = (record.dialect(), record.id());
        let headers = gateway_headers(&record.facts(), dialect);
        let metered = record.refuse(refusal);
        Self::render(refusal, dialect, id, headers, metered)
    }

    /// A refusal before anybody could be billed.
    pub(crate) fn stranger(refusal: &Refusal, dialect: Dialect, overhead: Duration) -> Self {
        let id = RequestId::mint();
        let facts = Facts {
            id,
            provider: None,
            model: None,
            attempts: 0,
            cache: CacheStatus::Off,
            overhead,
            limits: None,
        };
        let metered = Metered {
            cost: Some(Nanos::ZERO),
        };
        Self::render(refusal, dialect, id, gateway_headers(&facts, dialect), metered)
    }

    /// An answer that costs nothing and is not metered: a list of models, a response made before.
    pub(crate) fn plain(body: impl Into<Bytes>, dialect: Dialect, overhead: Duration) -> Self {
        Self::unmetered(body.into(), JSON, dialect, overhead)
    }

    /// The same as a stream that is over already.
    pub(crate) fn events(body: Bytes, dialect: Dialect, overhead: Duration) -> Self {
        let mut reply = Self::unmetered(body, EVENTS, dialect, overhead);
        reply.headers.push(("cache-control", Bytes::from_static(b"no-cache")));
        reply
    }

    fn unmetered(body: Bytes, kind: Bytes, dialect: Dialect, overhead: Duration) -> Self {
        let id = RequestId::mint();
        let facts = Facts {
            id,
            provider: None,
            model: None,
            attempts: 0,
            cache: CacheStatus::Off,
            overhead,
            limits: None,
        };
        let mut headers = gateway_headers(&facts, dialect);
        headers.push((CONTENT_TYPE, kind));
        headers.push((
            COST,
            cost(Metered {
                cost: Some(Nanos::ZERO),
            }),
        ));
        Self {
            status: 200,
            headers,
            body: ReplyBody::Whole(body),
        }
    }

    /// How many tokens a request has. Counting costs nothing.
    pub(crate) fn counted(counted: Counted, mut record: Record) -> Self {
        let mut headers = gateway_headers(&record.facts(), record.dialect());
        if counted.estimated {
            headers.push((ESTIMATED, Bytes::from_static(b"true")));
        }
        if !counted.dropped.is_empty() {
            headers.push((DROPPED, counted.dropped.to_string().into()));
        }
        let metered = record.finish(&End {
            outcome: Outcome::Complete,
            status: 200,
            code: None,
            used: Used::Nothing,
        });
        headers.push((CONTENT_TYPE, JSON));
        headers.push((COST, cost(metered)));
        Self {
            status: 200,
            headers,
            body: ReplyBody::Whole(counted.body),
        }
    }

    fn render(refusal: &Refusal, dialect: Dialect, id: RequestId, mut headers: Vec<Header>, metered: Metered) -> Self {
        headers.push((CONTENT_TYPE, JSON));
        headers.push((COST, cost(metered)));
        if let Some(wait) = refusal.retry_after() {
            headers.push(("retry-after", whole_seconds(wait).max(1).to_string().into()));
        }
        if refusal.is_not_to_be_retried() {
            headers.push((SHOULD_RETRY, Bytes::from_static(b"false")));
        }
        let body = match refusal {
            Refusal::Upstream(upstream) if upstream.body.is_some() => upstream.body.clone().unwrap_or_default(),
            other => other.tell(id, |facts| inbound(dialect).write_error(facts)).into(),
        };
        Self {
            status: refusal.status(),
            headers,
            body: ReplyBody::Whole(body),
        }
    }
}

/// What could not be carried over into the provider's dialect.
fn dropped(telling: &Telling) -> Option<Header> {
    let dropped = telling.dropped()?;
    Some((DROPPED, dropped.to_string().into()))
}

/// What the headers could not say of a stream that began while providers were called: comments at its end.
pub(crate) fn facts_comment(facts: &Facts<'_>, dropped: Option<&Dropped>) -> String {
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    let mut told = vec![
        (PROVIDER, text(facts.provider)),
        (MODEL, text(facts.model)),
        (ATTEMPTS, facts.attempts.to_string()),
    ];
    told.extend(dropped.map(|dropped| (DROPPED, dropped.to_string())));
    let lines = told.into_iter().map(|(name, value)| format!(": {name}: {value}\n"));
    lines.chain(["\n".to_owned()]).collect()
}

pub(crate) fn gateway_headers(facts: &Facts<'_>, dialect: Dialect) -> Vec<Header> {
    let text = |text: Option<&str>| text.map_or(NONE, |text| Bytes::copy_from_slice(text.as_bytes()));
    let id = Bytes::from(facts.id.to_string());
    let mut headers = Vec::with_capacity(13);
    headers.push((vendors_request_id(dialect), id.clone()));
    headers.push((REQUEST_ID, id));
    headers.push((PROVIDER, text(facts.provider)));
    headers.push((MODEL, text(facts.model)));
    headers.push((ATTEMPTS, facts.attempts.to_string().into()));
    headers.push((CACHE, Bytes::from_static(facts.cache.as_str().as_bytes())));
    headers.push((OVERHEAD, overhead(facts.overhead)));
    if let Some(limits) = facts.limits {
        headers.extend(limits.headers(dialect));
    }
    headers
}

/// Who comes back earlier comes too early.
const fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + (wait.subsec_nanos() > 0) as u64
}

/// Where the client libraries of a dialect look for the request's identifier.
const fn vendors_request_id(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::AnthropicMessages => "request-id",
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiGenerate
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => "x-request-id",
    }
}

/// Milliseconds with three decimals.
fn overhead(overhead: Duration) -> Bytes {
    let micros = overhead.as_micros();
    format!("{}.{:03}", micros / 1_000, micros % 1_000).into()
}

pub(crate) fn cost_header(metered: Metered) -> Header {
    (COST, cost(metered))
}

fn cost(metered: Metered) -> Bytes {
    match metered.cost {
        Some(cost) => cost.to_string().into(),
        None => Bytes::from_static(b"unpriced"),
    }
}
