//! Tells an answer that is kept in another form than it was given in: a stream as a whole, a whole as a stream. Only where
//! nothing of it gets lost.

use bytes::Bytes;
use gatewright_types::api::Dialect;

use crate::chat::Chat;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::gemini::{self, Framing, Gemini};
use crate::dialect::openai_chat::vendors::vendor;
use crate::dialect::openai_responses::replay::{Replay, replay};
use crate::dialect::{Encoder, Outbound, ReplyFacts, inbound};
use crate::event::{Answer, Event};
use crate::json::{Kind, Value};
use crate::sse::{Payload, events, payload};
use crate::{PassedStream, Request, Tokens, UsageChunk};

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Whole,
    /// Server-sent events. Without their usage where that is a choice and it was not asked for.
    Events {
        usage: bool,
    },
    /// Gemini's other form of a stream.
    Array,
}

/// An answer that is kept.
#[derive(Debug, Clone, Copy)]
pub struct KeptAnswer<'a> {
    pub form: Form,
    pub body: &'a Bytes,
    /// What was used, which not every form tells.
    pub usage: Option<Tokens>,
    /// The provider's name for the model.
    pub model: &'a str,
    /// When it was given, in seconds since 1970.
    pub created: i64,
    /// Of the request that it is told to.
    pub request_id: &'a str,
}

/// What of a request its answer may bring besides what answers between dialects can hold.
const UNHELD: [&str; 3] = ["audio", "modalities", "web_search_options"];
/// The same, of parts of answers.
const UNHELD_PARTS: [&str; 8] = [
    "\"server_tool_use\"",
    "\"redacted_thinking\"",
    "\"citations_delta\"",
    "\"inlineData\"",
    "\"groundingMetadata\"",
    "\"executableCode\"",
    "\"codeExecutionResult\"",
    "\"logprobsResult\"",
];

/// Whether a whole answer is over, and not the note that one went wrong or is being made.
pub fn is_over(dialect: Dialect, body: &[u8]) -> bool {
    if dialect != Dialect::OpenaiResponses {
        return true;
    }
    let status = object(body).and_then(|response| response.member("status"));
    let status = status.and_then(|status| status.string());
    matches!(status.as_deref(), Some("completed" | "incomplete"))
}

/// `None` when something would get lost, or nothing is known of the form.
pub fn retell(request: &Request, kept: KeptAnswer<'_>, wanted: Form) -> Option<Bytes> {
    if kept.form == wanted {
        return Some(kept.body.clone());
    }
    match (request.dialect(), kept.form, wanted) {
        (
            Dialect::OpenaiChat | Dialect::OpenaiCompletions,
            Form::Events { usage: true },
            Form::Events { usage: false },
        ) => Some(without_usage(kept.body)),
        (Dialect::GeminiGenerate, Form::Events { .. }, Form::Array) => Some(as_array(kept.body)),
        (Dialect::GeminiGenerate, Form::Array, Form::Events { .. }) => as_events(kept.body),
        (Dialect::OpenaiResponses, Form::Whole, Form::Events { .. }) => match replay(kept.body, None) {
            Replay::Whole(events) => Some(events.into()),
            Replay::Running(_) | Replay::Unreadable => None,
        },
        (Dialect::OpenaiResponses, Form::Events { .. }, Form::Whole) => last_response(kept.body),
        (dialect, ..) => {
            let chat = request.read().ok()?;
            if !is_held(&chat, kept.body) {
                return None;
            }
            let outbound = outbound(dialect)?;
            written(read(outbound, kept)?, request, &chat, kept, wanted)
        }
    }
}

/// The reader of a dialect's answers, where they can be read.
fn outbound(dialect: Dialect) -> Option<&'static dyn Outbound> {
    match dialect {
        Dialect::OpenaiChat => vendor("compatible").map(|vendor| vendor as &dyn Outbound),
        Dialect::AnthropicMessages => Some(&Anthropic),
        Dialect::GeminiGenerate => Some(&Gemini),
        Dialect::OpenaiResponses
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => None,
    }
}

