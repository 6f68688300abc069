//! Reads what one chunk of an OpenAI chat stream says of itself, and leaves its bytes alone.

use std::ops::Range;

use crate::json::{Key, Kind, Members, Slot, SyntaxError, Value};
use crate::terms::read_tier;
use crate::wire::ToldError;
use crate::{AnswerFacts, Delivered};

/// What is worth knowing of a chunk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ChunkFacts {
    /// What it tells of the whole answer.
    pub(crate) answer: AnswerFacts,
    /// The bytes without which there is no `"usage":null`.
    pub(crate) null_usage: Option<Range<usize>>,
    pub(crate) error: Option<ToldError>,
    pub(crate) choices: Choices,
}

/// What the choices of a chunk hold, over all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) present: bool,
    /// A piece of text, reasoning, refusal, tool call or whatever else a delta can bring besides its role.
    pub(crate) content: bool,
    pub(crate) finish: bool,
    /// A filter is why.
    pub(crate) filtered: bool,
}

/// Checks the syntax of the whole chunk. What it says goes to `delivered`.
pub(crate) fn read_chunk(chunk: &[u8], delivered: &mut Delivered) -> Result<ChunkFacts, SyntaxError> {
    let mut facts = ChunkFacts::default();
    let mut members = Members::of_document(chunk)?;
    let mut cut_to_next = None;
    while let Some(key) = members.next_key()? {
        if let Some(start) = cut_to_next.take() {
            facts.null_usage = Some(start..key.start);
        }
        match &*key.text {
            b"choices" => facts.choices = Choices::read(members.slot(), delivered)?,
            b"usage" if members.slot().kind()? == Kind::Null => {
                let value = members.slot().pass()?;
                facts.null_usage = Some(without(&key, &value));
                cut_to_next = key.comma_before.is_none().then_some(key.start);
            }
            b"usage" => facts.answer.tell(AnswerFacts::read_usage(members.slot())?),
            b"service_tier" => facts.answer.terms.served = read_tier(&members.slot().pass()?),
            b"error" => facts.error = ToldError::read(&members.slot().pass()?),
            _ => {
                members.slot().pass()?;
            }
        }
    }
    Ok(facts)
}

/// A member and the comma before it.
fn without(key: &Key<'_>, value: &Value<'_>) -> Range<usize> {
    key.comma_before.unwrap_or(key.start)..value.end()
}

impl Choices {
    fn read(choices: Slot<'_, '_>, delivered: &mut Delivered) -> Result<Self, SyntaxError> {
        let mut seen = Self::default();
        choices.elements(|choice| {
            seen.present = true;
            choice.members(|key, value| {
                match key {
                    b"delta" => seen.content |= has_content(value, delivered)?,
                    // Of a legacy completion.
                    b"text" => {
                        let text = value.pass()?;
                        seen.content |= text.kind == Kind::String && !text.is_empty();
                        delivered.say_json(&text);
                    }
                    b"finish_reason" => {
                        let reason = value.pass()?;
                        seen.finish |= reason.kind == Kind::String;
                        seen.filtered |= reason.text == br#""content_filter""#;
                    }
                    _ => {}
                }
                Ok(())
            })
        })?;
        Ok(seen)
    }
}

fn has_content(delta: Slot<'_, '_>, delivered: &mut Delivered) -> Result<bool, SyntaxError> {
    let mut content = false;
    let mut has_thought = false;
    delta.members(|key, value| {
        let value = value.pass()?;
        let holds_something = match value.kind {
            Kind::String | Kind::Array | Kind::Object => !value.is_empty(),
            Kind::Number | Kind::True | Kind::False | Kind::Null => false,
        };
        content |= holds_something && key != b"role";
        match key {
            b"content" if value.kind == Kind::Array => pieces(&value, delivered),
            b"content" | b"refusal" => delivered.say_json(&value),
            // Servers that have both names tell the same under both.
            b"reasoning" | b"reasoning_content" if !has_thought => {
                has_thought = holds_something;
                delivered.think_json(&value);
            }
            b"tool_calls" => value.elements().for_each(|call| {
                if let Some(function) = call.member("function") {
                    called(&function, delivered);
                }
            }),
            b"function_call" => called(&value, delivered),
            _ => {}
        }
        Ok(())
    })?;
    Ok(content)
}

