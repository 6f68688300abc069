//! Reads a whole answer. The plan that a model makes before it calls tools is said like other text.

use std::borrow::Cow;

use super::{finish, usage};
use crate::chat::{Part, Thinking, ToolCall};
use crate::event::Answer;
use crate::json::{Kind, Members, SyntaxError, Value};
use crate::wire::ToldError;
use crate::{Failure, FailureKind, NotAnAnswer};

/// A call as it is told, whole or when it begins in a stream.
#[derive(Default)]
pub(super) struct ToldCall<'a> {
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) arguments: Cow<'a, str>,
}

pub(super) fn read(body: &[u8]) -> Result<Answer, Failure> {
    let not_json = |_: SyntaxError| NotAnAnswer::NotJson.into_failure();
    if std::str::from_utf8(body).is_err() {
        return Err(NotAnAnswer::NotJson.into_failure());
    }
    let mut answer = Answer::default();
    let (mut message, mut reason) = (None, None);
    let mut members = Members::of_document(body).map_err(not_json)?;
    while let Some(member) = members.next_member().map_err(not_json)? {
        let value = member.value;
        match &*member.key {
            b"id" => answer.id = words(&value).map(Into::into),
            b"message" if value.kind == Kind::Object => message = Some(value),
            b"finish_reason" => reason = words(&value),
            b"usage" => answer.usage = usage::read(&value),
            _ => {}
        }
    }
    let Some(message) = message else {
        // An error's `message` is a text.
        return Err(match ToldError::read_body(body) {
            Some(told) => Failure::told(&told),
            None => Failure::new(FailureKind::Malformed, "the provider's answer has no message"),
        });
    };
    answer.parts = read_parts(&message);
    let has_calls = answer.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    answer.stop = finish::read(reason.as_deref().unwrap_or_default(), has_calls, None)?;
    Ok(answer)
}

/// A text that says something.
pub(super) fn words<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    value.string().filter(|text| !text.is_empty())
}

impl<'a> ToldCall<'a> {
    pub(super) fn read(call: &Value<'a>) -> Self {
        let function = call.member("function");
        let of_function = |name| function.and_then(|function| function.member(name));
        Self {
            id: call.member("id").and_then(|id| words(&id)),
            name: of_function("name").and_then(|name| words(&name)),
            arguments: of_function("arguments")
                .and_then(|arguments| words(&arguments))
                .unwrap_or_default(),
        }
    }
}

/// An identifier for a call that came without one.
pub(super) fn made_up_id(index: u64) -> Box<str> {
    format!("call_{index}").into()
}

fn read_parts(message: &Value<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    for item in message.member("content").iter().flat_map(Value::elements) {
        let text = |name| item.member(name).and_then(|text| words(&text));
        if let Some(thinking) = text("thinking") {
            parts.push(Part::Thinking(Thinking {
                text: thinking.into(),
                signature: None,
            }));
        }
        parts.extend(text("text").map(Part::text));
    }
    parts.extend(
        message
            .member("tool_plan")
            .and_then(|plan| words(&plan))
            .map(Part::text),
    );
    let calls = message.member("tool_calls");
    for (index, call) in (0..).zip(calls.iter().flat_map(Value::elements)) {
        let call = ToldCall::read(&call);
        let Some(name) = call.name else {
            continue;
        };
        let arguments = match &*call.arguments {
            "" => "{}",
            arguments => arguments,
        };
        parts.push(Part::ToolCall(ToolCall {
            id: call.id.map_or_else(|| made_up_id(index), Into::into),
            name: name.into(),
            arguments: arguments.into(),
            signature: None,
            cache: None,
        }));
    }
    parts
}
