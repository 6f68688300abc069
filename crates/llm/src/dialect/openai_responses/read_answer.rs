//! Reads a provider's whole response.

use super::output::{call_id, elements, facts_of, failure_of, object, stop_of, text, thoughts};
use crate::chat::{Maker, Part, Signature, Thinking, ToolCall};
use crate::event::Answer;
use crate::json::{Kind, Value};
use crate::{Failure, FailureKind, NotAnAnswer};

pub(super) fn read_answer(body: &[u8]) -> Result<Answer, Failure> {
    let response = object(body).map_err(NotAnAnswer::into_failure)?;
    if let Some(failure) = failure_of(&response) {
        return Err(failure);
    }
    if response
        .member("output")
        .is_none_or(|output| output.kind != Kind::Array)
    {
        return Err(Failure::new(
            FailureKind::Malformed,
            "the provider's answer has no output",
        ));
    }
    if matches!(text(&response, "status").as_deref(), Some("queued" | "in_progress")) {
        return Err(Failure::new(
            FailureKind::Malformed,
            "the provider's answer is not finished",
        ));
    }
    let mut parts = Vec::new();
    for item in elements(&response, "output") {
        read_item(&item, &mut parts);
    }
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let has_refusal = parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    let facts = facts_of(&response);
    Ok(Answer {
        id: text(&response, "id").map(Into::into),
        model: text(&response, "model").map(Into::into),
        stop: stop_of(&response, has_calls, has_refusal),
        usage: facts.usage,
        terms: facts.terms,
        parts,
    })
}

/// Items of tools that were not offered cannot come; if they do, there is nothing to do with them.
fn read_item(item: &Value<'_>, parts: &mut Vec<Part>) {
    match text(item, "type").as_deref() {
        Some("message") => {
            for content in elements(item, "content") {
                let texts = text(&content, "text").map(Part::text);
                let refusal = || text(&content, "refusal").map(|refusal| Part::Refusal(refusal.into()));
                parts.extend(texts.or_else(refusal));
            }
        }
        Some("function_call") => {
            let id = call_id(item).unwrap_or_else(|| format!("call_{}", parts.len()).into());
            parts.push(Part::ToolCall(ToolCall {
                id,
                name: text(item, "name").unwrap_or_default().into(),
                arguments: text(item, "arguments").map_or_else(|| "{}".into(), Into::into),
                signature: None,
                cache: None,
            }));
        }
        Some("reasoning") => {
            let thinking = Thinking {
                text: thoughts(item).into(),
                signature: signature_of(item),
            };
            if thinking != Thinking::default() {
                parts.push(Part::Thinking(thinking));
            }
        }
        _ => {}
    }
}

pub(super) fn signature_of(item: &Value<'_>) -> Option<Signature> {
    let sealed = text(item, "encrypted_content")?;
    Some(Signature {
        maker: Maker::Openai,
        text: sealed.into(),
    })
}