fn called(function: &Value<'_>, delivered: &mut Delivered) {
    for name in ["name", "arguments"] {
        if let Some(text) = function.member(name) {
            delivered.say_json(&text);
        }
    }
}

/// Content in parts, as Mistral sends it: texts, and thoughts that are parts of their own.
fn pieces(parts: &Value<'_>, delivered: &mut Delivered) {
    for part in parts.elements() {
        if let Some(text) = part.member("text") {
            delivered.say_json(&text);
        }
        for thought in part.member("thinking").iter().flat_map(Value::elements) {
            if let Some(text) = thought.member("text") {
                delivered.think_json(&text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunk: &[u8]) -> Result<ChunkFacts, SyntaxError> {
        read_chunk(chunk, &mut Delivered::default())
    }

    #[test]
    fn what_a_chunk_says_is_kept_apart_from_what_it_thinks() {
        let chunk = br#"{"choices":[{"delta":{"role":"assistant","content":"a\n","refusal":"b","reasoning":"c","reasoning_content":"c",
            "tool_calls":[{"index":0,"id":"call_1","function":{"name":"f","arguments":"{\"x\":"}}]}},
            {"delta":{"content":[{"type":"text","text":"d"},{"type":"thinking","thinking":[{"type":"text","text":"e"}]}]}}]}"#;
        let (mut delivered, mut expected) = (Delivered::default(), Delivered::default());
        expected.say("a\nbf{\"x\":d");
        expected.think("ce");

        read_chunk(chunk, &mut delivered).expect("a chunk");

        assert!(delivered == expected, "{delivered:?}");
    }

    #[test]
    fn a_null_usage_is_cut_with_one_comma() {
        let check = |chunk: &str, without: &str| {
            let facts = read(chunk.as_bytes()).expect(chunk);
            let cut = facts.null_usage.expect(chunk);
            let mut text = chunk.to_owned();
            text.replace_range(cut, "");
            assert_eq!(text, without);
        };

        check(r#"{"id":1,"usage":null}"#, r#"{"id":1}"#);
        check(r#"{"id":1 , "usage" : null ,"x":2}"#, r#"{"id":1  ,"x":2}"#);
        check(r#"{ "usage":null , "x":2}"#, r#"{ "x":2}"#);
        check(r#"{"usage":null}"#, "{}");
    }

    #[test]
    fn only_the_chunks_own_usage_counts() {
        let chunk = br#"{"choices":[{"delta":{"content":"\"usage\":null","usage":null}}],"x":{"usage":null}}"#;

        let facts = read(chunk).expect("a chunk");

        assert_eq!((facts.null_usage, facts.answer.usage), (None, None));
    }

    #[test]
    fn content_is_told_from_ceremony() {
        let check = |choices: &str, expected: (bool, bool, bool)| {
            let facts = read(format!(r#"{{"choices":{choices}}}"#).as_bytes()).expect(choices);
            assert_eq!(
                (facts.choices.present, facts.choices.content, facts.choices.finish),
                expected,
                "{choices}"
            );
        };

        check("[]", (false, false, false));
        check("null", (false, false, false));
        check(
            r#"[{"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]"#,
            (true, false, false),
        );
        check(r#"[{"delta":{"content":"x"}}]"#, (true, true, false));
        check(r#"[{"text":"x","finish_reason":null}]"#, (true, true, false));
        check(r#"[{"text":"","finish_reason":"stop"}]"#, (true, false, true));
        check(r#"[{"delta":{"reasoning_content":"x"}}]"#, (true, true, false));
        check(r#"[{"delta":{"tool_calls":[{"index":0}]}}]"#, (true, true, false));
        check(r#"[{"delta":{"tool_calls":[]}}]"#, (true, false, false));
        check(
            r#"[{"delta":{},"finish_reason":"stop"},{"delta":{"content":"y"}}]"#,
            (true, true, true),
        );
    }
}
