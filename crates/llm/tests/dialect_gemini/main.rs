//! Gemini's dialect by its fixtures: what is read from them, and that what is written says the same again.

use std::fs;
use std::path::{Path, PathBuf};

use gatewright_llm::Tokens;
use gatewright_llm::chat::{Chat, Maker, Part, Role, Signature, Thinking, ToolCall, ToolResult, Turn};
use gatewright_llm::dialect::gemini::Gemini;
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts, ReplyFacts};
use gatewright_llm::event::{Answer, Event};
use gatewright_types::UsageUnit;

mod answers;
mod cuts;
mod requests;
mod streams;
mod written_requests;

const SIGNATURE: &str = "CiQBcsjafJ2fqPVb7X9dQm0TzqkS4n1xY3vGZk8u0pNwLhEKZgFyyNp8v+TQ/3m7B9k=";

const STREAMS: [&str; 11] = [
    "basic",
    "tools",
    "parallel-tools",
    "structured",
    "reasoning",
    "cached",
    "refusal",
    "length",
    "error-midstream",
    "stall",
    "cut",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dialects/gemini")
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).expect(name)
}

fn path(stream: bool) -> PathFacts<'static> {
    PathFacts {
        model: Some("house-model"),
        stream,
    }
}

fn read(case: &str) -> Chat {
    let body = fixture(&format!("requests/{case}.json"));
    Gemini.read_request(&body, path(false)).expect(case)
}

fn answer(case: &str) -> Answer {
    Gemini
        .read_answer(&fixture(&format!("answers/{case}.json")))
        .expect(case)
}

fn reply(chat: &Chat) -> ReplyFacts<'_> {
    ReplyFacts {
        request_id: "req_1",
        model: "gemini-3.8-flash",
        created: 1_700_000_000,
        usage_wanted: false,
        chat,
    }
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Gemini.decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn stream(case: &str) -> Vec<Event> {
    decode([&fixture(&format!("streams/{case}.sse"))[..]])
}

/// Pieces of text joined, and of the usages the last one, in front of the end.
fn settled(events: Vec<Event>) -> Vec<Event> {
    let mut settled: Vec<Event> = Vec::new();
    let mut usage = None;
    for event in events {
        match (settled.last_mut(), event) {
            (Some(Event::Add(text)), Event::Add(more)) => *text = [&**text, &*more].concat().into(),
            (_, Event::Usage(told)) => usage = Some(told),
            (_, Event::Stop(stop)) => {
                settled.extend(usage.map(Event::Usage));
                settled.push(Event::Stop(stop));
            }
            (_, event) => settled.push(event),
        }
    }
    settled
}

fn used(units: &[(UsageUnit, u64)]) -> Option<Tokens> {
    let mut tokens = Tokens::default();
    for (unit, count) in units {
        tokens.set(*unit, *count);
    }
    Some(tokens)
}

fn own_signature() -> Signature {
    Signature {
        maker: Maker::Gemini,
        text: SIGNATURE.into(),
    }
}

fn call(id: &str, name: &str, arguments: &str, signature: Option<Signature>) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        signature,
        cache: None,
    })
}

fn result(call: &str, name: &str, text: &str, failed: bool) -> Part {
    Part::ToolResult(ToolResult {
        call: call.into(),
        name: Some(name.into()),
        parts: vec![Part::text(text)],
        failed,
        cache: None,
    })
}

fn sealed(signature: Signature) -> Part {
    Part::Thinking(Thinking {
        text: Box::default(),
        signature: Some(signature),
    })
}

fn thought(text: &str) -> Part {
    Part::Thinking(Thinking {
        text: text.into(),
        signature: None,
    })
}

fn turn(role: Role, parts: impl Into<Vec<Part>>) -> Turn {
    Turn {
        role,
        parts: parts.into(),
    }
}