fn is_held(chat: &Chat, body: &[u8]) -> bool {
    let sampling = &chat.sampling;
    sampling.choices.is_none_or(|choices| choices == 1)
        && sampling.top_logprobs.is_none()
        && !chat.unheld.iter().any(|name| UNHELD.contains(&&**name))
        && !UNHELD_PARTS
            .iter()
            .any(|part| memchr::memmem::find(body, part.as_bytes()).is_some())
}

fn read(outbound: &dyn Outbound, kept: KeptAnswer<'_>) -> Option<Vec<Event>> {
    let mut told = match kept.form {
        Form::Whole => outbound.read_answer(kept.body).ok()?.into_events()?,
        Form::Events { .. } => decoded(outbound, kept.body),
        Form::Array => decoded(outbound, &as_events(kept.body)?),
    };
    let has_usage = told.iter().any(|event| matches!(event, Event::Usage(_)));
    if !has_usage {
        told.extend(kept.usage.map(Event::Usage));
    }
    let is_whole = told.iter().any(|event| matches!(event, Event::Stop(_)));
    let failed = told.iter().any(|event| matches!(event, Event::Failed(_)));
    (is_whole && !failed).then_some(told)
}

fn decoded(outbound: &dyn Outbound, body: &[u8]) -> Vec<Event> {
    let mut decoder = outbound.decoder();
    let mut told = Vec::new();
    decoder.push(body, &mut told);
    decoder.end(&mut told);
    told
}

fn written(told: Vec<Event>, request: &Request, chat: &Chat, kept: KeptAnswer<'_>, wanted: Form) -> Option<Bytes> {
    let dialect = inbound(request.dialect());
    let reply = ReplyFacts {
        request_id: kept.request_id,
        model: kept.model,
        created: kept.created,
        usage_wanted: wanted != Form::Events { usage: false },
        chat,
    };
    let encoder = match wanted {
        Form::Whole => {
            let answer = Answer::gather(told).ok()?;
            return Some(dialect.write_answer(&answer, &reply).into());
        }
        Form::Events { .. } => dialect.encoder(&reply),
        Form::Array => gemini::encoder(Framing::Array, &reply),
    };
    Some(encoded(encoder, &told))
}

fn encoded(mut encoder: Box<dyn Encoder>, told: &[Event]) -> Bytes {
    let mut out = Vec::new();
    for event in told {
        encoder.write(event, &mut out);
    }
    encoder.end(&mut out);
    out.into()
}

/// A stream of chunks as it is told to who did not ask for usage.
fn without_usage(body: &Bytes) -> Bytes {
    let mut stream = PassedStream::chat(UsageChunk::Strip);
    let mut out = stream.push(body.clone()).out.unwrap_or_default().to_vec();
    out.extend_from_slice(b"data: [DONE]\n\n");
    out.into()
}

fn data(body: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    events(body).filter_map(|range| match payload(body.get(range)?) {
        Payload::Comment | Payload::Nothing => None,
        Payload::Line(data, _) => Some(data.to_vec()),
        Payload::Joined(data) => Some(data),
    })
}

fn as_array(body: &[u8]) -> Bytes {
    let mut out = vec![b'['];
    for (index, element) in data(body).enumerate() {
        if index > 0 {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(&element);
    }
    out.push(b']');
    out.into()
}

fn as_events(body: &[u8]) -> Option<Bytes> {
    let text = body.trim_ascii();
    let array = Value::at(text, 0..text.len()).filter(|array| array.kind == Kind::Array)?;
    let mut out = Vec::with_capacity(text.len() + 256);
    for element in array.elements() {
        out.extend_from_slice(b"data: ");
        // An event's data is one line.
        out.extend(element.text.iter().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        out.extend_from_slice(b"\n\n");
    }
    Some(out.into())
}

/// The response itself, which the last event of its stream holds.
fn last_response(body: &[u8]) -> Option<Bytes> {
    let last = data(body).filter(|data| object(data).is_some()).last()?;
    let response = object(&last)?.member("response")?;
    Some(Bytes::copy_from_slice(response.text))
}

fn object(text: &[u8]) -> Option<Value<'_>> {
    let text = text.trim_ascii();
    Value::at(text, 0..text.len()).filter(|value| value.kind == Kind::Object)
}

#[cfg(test)]
mod tests;
