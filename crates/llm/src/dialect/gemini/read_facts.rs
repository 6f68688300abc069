//! What a whole answer says of itself, when it goes to a caller of this dialect as it came.

use super::response::Response;
use crate::json::{Kind, Value};
use crate::{AnswerFacts, NotAnAnswer};

/// What an answer, or a whole stream of them in one array, says of what was used.
pub(super) fn used(body: &[u8]) -> Option<AnswerFacts> {
    let text = body.trim_ascii();
    if !text.starts_with(b"[") {
        return read_facts(text).ok();
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(text).ok()?;
    let array = Value {
        kind: Kind::Array,
        text,
        start: 0,
    };
    let mut facts = AnswerFacts::default();
    for piece in array.elements() {
        // Each piece tells what was used until then.
        facts.tell(read_facts(piece.text).unwrap_or_default());
    }
    Some(facts)
}

pub(super) fn read_facts(body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
    let response = Response::read(body).map_err(|_| NotAnAnswer::NotJson)?;
    match response.error {
        Some(told) => Err(NotAnAnswer::from(told).having_used(response.facts.usage)),
        None => Ok(AnswerFacts {
            blocked: response.blocked.is_some() && !response.has_candidate,
            ..response.facts
        }),
    }
}
