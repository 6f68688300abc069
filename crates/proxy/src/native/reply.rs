//! A provider's own answer on its way back: its status, its headers but for those that are nobody else's, ours beside
//! them, and its body as it came. Metered here.

use bytes::Bytes;
use gatewright_llm::Purpose;
use gatewright_types::api::Outcome;
use http::HeaderMap;

use super::ask::{Answer, AnswerBody};
use super::headers;
use super::relay::NativeRelay;
use crate::gateway::Gateway;
use crate::patience::Patience;
use crate::record::{End, Record, Used};
use crate::refusal::{Refusal, UpstreamRefusal};
use crate::reply::{Header, cost_header, gateway_headers};
use crate::tier::told_tier;

pub(crate) struct NativeAnswer {
    pub(crate) status: u16,
    /// Ours.
    pub(crate) headers: Vec<Header>,
    /// The provider's.
    pub(crate) passed: HeaderMap,
    pub(crate) body: NativeBody,
}

pub(crate) enum NativeBody {
    Whole(Bytes),
    Stream(Box<NativeRelay>),
}

impl Answer {
    pub(super) async fn finish(self, gateway: &Gateway, mut record: Record) -> NativeAnswer {
        let status = self.status;
        record.served(told_tier(self.sighted.provider.kind, &self.headers));
        let mut headers = gateway_headers(&record.facts(), record.dialect());
        let purpose = self.sighted.native.purpose;
        let body = match self.body {
            AnswerBody::Whole(body) => {
                let end = End {
                    outcome: Outcome::Complete,
                    status,
                    code: None,
                    used: used(purpose, &self.headers, &body, &record).await,
                };
                headers.push(cost_header(record.finish(&end)));
                NativeBody::Whole(body)
            }
            AnswerBody::Error(body, failure) => {
                let code = Refusal::Upstream(UpstreamRefusal::from(failure)).code();
                let end = End {
                    outcome: Outcome::Failed,
                    status,
                    code: Some(code),
                    used: Used::Nothing,
                };
                headers.push(cost_header(record.finish(&end)));
                NativeBody::Whole(body)
            }
            AnswerBody::Flowing(source, watch) => {
                record.hold_overhead();
                headers.push(("x-accel-buffering", Bytes::from_static(b"no")));
                let own = &self.sighted.provider.settings.timeouts;
                let patience = Patience::natively(own, gateway.parts.settings.timeouts);
                let relay = NativeRelay::new(source, watch, record, patience, status);
                NativeBody::Stream(Box::new(relay))
            }
        };
        NativeAnswer {
            status,
            headers,
            passed: headers::told(&self.headers),
            body,
        }
    }
}

async fn used(purpose: Option<Purpose>, headers: &HeaderMap, body: &[u8], record: &Record) -> Used {
    if purpose == Some(Purpose::Count) {
        return Used::Nothing;
    }
    let facts = purpose.and_then(|purpose| purpose.used(body)).unwrap_or_default();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let told = facts.usage.or_else(|| purpose?.used_by_head(header));
    if let Some(tokens) = told {
        return Used::Told(tokens, facts.terms);
    }
    let delivered = purpose.map(|purpose| purpose.delivered(body)).unwrap_or_default();
    let untold = record.untold(delivered, facts.terms);
    Used::Counted(record.ask(&untold).await.unwrap_or_default(), facts.terms)
}
