//! Reads what one chunk of an OpenAI chat stream says of itself, and leaves its bytes alone.

use std::ops::Range;

use crate::Tokens;
use crate::json::{Kind, Member, Members, SyntaxError, Value};
use crate::wire::ToldError;

/// What is worth knowing of a chunk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ChunkFacts {
    pub(crate) usage: Option<Tokens>,
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
}

/// Checks the syntax of the whole chunk.
pub(crate) fn read_chunk(chunk: &[u8]) -> Result<ChunkFacts, SyntaxError> {
    let mut facts = ChunkFacts::default();
    let mut members = Members::of_document(chunk)?;
    let mut cut_to_next = None;
    while let Some(member) = members.next_member()? {
        if let Some(start) = cut_to_next.take() {
            facts.null_usage = Some(start..member.start);
        }
        match &*member.key {
            b"choices" => facts.choices = Choices::read(&member.value),
            b"usage" if member.value.kind == Kind::Null => {
                facts.null_usage = Some(without(&member));
                cut_to_next = member.comma_before.is_none().then_some(member.start);
            }
            b"usage" => facts.usage = Tokens::read(&member.value),
            b"error" => facts.error = ToldError::read(&member.value),
            _ => {}
        }
    }
    Ok(facts)
}

/// A member and the comma before it.
fn without(member: &Member<'_>) -> Range<usize> {
    member.comma_before.unwrap_or(member.start)..member.value.end()
}

impl Choices {
    fn read(choices: &Value<'_>) -> Self {
        let mut seen = Self::default();
        for choice in choices.elements() {
            seen.present = true;
            let mut members = choice.members();
            while let Ok(Some(member)) = members.next_member() {
                match &*member.key {
                    b"delta" => seen.content |= has_content(&member.value),
                    // Of a legacy completion.
                    b"text" => seen.content |= member.value.kind == Kind::String && !member.value.is_empty(),
                    b"finish_reason" => seen.finish |= member.value.kind == Kind::String,
                    _ => {}
                }
            }
        }
        seen
    }
}

fn has_content(delta: &Value<'_>) -> bool {
    let mut members = delta.members();
    while let Ok(Some(member)) = members.next_member() {
        let holds_something = match member.value.kind {
            Kind::String | Kind::Array | Kind::Object => !member.value.is_empty(),
            Kind::Number | Kind::True | Kind::False | Kind::Null => false,
        };
        if holds_something && &*member.key != b"role" {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_usage_is_cut_with_one_comma() {
        let check = |chunk: &str, without: &str| {
            let facts = read_chunk(chunk.as_bytes()).expect(chunk);
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

        let facts = read_chunk(chunk).expect("a chunk");

        assert_eq!((facts.null_usage, facts.usage), (None, None));
    }

    #[test]
    fn content_is_told_from_ceremony() {
        let check = |choices: &str, expected: (bool, bool, bool)| {
            let facts = read_chunk(format!(r#"{{"choices":{choices}}}"#).as_bytes()).expect(choices);
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
