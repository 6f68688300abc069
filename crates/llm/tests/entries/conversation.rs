//! What is done with the requests, answers and streams of a dialect: all that a proxy would do, for every dialect that
//! may stand on the other side, and what has to hold of what comes out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::anthropic::betas::named_in;
use gatewright_llm::dialect::anthropic::{AnthropicOn, Envelope};
use gatewright_llm::dialect::bedrock::event_stream::write_frame;
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::dialect::{ErrorFacts, Outbound, PathFacts, ReplyFacts, TargetFacts, inbound};
use gatewright_llm::event::Event;
use gatewright_llm::{CachedBy, Flow, Request, TranslatedStream, UsageChunk, spoken};
use gatewright_types::api::{BedrockApi, Dialect, ProviderKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Odd, so that everything is cut somewhere.
const PIECE: usize = 7;

/// Of each way to write a request one, and of Claude and of OpenAI's dialect those that differ most.
const PROVIDERS: [(ProviderKind, &str); 9] = [
    (ProviderKind::Anthropic, "claude-sonnet-4-5"),
    (ProviderKind::Bedrock, "anthropic.claude-opus-4-6-v1"),
    (ProviderKind::Bedrock, "amazon.nova-pro-v1:0"),
    (ProviderKind::Cohere, "command-a-03-2025"),
    (ProviderKind::Gemini, "gemini-3.8-flash"),
    (ProviderKind::Mistral, "mistral-large-latest"),
    (ProviderKind::Openai, "gpt-5.6"),
    (ProviderKind::OpenaiCompatible, "local-model"),
    (ProviderKind::Vertex, "claude-sonnet-4-5"),
];

const ERROR: ErrorFacts<'static> = ErrorFacts {
    status: 502,
    message: "the provider \"broke\" off",
    code: "upstream_error",
    param: None,
    request_id: "req_1",
};

/// A frame of a Bedrock stream as it is recorded.
#[derive(Deserialize)]
struct Frame {
    headers: BTreeMap<String, String>,
    payload: Box<RawValue>,
}

/// Reads a caller's request and writes it for every provider.
pub(super) fn request(dialect: Dialect, bytes: &[u8], path: PathFacts<'_>) {
    // What is no text comes no further than `parse`, but the reader has to bear it, too.
    let _ = inbound(dialect).read_request(bytes, path);
    let Ok(request) = Request::parse(dialect, Bytes::copy_from_slice(bytes), path) else {
        return;
    };
    let forwarded: Vec<Bytes> = request.forward("upstream/model-1").into_iter().collect();
    assert_json(&forwarded.concat());
    for envelope in [Envelope::Vertex, Envelope::Bedrock] {
        if let Some(enveloped) = request.enveloped(envelope, &["a-beta"]) {
            assert_json(&enveloped.into_iter().collect::<Vec<_>>().concat());
        }
    }
    for by in [CachedBy::Marks, CachedBy::Key] {
        if let Some(cached) = request.cached(by, "org", "m") {
            assert_json(cached.body());
        }
    }
    let Ok(chat) = request.read() else { return };
    let target = |model| TargetFacts {
        model,
        output_limit: Some(4_096),
    };
    for (kind, model) in PROVIDERS {
        let outbound = spoken(kind, BedrockApi::Converse, dialect, model).and_then(|spoken| spoken.outbound);
        if let Some(Ok(written)) = outbound.map(|outbound| outbound.write_request(&chat, target(model))) {
            assert_json(&written.body);
        }
    }
    let invoked = AnthropicOn(Envelope::Bedrock);
    if let Ok(written) = invoked.write_request(&chat, target("anthropic.claude-opus-4-6-v1")) {
        assert_json(&named_in(written.body, Envelope::Bedrock, &["effort-2025-11-24"]));
    }
    if let Ok(written) = OpenaiResponses.write_request(&chat, target("gpt-5.6")) {
        assert_json(&written.body);
    }
}

/// Looks at an answer or a stream that a caller of the same dialect gets as it is.
pub(super) fn passed(dialect: Dialect, bytes: &[u8]) {
    let _ = inbound(dialect).read_facts(bytes);
    let mut watcher = inbound(dialect).watcher();
    watcher.look(bytes);
    for line in bytes.split(|byte| *byte == b'\n') {
        watcher.look(line.strip_prefix(b"data: ").unwrap_or(line));
    }
    for usage in [UsageChunk::Keep, UsageChunk::Strip] {
        let whole = flow(Flow::passed(dialect, usage), [bytes]);
        assert_eq!(whole, flow(Flow::passed(dialect, usage), bytes.chunks(PIECE)));
    }
    if dialect == Dialect::AnthropicMessages {
        unwrapped(bytes);
        unwrapped(&wrapped(bytes));
    }
}

/// Takes a stream of frames out of them.
fn unwrapped(bytes: &[u8]) {
    let passed = |pieces: &mut dyn Iterator<Item = &[u8]>| flow(Flow::Unwrapped(Box::default()), pieces);
    let whole = passed(&mut [bytes].into_iter());
    assert_eq!(whole, passed(&mut bytes.chunks(PIECE)));
    // What is no text passes as it is, as without frames.
    if std::str::from_utf8(&whole).is_ok() {
        assert_events(&whole);
    }
}

