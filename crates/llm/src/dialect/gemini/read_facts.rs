//! What a whole answer says of itself, when it goes to a caller of this dialect as it came.

use super::response::Response;
use crate::json::{Kind, Value};
use crate::{AnswerFacts, NotAnAnswer, Tokens};

/// What an answer, or a whole stream of them in one array, says was used.
pub(super) fn used(body: &[u8]) -> Option<Tokens> {
    let text = body.trim_ascii();
    if !text.starts_with(b"[") {
        return read_facts(text).ok()?.usage;
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(text).ok()?;
    let array = Value {
        kind: Kind::Array,
        text,
        start: 0,
    };
    let pieces = array.elements().filter_map(|piece| read_facts(piece.text).ok()?.usage);
    // Each piece tells what was used until then.
    pieces.last()
}

pub(super) fn read_facts(body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
    let response = Response::read(body).map_err(|_| NotAnAnswer::NotJson)?;
    match response.error {
        Some(told) => Err(told.into()),
        None => Ok(AnswerFacts { usage: response.usage }),
    }
}
