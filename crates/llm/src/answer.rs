//! Reads what a whole JSON answer says of itself, and leaves its bytes alone.

use thiserror::Error;

use crate::event::Answer;
use crate::json::Members;
use crate::terms::read_tier;
use crate::wire::ToldError;
use crate::{Failure, FailureKind, Terms, Tokens};

/// What is worth knowing of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerFacts {
    pub usage: Option<Tokens>,
    pub terms: Terms,
}

impl AnswerFacts {
    /// What is told later replaces what was told before.
    pub(crate) fn tell(&mut self, later: Self) {
        self.usage = later.usage.or(self.usage);
        self.terms = later.terms.or(self.terms);
    }
}

impl From<Answer> for AnswerFacts {
    fn from(answer: Answer) -> Self {
        Self {
            usage: answer.usage,
            terms: answer.terms,
        }
    }
}

impl From<Tokens> for AnswerFacts {
    fn from(usage: Tokens) -> Self {
        Self {
            usage: Some(usage),
            terms: Terms::default(),
        }
    }
}

/// Why a body with status 200 is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAnAnswer {
    #[error("the provider's answer is not a JSON object")]
    NotJson,
    #[error("the provider answered with an error")]
    Error(Failure),
}

impl NotAnAnswer {
    pub fn into_failure(self) -> Failure {
        match self {
            Self::NotJson => Failure::new(FailureKind::Malformed, "the provider's answer is not a JSON object"),
            Self::Error(failure) => failure,
        }
    }
}

impl From<ToldError> for NotAnAnswer {
    fn from(told: ToldError) -> Self {
        Self::Error(Failure::told(&told))
    }
}

/// Checks the syntax of the whole body: an answer that was cut short is not JSON.
pub fn read_answer(body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
    let not_json = |_| NotAnAnswer::NotJson;
    std::str::from_utf8(body).map_err(|_| NotAnAnswer::NotJson)?;
    let mut members = Members::of_document(body).map_err(not_json)?;
    let mut facts = AnswerFacts::default();
    let mut error = None;
    while let Some(key) = members.next_key().map_err(not_json)? {
        let slot = members.slot();
        match &*key.text {
            b"usage" => facts.tell(AnswerFacts::read_usage(slot).map_err(not_json)?),
            b"service_tier" => facts.terms.served = read_tier(&slot.pass().map_err(not_json)?),
            b"error" => error = ToldError::read(&slot.pass().map_err(not_json)?),
            _ => {
                slot.pass().map_err(not_json)?;
            }
        }
    }
    match error {
        Some(told) => Err(told.into()),
        None => Ok(facts),
    }
}

#[cfg(test)]
mod tests {
    use gatewright_types::UsageUnit;

    use super::*;

    #[test]
    fn usage_is_read_wherever_it_stands() {
        let body = br#"{"usage":{"prompt_tokens":7,"completion_tokens":2},"choices":[{"message":{"content":"{\"usage\":1}"}}]}"#;

        let usage = read_answer(body).expect("an answer").usage.expect("usage");

        assert_eq!(
            (usage.get(UsageUnit::InputUncached), usage.get(UsageUnit::OutputText)),
            (7, 2)
        );
        assert_eq!(
            read_answer(br#"{"choices":[],"usage":null,"error":null}"#),
            Ok(AnswerFacts::default())
        );
    }

    #[test]
    fn a_cut_answer_or_another_text_is_not_json() {
        for body in [
            &br#"{"choices":[{"message":{"content":"He"#[..],
            b"",
            b"[]",
            b"<html>",
            b"{}{}",
            b"{\"a\":\"\xff\"}",
        ] {
            assert_eq!(read_answer(body), Err(NotAnAnswer::NotJson));
        }
        assert_eq!(NotAnAnswer::NotJson.into_failure().kind, FailureKind::Malformed);
    }

    #[test]
    fn an_error_under_status_200_is_a_failure() {
        let body = br#"{"error":{"message":"the\nbackend is gone","type":"server_error","code":502}}"#;

        let failure = read_answer(body).expect_err("an error").into_failure();

        assert_eq!(
            (failure.kind, failure.message.as_str(), failure.code.as_deref()),
            (FailureKind::ErrorEvent, "the backend is gone", Some("502"))
        );
    }
}
