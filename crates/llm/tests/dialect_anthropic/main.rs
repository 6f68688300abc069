//! Anthropic Messages, read and written: every fixture, there and back, and cut anywhere.

mod answers;
mod cuts;
mod fixtures;
mod requests;
mod signed_calls;
mod streams;
mod to_providers;
mod wrapped;

use gatewright_llm::chat::{Amount, Chat, Maker, Part, Reasoning, Role, Signature, Tool, ToolCall, Turn};
use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::dialect::{
    ErrorFacts, Inbound, Outbound, PathFacts, ReplyFacts, TargetFacts, Unsupported, Written,
};
use gatewright_llm::event::{Answer, Event};
use gatewright_llm::{BadRequest, Failure, Terms, Tokens};
use gatewright_types::UsageUnit;

use crate::fixtures::{ANSWERS, REQUESTS, fixture};

pub(crate) fn request(name: &str) -> Chat {
    read(fixture(REQUESTS, name)).expect(name)
}

pub(crate) fn read(body: &str) -> Result<Chat, BadRequest> {
    Anthropic.read_request(body.as_bytes(), PathFacts::default())
}

/// A request with these members besides the required ones.
pub(crate) fn read_with(members: &str) -> Result<Chat, BadRequest> {
    read(&format!(
        r#"{{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{{"role":"user","content":"Hi."}}],{members}}}"#
    ))
}

/// Without its terms, which are not told to callers and are no events.
pub(crate) fn answer(name: &str) -> Result<Answer, Failure> {
    let mut answer = Anthropic.read_answer(fixture(ANSWERS, name).as_bytes())?;
    answer.terms = Terms::default();
    Ok(answer)
}

pub(crate) fn target(model: &str) -> TargetFacts<'_> {
    TargetFacts {
        model,
        output_limit: None,
    }
}

pub(crate) fn write(chat: &Chat) -> Result<Written, Unsupported> {
    Anthropic.write_request(chat, target("claude-sonnet-4-5"))
}

pub(crate) fn written(chat: &Chat, model: &str) -> (serde_json::Value, String) {
    let written = Anthropic.write_request(chat, target(model)).expect("a request");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped.to_string())
}

pub(crate) fn reply(chat: &Chat) -> ReplyFacts<'_> {
    ReplyFacts {
        request_id: "req_1",
        model: "claude-sonnet-4-5",
        created: 0,
        usage_wanted: true,
        chat,
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Vec<Event> {
    decode_pieces([bytes])
}

pub(crate) fn decode_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Anthropic.decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

pub(crate) fn encode(events: &[Event]) -> String {
    let chat = Chat::default();
    let mut encoder = Anthropic.encoder(&reply(&chat));
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    encoder.end(&mut out);
    String::from_utf8(out).expect("text")
}

pub(crate) fn fail(events: &[Event]) -> String {
    let chat = Chat::default();
    let mut encoder = Anthropic.encoder(&reply(&chat));
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    let error = ErrorFacts {
        status: 529,
        message: "the provider is overloaded",
        code: "upstream_overloaded",
        param: None,
        request_id: "req_1",
    };
    encoder.fail(&error, &mut out);
    String::from_utf8(out).expect("text")
}

pub(crate) fn user(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::User,
        parts,
    }
}

pub(crate) fn assistant(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::Assistant,
        parts,
    }
}

pub(crate) fn ask(text: &str) -> Chat {
    Chat {
        turns: vec![user(vec![Part::text(text)])],
        ..Chat::default()
    }
}

pub(crate) fn call(id: &str, arguments: &str, signature: Option<Signature>) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: "look".into(),
        arguments: arguments.into(),
        signature,
        cache: None,
    }
}

pub(crate) fn signed(maker: Maker) -> Option<Signature> {
    Some(Signature {
        maker,
        text: "c2lnbmVk".into(),
    })
}

pub(crate) fn tool(name: &str) -> Tool {
    Tool {
        name: name.into(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
    }
}

pub(crate) fn thinking(amount: Amount) -> Option<Reasoning> {
    Some(Reasoning { amount, shown: None })
}

pub(crate) fn usage(counts: &[(UsageUnit, u64)]) -> Option<Tokens> {
    let mut tokens = Tokens::default();
    for (unit, count) in counts {
        tokens.set(*unit, *count);
    }
    Some(tokens)
}
