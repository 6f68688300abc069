//! Counting tokens: a request like any other, which is not answered but measured.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Envelope, read_request, write_request};
use crate::BadRequest;
use crate::chat::Chat;
use crate::dialect::{TargetFacts, Unsupported, Written};

/// What of a request is counted: anything else is refused.
const COUNTED: [&str; 8] = [
    "anthropic_version",
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
];

#[derive(Serialize)]
struct TokenCount {
    input_tokens: u64,
}

pub(super) fn read(body: &[u8]) -> Result<Chat, BadRequest> {
    read_request::read_unlimited(body)
}

pub(super) fn write_request(chat: &Chat, target: TargetFacts<'_>, envelope: Envelope) -> Result<Written, Unsupported> {
    let mut written = write_request::write(chat, target, envelope)?;
    let mut members: Map<String, Value> =
        serde_json::from_slice(&written.body).expect("what was written as an object can be read as one");
    members.retain(|name, _| COUNTED.contains(&name.as_str()));
    // The address on Vertex is the same for all models.
    members.entry("model").or_insert_with(|| target.model.into());
    written.body = Value::Object(members).to_string().into_bytes();
    Ok(written)
}

pub(super) fn write(input_tokens: u64) -> Vec<u8> {
    serde_json::to_vec(&TokenCount { input_tokens }).expect("a number can always be written as JSON")
}
