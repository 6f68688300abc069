//! What a whole answer says of itself, when it is passed on unread.

use super::usage::ToldUsage;
use crate::json::Members;
use crate::wire::ToldError;
use crate::{AnswerFacts, NotAnAnswer};

/// Checks the syntax of the whole body: an answer that was cut short is not JSON.
pub(super) fn read(body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
    std::str::from_utf8(body).map_err(|_| NotAnAnswer::NotJson)?;
    let mut members = Members::of_document(body).map_err(|_| NotAnAnswer::NotJson)?;
    let mut facts = AnswerFacts::default();
    let (mut error, mut is_empty, mut refused) = (None, false, false);
    while let Some(member) = members.next_member().map_err(|_| NotAnAnswer::NotJson)? {
        match &*member.key {
            b"usage" => facts = ToldUsage::read(&member.value).facts(),
            b"content" => is_empty = member.value.elements().next().is_none(),
            b"stop_reason" => refused = member.value.string().as_deref() == Some("refusal"),
            b"error" => error = ToldError::read(&member.value),
            _ => {}
        }
    }
    match error {
        Some(told) => Err(NotAnAnswer::from(told).having_used(facts.usage)),
        None => Ok(AnswerFacts {
            blocked: refused && is_empty,
            ..facts
        }),
    }
}
