//! The fixtures, and what all tests do with them.

use std::fs;
use std::path::Path;

use gatewright_llm::chat::{Chat, Part, Signature, ToolCall};
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::dialect::{ErrorFacts, Inbound, Outbound, PathFacts, ReplyFacts, TargetFacts};
use gatewright_llm::event::{Answer, Event, Opening};
use gatewright_llm::{BadRequest, Terms, Tokens};
use gatewright_types::UsageUnit;
use serde_json::Value;

pub(crate) const REQUESTS: [&str; 11] = [
    "basic",
    "stream",
    "tools",
    "parallel-tools",
    "forced-tool",
    "image",
    "document",
    "system",
    "structured",
    "reasoning",
    "cached",
];

/// Answers that there are whole and as streams.
pub(crate) const ANSWERS: [&str; 8] = [
    "basic",
    "tools",
    "parallel-tools",
    "structured",
    "reasoning",
    "cached",
    "refusal",
    "length",
];

pub(crate) const BROKEN_STREAMS: [&str; 3] = ["error-midstream", "stall", "cut"];

pub(crate) const TARGET: TargetFacts<'static> = TargetFacts {
    model: "upstream-model",
    output_limit: None,
};

pub(crate) fn fixture(path: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dialects/openai_responses");
    fs::read(folder.join(path)).expect(path)
}

pub(crate) fn read(body: &str) -> Result<Chat, BadRequest> {
    OpenaiResponses.read_request(body.as_bytes(), PathFacts::default())
}

pub(crate) fn request(name: &str) -> Chat {
    let body = fixture(&format!("requests/{name}.json"));
    OpenaiResponses
        .read_request(&body, PathFacts::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Without its terms, which are not told to callers and are no events.
pub(crate) fn answer(name: &str) -> Answer {
    let mut answer = OpenaiResponses
        .read_answer(&fixture(&format!("answers/{name}.json")))
        .unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
    answer.terms = Terms::default();
    answer
}

pub(crate) fn stream(name: &str) -> Vec<u8> {
    fixture(&format!("streams/{name}.sse"))
}

pub(crate) fn decode(stream: &[u8]) -> Vec<Event> {
    decode_pieces([stream])
}

pub(crate) fn decode_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = OpenaiResponses.decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

pub(crate) fn reply<'a>(request_id: &'a str, chat: &'a Chat) -> ReplyFacts<'a> {
    ReplyFacts {
        request_id,
        model: "target-model",
        created: 1_764_500_000,
        usage_wanted: true,
        chat,
    }
}

pub(crate) fn error() -> ErrorFacts<'static> {
    ErrorFacts {
        status: 502,
        message: "the provider broke off",
        code: "upstream_error",
        param: None,
        request_id: "req_1",
    }
}

pub(crate) fn encode(events: &[Event], request_id: &str) -> Vec<u8> {
    let chat = Chat::default();
    let mut encoder = OpenaiResponses.encoder(&reply(request_id, &chat));
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    encoder.end(&mut out);
    out
}

/// The data of a stream's events, each under its name.
pub(crate) fn data(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).expect("text");
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once("\ndata: ").expect("two lines");
        assert!(!data.contains(['\n', '\r']), "{data}");
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    });
    events.collect()
}

/// The response in a stream's last event.
pub(crate) fn last_response(stream: &[u8]) -> Value {
    data(stream).pop().expect("an event")["response"].take()
}

/// What a stream's events amount to.
pub(crate) fn gather(events: &[Event]) -> Answer {
    Answer::gather(events.iter().cloned()).expect("a whole stream")
}

/// An answer as a stream tells it, each text in one piece.
pub(crate) fn events_of(answer: &Answer) -> Vec<Event> {
    let mut events = vec![Event::Start {
        id: answer.id.clone(),
        model: answer.model.clone(),
    }];
    for part in &answer.parts {
        let (opening, text, signature) = match part {
            Part::Text(text) => (Opening::Text, &text.text, &None),
            Part::Refusal(text) => (Opening::Refusal, text, &None),
            Part::Thinking(thinking) => (Opening::Thinking, &thinking.text, &thinking.signature),
            Part::ToolCall(call) => {
                let (id, name) = (call.id.clone(), call.name.clone());
                (Opening::ToolCall { id, name }, &call.arguments, &call.signature)
            }
            Part::Media(_) | Part::ToolResult(_) => unreachable!("no answer of these tests has one"),
        };
        events.push(Event::Open(opening));
        if !text.is_empty() {
            events.push(Event::Add(text.clone()));
        }
        events.extend(signature.clone().map(Event::Sign));
        events.push(Event::Close);
    }
    events.extend(answer.usage.map(Event::Usage));
    events.push(Event::Stop(answer.stop.clone()));
    events
}

pub(crate) fn signature(maker: gatewright_llm::chat::Maker, text: &str) -> Option<Signature> {
    Some(Signature {
        maker,
        text: text.into(),
    })
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

pub(crate) fn counts(usage: Option<Tokens>) -> Vec<(UsageUnit, u64)> {
    usage.expect("usage").iter().collect()
}
