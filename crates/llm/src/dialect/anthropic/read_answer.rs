//! Reads a provider's whole answer.

use super::block::Block;
use super::sent::member_text;
use super::usage::ToldUsage;
use super::{failure, stop};
use crate::chat::Part;
use crate::event::{Answer, Stop};
use crate::json::{Kind, Members, Value};
use crate::wire::ToldError;
use crate::{AnswerFacts, Failure, FailureKind};

pub(super) fn read(body: &[u8]) -> Result<Answer, Failure> {
    let not_json = || malformed("the provider's answer is not a JSON object");
    std::str::from_utf8(body).map_err(|_| not_json())?;
    let mut members = Members::of_document(body).map_err(|_| not_json())?;
    let mut answer = Answer::default();
    let mut facts = AnswerFacts::default();
    let mut content = None;
    let mut reason = None;
    let mut sequence = None;
    let mut details = None;
    while let Some(member) = members.next_member().map_err(|_| not_json())? {
        let value = member.value;
        match &*member.key {
            b"error" => {
                if let Some(told) = ToldError::read(&value) {
                    return Err(failure::told(&told));
                }
            }
            b"id" => answer.id = value.string().map(|id| (*id).into()),
            b"model" => answer.model = value.string().map(|model| (*model).into()),
            b"content" => content = Some(value).filter(|value| value.kind == Kind::Array),
            b"stop_reason" => reason = value.string(),
            b"stop_sequence" => sequence = value.string(),
            b"stop_details" => details = Some(value),
            b"usage" => facts = ToldUsage::read(&value).facts(),
            _ => {}
        }
    }
    answer.usage = facts.usage;
    answer.terms = facts.terms;
    let content = content.ok_or_else(|| malformed("the provider's answer has no content"))?;
    let blocks = content.elements().map(|block| Block::read(&block));
    answer.parts = blocks.filter_map(|block| block.part()).collect();
    answer.stop = reason.map_or(Stop::End, |reason| stop::read(&reason, sequence.as_deref()));
    if answer.stop == Stop::Refused && answer.parts.is_empty() {
        answer.stop = Stop::Blocked;
    }
    answer
        .parts
        .extend(details.as_ref().and_then(explanation).map(Part::Refusal));
    Ok(answer)
}

/// What `stop_details` say in words about a refusal.
pub(super) fn explanation(details: &Value<'_>) -> Option<Box<str>> {
    let text = member_text(details, "explanation")?;
    (!text.is_empty()).then(|| (*text).into())
}

fn malformed(message: &str) -> Failure {
    Failure::new(FailureKind::Malformed, message)
}