/// Each line of a stream in a frame, as Bedrock wraps it.
fn wrapped(bytes: &[u8]) -> Vec<u8> {
    let write = |line: &[u8]| {
        let data = line.strip_prefix(b"data: ")?;
        let payload = format!(r#"{{"bytes":"{}"}}"#, BASE64.encode(data));
        let headers = [(":message-type", "event"), (":event-type", "chunk")];
        Some(write_frame(&headers, payload.as_bytes()))
    };
    bytes.split(|byte| *byte == b'\n').filter_map(write).flatten().collect()
}

/// Reads a provider's answer and writes it for every caller.
pub(super) fn answer(provider: &dyn Outbound, bytes: &[u8]) {
    let Ok(answer) = provider.read_answer(bytes) else {
        return;
    };
    let chat = Chat::default();
    for dialect in Dialect::CONVERSATIONS {
        assert_json(&inbound(dialect).write_answer(&answer, &reply(&chat)));
    }
}

/// Reads a provider's stream and writes it for every caller.
pub(super) fn stream(provider: &dyn Outbound, bytes: &[u8]) {
    let events = decode(provider, [bytes]);
    assert!(is_in_order(&events), "{events:?}");
    assert_eq!(settled(events), settled(decode(provider, bytes.chunks(PIECE))));

    let chat = Chat::default();
    for dialect in Dialect::CONVERSATIONS {
        let encoder = inbound(dialect).encoder(&reply(&chat));
        let flow = Flow::Translated(TranslatedStream::new(provider.decoder(), encoder));
        assert_events(&self::flow(flow, bytes.chunks(PIECE)));
    }
}

/// Puts into frames what is a list of recorded frames, else each line: what kind of event it is, a space, its payload.
pub(super) fn framed(bytes: &[u8]) -> Vec<u8> {
    if let Ok(frames) = serde_json::from_slice::<Vec<Frame>>(bytes) {
        let write = |frame: &Frame| {
            let headers = frame.headers.iter();
            let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            write_frame(&headers, frame.payload.get().as_bytes())
        };
        return frames.iter().flat_map(write).collect();
    }
    let write = |line: &[u8]| {
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or_default();
        let (kind, payload) = line.split_at(space);
        let kind = std::str::from_utf8(kind).unwrap_or_default();
        write_frame(&[(":message-type", "event"), (":event-type", kind)], payload)
    };
    bytes.split(|byte| *byte == b'\n').flat_map(write).collect()
}

fn decode<'a>(provider: &dyn Outbound, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = provider.decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

/// All that a caller gets of a stream, to its end or its failure.
fn flow<'a>(mut flow: Flow, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        let seen = flow.push(Bytes::copy_from_slice(piece));
        out.extend(seen.out.into_iter().flatten());
        if seen.failed.is_some() {
            out.extend(flow.failure(&ERROR));
            return out;
        }
    }
    let ended = flow.end();
    out.extend(ended.out.into_iter().flatten());
    match ended.failed {
        Some(_) => out.extend(flow.failure(&ERROR)),
        None => out.extend(flow.trailer()),
    }
    out
}

/// Whether the events keep to the order that encoders rely on.
fn is_in_order(events: &[Event]) -> bool {
    let (mut started, mut open, mut over) = (false, false, false);
    events.iter().all(|event| {
        let fits = !over
            && match event {
                Event::Start { .. } => !started,
                Event::Open(_) => started && !open,
                Event::Add(text) => open && !text.is_empty(),
                Event::Sign(_) | Event::Close => open,
                Event::Usage(_) => started,
                Event::Stop(_) => started && !open,
                Event::Failed(_) => true,
            };
        started |= matches!(event, Event::Start { .. });
        open = (open || matches!(event, Event::Open(_))) && !matches!(event, Event::Close);
        over = matches!(event, Event::Failed(_) | Event::Stop(_));
        fits
    }) && over
}

/// What does not depend on where the network cuts a stream: pieces of text joined, and only the last usage.
fn settled(events: Vec<Event>) -> (Vec<Event>, Option<Event>) {
    let mut settled: Vec<Event> = Vec::new();
    let mut usage = None;
    for event in events {
        match (settled.last_mut(), event) {
            (Some(Event::Add(text)), Event::Add(more)) => *text = [&**text, &*more].concat().into(),
            (_, told @ Event::Usage(_)) => usage = Some(told),
            (_, event) => settled.push(event),
        }
    }
    (settled, usage)
}

fn reply(chat: &Chat) -> ReplyFacts<'_> {
    ReplyFacts {
        request_id: "req_1",
        model: "their-model",
        created: 1_794_200_000,
        usage_wanted: true,
        chat,
    }
}

/// By its grammar alone: half a pair of surrogates is allowed, and passes where it is not looked at.
pub(super) fn assert_json(bytes: &[u8]) {
    let read = serde_json::from_slice::<IgnoredAny>(bytes);
    assert!(read.is_ok(), "{read:?}: {}", String::from_utf8_lossy(bytes));
}

/// Whole events of one line of JSON each.
fn assert_events(stream: &[u8]) {
    let text = std::str::from_utf8(stream).expect("text");
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text}");
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("data", "[DONE]")) | Some(("event", _)) => {}
            Some(("data", data)) => assert_json(data.as_bytes()),
            Some(_) => panic!("no line of an event: {line}"),
            None => assert!(line.is_empty(), "no line of an event: {line}"),
        }
    }
}
