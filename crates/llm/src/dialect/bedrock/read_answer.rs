//! Reads an answer of the Converse API, and why it ended.

use super::{BedrockConverse, exception, usage};
use crate::chat::{Part, Thinking, ToolCall};
use crate::event::{Answer, Stop};
use crate::json::{Kind, Members, Value};
use crate::{Failure, FailureKind, Terms};

/// The top of an answer.
#[derive(Default)]
struct Top<'a> {
    output: Option<Value<'a>>,
    stop_reason: Option<Value<'a>>,
    usage: Option<Value<'a>>,
    /// What the model says besides, where it was asked to.
    additional: Option<Value<'a>>,
    terms: Terms,
}

pub(super) fn read(body: &[u8], model: BedrockConverse) -> Result<Answer, Failure> {
    let top = Top::read(body).ok_or_else(|| malformed("the provider's answer is not a JSON object"))?;
    let Some(message) = top.output.and_then(|output| output.member("message")) else {
        return Err(exception::message_of(body).map_or_else(
            || malformed("the provider's answer has no message"),
            |message| exception::failure(None, message),
        ));
    };
    let content = message.member("content");
    let blocks = content.iter().flat_map(Value::elements);
    let reason = top.stop_reason.and_then(|reason| reason.string()).unwrap_or_default();
    Ok(Answer {
        id: None,
        model: None,
        parts: blocks.filter_map(|block| part(&block, model)).collect(),
        stop: stop(&reason, top.additional.as_ref())?,
        usage: top.usage.and_then(|told| usage::read(&told)),
        terms: top.terms,
    })
}

impl<'a> Top<'a> {
    /// Checks the syntax of the whole body.
    fn read(body: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(body).ok()?;
        let mut top = Self::default();
        let mut members = Members::of_document(body).ok()?;
        while let Some(member) = members.next_member().ok()? {
            match &*member.key {
                b"output" => top.output = Some(member.value),
                b"stopReason" => top.stop_reason = Some(member.value),
                b"usage" => top.usage = Some(member.value),
                b"additionalModelResponseFields" => top.additional = Some(member.value),
                name => top.terms = usage::terms(name, &member.value, top.terms),
            }
        }
        Some(top)
    }
}

/// Why an answer ended. A model that wrote what it may not has failed: the answer is of no use.
pub(super) fn stop(reason: &str, additional: Option<&Value<'_>>) -> Result<Stop, Failure> {
    Ok(match reason {
        "tool_use" => Stop::ToolCalls,
        "max_tokens" => Stop::Length,
        "model_context_window_exceeded" => Stop::Context,
        "guardrail_intervened" | "content_filtered" | "refusal" => Stop::Refused,
        "pause_turn" => Stop::Paused,
        "stop_sequence" => {
            let sequence = additional.and_then(|fields| text(fields, "stop_sequence"));
            Stop::Sequence(sequence)
        }
        "malformed_model_output" => return Err(malformed("the model's output could not be read")),
        "malformed_tool_use" => return Err(malformed("the model's tool call could not be read")),
        _ => Stop::End,
    })
}

/// A block of content; `None` for what has no place in a chat: images, and calls of tools that Bedrock runs itself.
fn part(block: &Value<'_>, model: BedrockConverse) -> Option<Part> {
    let mut members = block.members();
    // A block has one member, which says what it is.
    let inner = members.next_member().ok()??;
    match &*inner.key {
        b"text" => inner
            .value
            .string()
            .filter(|text| !text.is_empty())
            .map(|text| Part::text(text.into_owned())),
        b"toolUse" => tool_call(&inner.value).map(Part::ToolCall),
        b"reasoningContent" => thinking(&inner.value, model).map(Part::Thinking),
        b"citationsContent" => cited(&inner.value).map(Part::text),
        _ => None,
    }
}

fn tool_call(call: &Value<'_>) -> Option<ToolCall> {
    if is_run_by_bedrock(call) {
        return None;
    }
    let input = call.member("input").filter(|input| input.kind != Kind::Null);
    let arguments = input.and_then(|input| std::str::from_utf8(input.text).ok());
    Some(ToolCall {
        id: text(call, "toolUseId").unwrap_or_default(),
        name: text(call, "name").unwrap_or_default(),
        arguments: arguments.unwrap_or("{}").into(),
        signature: None,
        cache: None,
    })
}

fn thinking(content: &Value<'_>, model: BedrockConverse) -> Option<Thinking> {
    if let Some(reasoning) = content.member("reasoningText") {
        return Some(Thinking {
            text: text(&reasoning, "text").unwrap_or_default(),
            signature: text(&reasoning, "signature").map(|signature| model.signature(signature)),
        });
    }
    let sealed = text(content, "redactedContent")?;
    Some(Thinking {
        text: Box::default(),
        signature: Some(model.sealed(sealed)),
    })
}

/// The text that citations belong to.
fn cited(content: &Value<'_>) -> Option<String> {
    let pieces = content.member("content")?;
    let text: String = pieces
        .elements()
        .filter_map(|piece| text(&piece, "text"))
        .map(String::from)
        .collect();
    (!text.is_empty()).then_some(text)
}

pub(super) fn is_run_by_bedrock(call: &Value<'_>) -> bool {
    text(call, "type").as_deref() == Some("server_tool_use")
}

pub(super) fn text(value: &Value<'_>, name: &str) -> Option<Box<str>> {
    Some(value.member(name)?.string()?.into_owned().into())
}

fn malformed(reason: &str) -> Failure {
    Failure::new(FailureKind::Malformed, reason)
}
