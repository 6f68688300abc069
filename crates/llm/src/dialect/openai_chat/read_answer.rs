//! Reads a whole answer of a provider.

use super::details;
use super::fingerprint;
use super::finish::{self, Finish, Held};
use super::message::{Brought, CallPiece, Prose, words};
use crate::chat::{Part, Thinking, ToolCall};
use crate::event::{Answer, Stop};
use crate::json::{Members, SyntaxError, Value};
use crate::terms::read_tier;
use crate::wire::ToldError;
use crate::{AnswerFacts, Failure, FailureKind, NotAnAnswer};

/// The first choice; only one was asked for.
#[derive(Default)]
struct Choice<'a> {
    message: Option<Value<'a>>,
    finish: Option<String>,
    native: Option<String>,
    error: Option<ToldError>,
}

pub(super) fn read(body: &[u8]) -> Result<Answer, Failure> {
    let not_json = |_: SyntaxError| NotAnAnswer::NotJson.into_failure();
    if std::str::from_utf8(body).is_err() {
        return Err(NotAnAnswer::NotJson.into_failure());
    }
    let mut answer = Answer::default();
    let mut facts = AnswerFacts::default();
    let (mut choices, mut error) = (None, None);
    let mut members = Members::of_document(body).map_err(not_json)?;
    while let Some(member) = members.next_member().map_err(not_json)? {
        let value = member.value;
        match &*member.key {
            b"id" => answer.id = words(&value).map(Into::into),
            b"model" => answer.model = words(&value).map(Into::into),
            b"choices" => choices = value.elements().next(),
            b"usage" => facts.tell(AnswerFacts::read_usage_value(&value)),
            b"service_tier" => facts.terms.served = read_tier(&value),
            b"error" => error = ToldError::read(&value),
            _ => {}
        }
    }
    let Some(choice) = choices else {
        let told = error.or_else(|| ToldError::read_body(body));
        let failure = match told {
            Some(told) => Failure::told(&told),
            None => Failure::new(FailureKind::Malformed, "the provider's answer has no choices"),
        };
        return Err(failure.having_used(facts.usage));
    };
    let choice = Choice::read(&choice);
    if let Some(told) = error.or(choice.error) {
        return Err(Failure::told(&told).having_used(facts.usage));
    }
    let brought = choice
        .message
        .map(|message| Brought::read(&message))
        .unwrap_or_default();
    answer.usage = facts.usage;
    answer.terms = facts.terms;
    answer.parts = parts_of(brought, answer.id.as_deref());
    answer.stop = match choice.finish {
        Some(reason) => match finish::read(&reason, choice.native.as_deref(), held(&answer.parts)) {
            Finish::Stop(stop) => stop,
            Finish::Failed => return Err(broke_off(&reason).having_used(facts.usage)),
        },
        None => Stop::End,
    };
    Ok(answer)
}

/// A reason to finish that is none.
pub(super) fn broke_off(reason: &str) -> Failure {
    Failure::new(
        FailureKind::ErrorEvent,
        &format!("the provider broke off the answer: {reason}"),
    )
}

/// An identifier for a call that came without one. Those of another answer are different, where answers can be told apart.
pub(super) fn made_up_id(index: usize, answer: Option<&str>) -> Box<str> {
    match answer {
        Some(answer) => format!("call_{index}_{}", fingerprint::of(answer)).into(),
        None => format!("call_{index}").into(),
    }
}

impl<'a> Choice<'a> {
    fn read(choice: &Value<'a>) -> Self {
        let mut read = Self::default();
        let mut members = choice.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"message" => read.message = Some(value),
                b"finish_reason" => read.finish = words(&value).map(Into::into),
                b"native_finish_reason" => read.native = words(&value).map(Into::into),
                b"error" => read.error = ToldError::read(&value),
                _ => {}
            }
        }
        read
    }
}

fn parts_of(brought: Brought<'_>, answer: Option<&str>) -> Vec<Part> {
    let mut calls = calls_of(&brought, answer);
    let mut parts = Vec::new();
    if let Some(list) = brought.details {
        parts.extend(details::thinking(&list, &mut calls).into_iter().map(Part::Thinking));
    }
    parts.extend(brought.prose.into_iter().map(|prose| match prose {
        Prose::Text(text) => Part::text(text),
        Prose::Refusal(text) => Part::Refusal(text.into()),
        Prose::Thinking(text) => Part::Thinking(Thinking {
            text: text.into(),
            signature: None,
        }),
    }));
    parts.extend(calls.into_iter().map(Part::ToolCall));
    parts
}

fn calls_of(brought: &Brought<'_>, answer: Option<&str>) -> Vec<ToolCall> {
    let mut calls: Vec<ToolCall> = Vec::new();
    for call in brought.tool_calls.iter().flat_map(Value::elements) {
        let piece = CallPiece::read(&call);
        let Some(name) = piece.name else {
            continue;
        };
        let unique = piece.id.filter(|id| calls.iter().all(|call| *call.id != **id));
        let arguments = match &*piece.arguments {
            "" => "{}".into(),
            arguments => arguments.into(),
        };
        calls.push(ToolCall {
            id: unique.map_or_else(|| made_up_id(calls.len(), answer), Into::into),
            name: name.into(),
            arguments,
            signature: None,
            cache: None,
        });
    }
    calls
}

fn held(parts: &[Part]) -> Held {
    Held {
        tool_calls: parts.iter().any(|part| matches!(part, Part::ToolCall(_))),
        refusal: parts.iter().any(|part| matches!(part, Part::Refusal(_))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_get_identifiers_of_their_own() {
        let body = br#"{"id":"a","choices":[{"index":0,"finish_reason":"stop","message":{"content":null,"tool_calls":[
            {"type":"function","function":{"name":"f","arguments":""}},
            {"id":"x","type":"function","function":{"name":"g","arguments":{"a": 1}}},
            {"id":"x","type":"function","function":{"name":"h","arguments":"{}"}}]}}]}"#;

        let answer = read(body).expect("an answer");

        let calls: Vec<_> = answer
            .parts
            .iter()
            .map(|part| match part {
                Part::ToolCall(call) => (&*call.id, &*call.arguments),
                other => panic!("{other:?}"),
            })
            .collect();
        let (first, third) = (made_up_id(0, Some("a")), made_up_id(2, Some("a")));
        assert_eq!(calls, [(&*first, "{}"), ("x", r#"{"a": 1}"#), (&*third, "{}")]);
        assert_eq!(answer.stop, Stop::ToolCalls);
    }

    #[test]
    fn an_error_in_the_choice_fails_the_answer() {
        let body = br#"{"choices":[{"error":{"code":502,"message":"gone"},"finish_reason":"error","message":{}}]}"#;

        let failure = read(body).expect_err("a failure");

        assert_eq!((failure.message.as_str(), failure.status), ("gone", Some(502)));
    }
}
