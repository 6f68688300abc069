//! Reads responses and their items as providers write them, leniently: what is missing or of another type counts as
//! absent.

use std::borrow::Cow;

use super::usage;
use gatewright_types::UsageUnit;

use crate::event::Stop;
use crate::json::{Kind, Members, Value};
use crate::terms::read_tier;
use crate::wire::ToldError;
use crate::{AnswerFacts, Failure, FailureKind, NotAnAnswer, Terms};

/// A text that is one JSON object and nothing else, its syntax checked.
pub(super) fn object(text: &[u8]) -> Result<Value<'_>, NotAnAnswer> {
    std::str::from_utf8(text).map_err(|_| NotAnAnswer::NotJson)?;
    let text = text.trim_ascii();
    let mut members = Members::of_document(text).map_err(|_| NotAnAnswer::NotJson)?;
    while members.next_member().map_err(|_| NotAnAnswer::NotJson)?.is_some() {}
    Ok(Value {
        kind: Kind::Object,
        text,
        start: 0,
    })
}

/// A member that is a text and not empty.
pub(super) fn text<'a>(value: &Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    value.member(name)?.string().filter(|text| !text.is_empty())
}

pub(super) fn index(value: &Value<'_>, name: &str) -> u64 {
    let digits = value.member(name).filter(|value| value.kind == Kind::Number);
    let digits = digits.and_then(|value| std::str::from_utf8(value.text).ok());
    digits.and_then(|text| text.parse().ok()).unwrap_or_default()
}

pub(super) fn elements<'a>(value: &Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> + use<'a> {
    value.member(name).into_iter().flat_map(|array| array.elements())
}

/// What may be read of a reasoning item: its summary or, where servers tell that instead, the thoughts themselves.
pub(super) fn thoughts(item: &Value<'_>) -> String {
    let joined = |name| {
        let texts = elements(item, name).filter_map(|part| text(&part, "text"));
        texts.collect::<Vec<_>>().join(SUMMARY_BREAK)
    };
    let summary = joined("summary");
    if summary.is_empty() { joined("content") } else { summary }
}

/// What stands between two parts of a summary.
pub(super) const SUMMARY_BREAK: &str = "\n\n";

/// A call's identifier: its results are told by `call_id`, which some servers leave out.
pub(super) fn call_id(item: &Value<'_>) -> Option<Box<str>> {
    text(item, "call_id").or_else(|| text(item, "id")).map(Into::into)
}

/// What a response says of what it used and on what terms.
pub(super) fn facts_of(response: &Value<'_>) -> AnswerFacts {
    let mut facts = AnswerFacts::default();
    let mut searches = 0;
    let mut members = response.members();
    while let Ok(Some(member)) = members.next_member() {
        match &*member.key {
            b"usage" => facts.tell(usage::read(&member.value)),
            b"output" => searches = member.value.elements().filter(is_search).count() as u64,
            b"service_tier" => facts.terms = Terms::served(read_tier(&member.value)).or(facts.terms),
            _ => {}
        }
    }
    if let Some(tokens) = &mut facts.usage {
        // Some providers count them, too.
        let told = tokens.get(UsageUnit::WebSearch);
        tokens.set(UsageUnit::WebSearch, searches.max(told));
    }
    facts
}

/// A search of the web, and not only a look at a page that one found.
fn is_search(item: &Value<'_>) -> bool {
    let is_call = text(item, "type").as_deref() == Some("web_search_call");
    is_call
        && item
            .member("action")
            .is_none_or(|action| text(&action, "type").as_deref() == Some("search"))
}

/// Why a response is no answer, if it says so.
pub(super) fn failure_of(response: &Value<'_>) -> Option<Failure> {
    let told = response.member("error").and_then(|error| ToldError::read(&error));
    if let Some(told) = told {
        return Some(Failure::told(&told));
    }
    match text(response, "status").as_deref() {
        Some("failed") => Some(Failure::told(&ToldError::default())),
        Some("cancelled") => Some(Failure::new(
            FailureKind::ErrorEvent,
            "the provider cancelled the response",
        )),
        _ => None,
    }
}

/// Why a finished response ends.
pub(super) fn stop_of(response: &Value<'_>, has_calls: bool, is_refusal: bool) -> Stop {
    let details = response.member("incomplete_details");
    let reason = details.and_then(|details| text(&details, "reason"));
    match reason.as_deref() {
        Some("max_output_tokens") => Stop::Length,
        Some("content_filter") => Stop::Refused,
        // For whatever reason it is cut short.
        _ if text(response, "status").as_deref() == Some("incomplete") => Stop::Length,
        _ if has_calls => Stop::ToolCalls,
        _ if is_refusal => Stop::Refused,
        _ => Stop::End,
    }
}
