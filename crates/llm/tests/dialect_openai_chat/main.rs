//! OpenAI chat completions: what callers and providers send is understood, and what is written is understood again.

mod answers;
mod cuts;
mod read_request;
mod streams;
mod write_request;

use std::fs;
use std::path::{Path, PathBuf};

use gatewright_llm::chat::{Chat, Maker, Signature, ToolCall};
use gatewright_llm::dialect::openai_chat::{OpenaiChat, OpenaiChatTo, Quirks};
use gatewright_llm::dialect::{Encoder, Inbound, Outbound, PathFacts, ReplyFacts, TargetFacts};
use gatewright_llm::event::{Answer, Event, Opening};
use gatewright_llm::{Terms, Tokens};
use serde_json::Value;

pub(crate) const TARGET: TargetFacts<'static> = TargetFacts {
    model: "their-model",
    output_limit: None,
};

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/dialects/openai_chat")
        .join(name)
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn names(of: &str) -> Vec<String> {
    let entries = fs::read_dir(folder(of)).expect(of);
    let mut names: Vec<_> = entries
        .map(|entry| format!("{of}/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{of}");
    names
}

pub(crate) fn read(body: &[u8]) -> Chat {
    OpenaiChat
        .read_request(body, PathFacts::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn request(case: &str) -> Chat {
    read(&fixture(&format!("requests/{case}.json")))
}

pub(crate) fn refusal(body: &Value) -> (String, String) {
    let error = OpenaiChat
        .read_request(body.to_string().as_bytes(), PathFacts::default())
        .expect_err("a bad request");
    (error.param.unwrap_or_default().into_owned(), error.message)
}

pub(crate) fn answer(case: &str) -> Answer {
    read_answer(&format!("answers/{case}.json"))
}

/// Without its terms, which are not told to callers and are no events.
pub(crate) fn read_answer(name: &str) -> Answer {
    let mut answer = OpenaiChatTo(Quirks::OPENAI)
        .read_answer(&fixture(name))
        .unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
    answer.terms = Terms::default();
    answer
}

pub(crate) fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = OpenaiChatTo(Quirks::OPENAI).decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    joined(events)
}

pub(crate) fn stream(case: &str) -> Vec<Event> {
    decode([&*fixture(&format!("streams/{case}.sse"))])
}

/// Neighbouring pieces of a part made one.
pub(crate) fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut joined: Vec<Event> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(Event::Add(before)), Event::Add(more)) => *before = [&**before, &*more].concat().into(),
            (_, event) => joined.push(event),
        }
    }
    joined
}

pub(crate) fn reply(chat: &Chat) -> ReplyFacts<'_> {
    ReplyFacts {
        request_id: "req_1",
        model: "their-model",
        created: 1_794_200_000,
        usage_wanted: true,
        chat,
    }
}

pub(crate) fn encoded(mut encoder: Box<dyn Encoder>, events: &[Event]) -> String {
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    encoder.end(&mut out);
    String::from_utf8(out).expect("text")
}

/// The data of each event.
pub(crate) fn data(stream: &str) -> Vec<Value> {
    stream
        .split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").expect("data"))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).expect(data))
        .collect()
}

pub(crate) fn written(quirks: Quirks, chat: &Chat) -> (Value, String) {
    let written = OpenaiChatTo(quirks)
        .write_request(chat, TARGET)
        .unwrap_or_else(|error| panic!("{error}"));
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped.to_string())
}

pub(crate) fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        signature: None,
        cache: None,
    }
}

pub(crate) fn signature(maker: Maker, text: &str) -> Signature {
    Signature {
        maker,
        text: text.into(),
    }
}

pub(crate) fn start() -> Event {
    Event::Start {
        id: Some("chatcmpl-Cq1".into()),
        model: Some("gpt-5.6-2026-08-01".into()),
    }
}

pub(crate) fn part(opening: Opening, text: &str) -> [Event; 3] {
    [Event::Open(opening), Event::Add(text.into()), Event::Close]
}

pub(crate) fn opened_call(id: &str, name: &str) -> Opening {
    Opening::ToolCall {
        id: id.into(),
        name: name.into(),
    }
}

pub(crate) fn without_usage(events: Vec<Event>) -> Vec<Event> {
    events
        .into_iter()
        .filter(|event| !matches!(event, Event::Usage(_)))
        .collect()
}

pub(crate) fn last_usage(events: &[Event]) -> Option<Tokens> {
    events.iter().rev().find_map(|event| match event {
        Event::Usage(usage) => Some(*usage),
        _ => None,
    })
}
