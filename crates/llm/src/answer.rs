//! Reads what a whole JSON answer says of itself, and leaves its bytes alone.

use thiserror::Error;

use crate::event::{Answer, Stop};
use crate::json::{Kind, Members, Value};
use crate::terms::read_tier;
use crate::wire::ToldError;
use crate::{Failure, FailureKind, Terms, Tokens};

/// What is worth knowing of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerFacts {
    pub usage: Option<Tokens>,
    pub terms: Terms,
    /// The prompt was refused, and nothing was said.
    pub blocked: bool,
}

impl AnswerFacts {
    /// What is told later replaces what was told before.
    pub(crate) fn tell(&mut self, later: Self) {
        let before = self.usage;
        self.usage = later.usage.map(|usage| usage.keeping_searches(before)).or(before);
        self.terms = later.terms.or(self.terms);
        self.blocked |= later.blocked;
    }
}

impl From<Answer> for AnswerFacts {
    fn from(answer: Answer) -> Self {
        Self {
            usage: answer.usage,
            terms: answer.terms,
            blocked: answer.stop == Stop::Blocked || (answer.stop == Stop::Refused && answer.parts.is_empty()),
        }
    }
}

impl From<Tokens> for AnswerFacts {
    fn from(usage: Tokens) -> Self {
        Self {
            usage: Some(usage),
            ..Self::default()
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

    /// What it says of the tokens all the same.
    pub(crate) fn having_used(self, used: Option<Tokens>) -> Self {
        match self {
            Self::NotJson => Self::NotJson,
            Self::Error(failure) => Self::Error(failure.having_used(used)),
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
            b"choices" => facts.blocked |= is_filtered(&slot.pass().map_err(not_json)?),
            b"service_tier" => facts.terms.served = read_tier(&slot.pass().map_err(not_json)?),
            b"error" => error = ToldError::read(&slot.pass().map_err(not_json)?),
            _ => {
                slot.pass().map_err(not_json)?;
            }
        }
    }
    match error {
        Some(told) => Err(NotAnAnswer::from(told).having_used(facts.usage)),
        None => Ok(facts),
    }
}

/// Whether the only choice is a filter's, and nothing was said before it came.
fn is_filtered(choices: &Value<'_>) -> bool {
    const REASON: &str = "content_filter";
    // Of most answers no more than this is looked at.
    if memchr::memmem::find(choices.text, REASON.as_bytes()).is_none() {
        return false;
    }
    let mut all = choices.elements();
    let (Some(choice), None) = (all.next(), all.next()) else {
        return false;
    };
    let reason = choice
        .member("finish_reason")
        .and_then(|reason| reason.string().map(|text| text == REASON));
    let says = |name: &str| {
        let said = choice.member("message").and_then(|message| message.member(name));
        said.is_some_and(|said| said.kind != Kind::Null && !said.is_empty())
    };
    reason == Some(true)
        && !["content", "refusal", "tool_calls", "reasoning_content", "reasoning"]
            .into_iter()
            .any(says)
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
    fn a_filter_that_let_nothing_be_said_blocked_the_prompt() {
        let blocked = |choices: &str| {
            let body = format!(r#"{{"choices":{choices},"usage":{{"prompt_tokens":7,"completion_tokens":0}}}}"#);
            read_answer(body.as_bytes()).expect("an answer").blocked
        };

        assert!(blocked(
            r#"[{"message":{"role":"assistant","content":null},"finish_reason":"content_filter"}]"#
        ));
        assert!(blocked(
            r#"[{"message":{"content":"","tool_calls":[]},"finish_reason":"content_filter"}]"#
        ));
        assert!(!blocked(
            r#"[{"message":{"content":"Once"},"finish_reason":"content_filter"}]"#
        ));
        assert!(!blocked(r#"[{"message":{"content":""},"finish_reason":"stop"}]"#));
        assert!(!blocked(
            r#"[{"message":{"content":"content_filter"},"finish_reason":"stop"}]"#
        ));
    }

    #[test]
    fn what_an_error_says_of_the_tokens_is_kept() {
        let body = br#"{"error":{"message":"no"},"usage":{"prompt_tokens":7,"completion_tokens":2}}"#;

        let failure = read_answer(body).expect_err("an error").into_failure();

        let used = failure.used.expect("usage");
        assert_eq!((used.total_input(), used.total_output()), (7, 2));
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
