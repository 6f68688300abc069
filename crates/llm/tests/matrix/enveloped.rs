//! Callers of Anthropic's dialect against the clouds that take their own bodies in an envelope: what goes out and comes
//! back is what the caller and Claude said, whatever is around it on the way.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use gatewright_llm::dialect::anthropic::Envelope;
use gatewright_llm::dialect::bedrock::event_stream::write_frame;
use gatewright_llm::{Ended, Failure, Flow, UsageChunk};
use gatewright_types::api::Dialect;
use serde_json::Value;

use crate::callers::Caller;
use crate::cases::{Case, Reply};
use crate::content::payloads;
use crate::providers::Provider;
use crate::translated::{failed, told, usage};

pub(crate) const CALLER: Caller = Caller(Dialect::AnthropicMessages);

/// A cloud, by its API for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    Invoke,
    RawPredict,
}

impl Cloud {
    pub(crate) const ALL: [Self; 2] = [Self::Invoke, Self::RawPredict];

    pub(crate) fn of(envelope: Envelope) -> Option<Self> {
        match envelope {
            Envelope::Direct => None,
            Envelope::Vertex => Some(Self::RawPredict),
            Envelope::Bedrock => Some(Self::Invoke),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::RawPredict => "raw_predict",
        }
    }

    fn envelope(self) -> Envelope {
        match self {
            Self::Invoke => Envelope::Bedrock,
            Self::RawPredict => Envelope::Vertex,
        }
    }

    /// In whose words it tells errors.
    fn errors(self) -> Provider {
        match self {
            Self::Invoke => Provider::Bedrock,
            Self::RawPredict => Provider::Anthropic,
        }
    }

    fn flow(self) -> Flow {
        match self {
            Self::Invoke => Flow::Unwrapped(Box::default()),
            Self::RawPredict => Flow::passed(CALLER.0, UsageChunk::Keep),
        }
    }

    /// What Claude's stream is on its way.
    fn wrapped(self, stream: &[u8]) -> Vec<u8> {
        match self {
            Self::Invoke => in_frames(stream),
            Self::RawPredict => stream.to_vec(),
        }
    }

    /// What goes out and comes back. What a cloud takes only in another way is in the matrix of translations.
    pub(crate) fn exchange(self, case: Case) -> Result<String, String> {
        let request = CALLER.parse(CALLER.body(case)?, false).map_err(|bad| bad.to_string())?;
        let Some(body) = request.enveloped(self.envelope(), &["interleaved-thinking-2025-05-14"]) else {
            return Ok("# translated\n".into());
        };
        let body: Vec<u8> = body.into_iter().flatten().collect();
        let mut text = format!("# request out\n{}\n", String::from_utf8_lossy(&body).trim_end());
        if let Reply::Both(name) = case.reply() {
            let answer = Provider::Anthropic.answer(name)?;
            let facts = CALLER
                .inbound()
                .read_facts(&answer)
                .map_err(|error| format!("{error:?}"))?;
            write!(text, "\n# answer's usage\n{}\n", usage(facts.usage)).expect("a string");
        }
        match case.reply() {
            Reply::Both(name) | Reply::Stream(name) => {
                let sent = Provider::Anthropic.stream(name)?;
                let streamed = self.streamed(&sent);
                if payloads(&streamed.out) != payloads(&sent) || streamed.failed.is_some() || !streamed.ended.done {
                    return Err(format!("another stream: {}", String::from_utf8_lossy(&streamed.out)));
                }
                streamed.tell(&mut text);
            }
            Reply::Broken(name) | Reply::Stalled(name) => {
                let streamed = self.streamed(&Provider::Anthropic.stream(name)?);
                if streamed.ended.done {
                    return Err("the stream broke off and ends like a whole one".into());
                }
                streamed.tell(&mut text);
            }
            Reply::Error => {
                let (failure, body) = failed(CALLER, self.errors())?;
                let body = String::from_utf8_lossy(&body).into_owned();
                write!(text, "\n# failure\n{}\n\n# error back\n{body}\n", told(&failure)).expect("a string");
            }
        }
        Ok(text)
    }

    fn streamed(self, sent: &[u8]) -> Streamed {
        let mut flow = self.flow();
        let (mut out, mut failed) = (Vec::new(), None);
        // Odd pieces, so that events are cut in all places.
        for piece in self.wrapped(sent).chunks(41) {
            let seen = flow.push(Bytes::copy_from_slice(piece));
            out.extend(seen.out.into_iter().flatten());
            failed = failed.or(seen.failed);
        }
        let ended = flow.end();
        out.extend(ended.out.iter().flatten());
        Streamed { out, failed, ended }
    }
}

struct Streamed {
    out: Vec<u8>,
    failed: Option<Failure>,
    ended: Ended,
}

impl Streamed {
    fn tell(&self, text: &mut String) {
        write!(text, "\n# stream back\n{}", String::from_utf8_lossy(&self.out)).expect("a string");
        if let Some(failure) = &self.failed {
            write!(text, "\n# failure\n{}\n", told(failure)).expect("a string");
        }
        write!(text, "\n# stream's usage\n{}\n", usage(self.ended.facts.usage)).expect("a string");
    }
}

/// Each event in a frame; an error as Bedrock tells it, and half an event as half a frame.
pub(crate) fn in_frames(stream: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(stream);
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let frames = data.flat_map(|data| {
        let told: Option<Value> = serde_json::from_str(data).ok();
        let Some(told) = told else {
            let whole = chunk(data);
            return whole.get(..whole.len() / 2).unwrap_or_default().to_vec();
        };
        if told["type"] == "error" {
            let headers = [
                (":message-type", "exception"),
                (":exception-type", "modelStreamErrorException"),
            ];
            return write_frame(
                &headers,
                serde_json::json!({"message": told["error"]["message"]})
                    .to_string()
                    .as_bytes(),
            );
        }
        chunk(data.trim_start())
    });
    frames.collect()
}

fn chunk(data: &str) -> Vec<u8> {
    let payload = format!(r#"{{"bytes":"{}","p":"abcdefghi"}}"#, BASE64.encode(data));
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    write_frame(&headers, payload.as_bytes())
}
