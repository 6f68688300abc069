//! What a provider's message brings, or a piece of one: the same members in whole answers and in the deltas of streams,
//! in the shapes that compatible servers have made of them.

use std::borrow::Cow;

use crate::json::{Kind, Value};

/// What a message or delta holds.
#[derive(Debug, Default)]
pub(super) struct Brought<'a> {
    /// Never empty texts, in their order.
    pub(super) prose: Vec<Prose<'a>>,
    pub(super) details: Option<Value<'a>>,
    pub(super) tool_calls: Option<Value<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Prose<'a> {
    Text(Cow<'a, str>),
    Refusal(Cow<'a, str>),
    Thinking(Cow<'a, str>),
}

/// A tool call or a piece of one.
#[derive(Debug, Default)]
pub(super) struct CallPiece<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) arguments: Cow<'a, str>,
}

impl<'a> Brought<'a> {
    pub(super) fn read(message: &Value<'a>) -> Self {
        let mut brought = Self::default();
        let (mut content, mut refusal, mut reasoning) = (None, None, None);
        let mut members = message.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"content" => content = Some(value),
                b"refusal" => refusal = words(&value),
                // Servers that send both names send the same text under them.
                b"reasoning_content" => reasoning = words(&value).or(reasoning),
                b"reasoning" => reasoning = reasoning.or_else(|| words(&value)),
                b"reasoning_details" if !value.is_empty() && value.kind == Kind::Array => brought.details = Some(value),
                b"tool_calls" if value.kind == Kind::Array => brought.tool_calls = Some(value),
                _ => {}
            }
        }
        // Details say the same as `reasoning`, and more.
        if brought.details.is_none() {
            brought.prose.extend(reasoning.map(Prose::Thinking));
        }
        if let Some(content) = content {
            brought.read_content(&content);
        }
        brought.prose.extend(refusal.map(Prose::Refusal));
        brought
    }

    fn read_content(&mut self, content: &Value<'a>) {
        self.prose.extend(words(content).map(Prose::Text));
        for part in content.elements() {
            let mut members = part.members();
            while let Ok(Some(member)) = members.next_member() {
                match &*member.key {
                    b"text" => self.prose.extend(words(&member.value).map(Prose::Text)),
                    b"refusal" => self.prose.extend(words(&member.value).map(Prose::Refusal)),
                    b"thinking" => self.read_thinking(&member.value),
                    _ => {}
                }
            }
        }
    }

    /// Mistral's: a list of texts.
    fn read_thinking(&mut self, thinking: &Value<'a>) {
        self.prose.extend(words(thinking).map(Prose::Thinking));
        for piece in thinking.elements() {
            let mut members = piece.members();
            while let Ok(Some(member)) = members.next_member() {
                if &*member.key == b"text" {
                    self.prose.extend(words(&member.value).map(Prose::Thinking));
                }
            }
        }
    }
}

impl<'a> CallPiece<'a> {
    pub(super) fn read(call: &Value<'a>) -> Self {
        let mut piece = Self::default();
        let mut members = call.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"index" if value.kind == Kind::Number => {
                    piece.index = std::str::from_utf8(value.text).ok().and_then(|text| text.parse().ok());
                }
                b"id" => piece.id = words(&value),
                b"function" => piece.read_function(&value),
                _ => {}
            }
        }
        piece
    }

    fn read_function(&mut self, function: &Value<'a>) {
        let mut members = function.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match (&*member.key, value.kind) {
                (b"name", _) => self.name = words(&value),
                (b"arguments", Kind::String) => self.arguments = value.string().unwrap_or_default(),
                // Some servers send the object itself.
                (b"arguments", Kind::Object) => self.arguments = String::from_utf8_lossy(value.text),
                _ => {}
            }
        }
    }
}

/// A text that says something.
pub(super) fn words<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    value.string().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(message: &str) -> Vec<Prose<'_>> {
        let value = Value {
            kind: Kind::Object,
            text: message.as_bytes(),
            start: 0,
        };
        Brought::read(&value).prose
    }

    #[test]
    fn thoughts_are_found_under_the_names_servers_use() {
        let expected = || vec![Prose::Thinking("hm".into()), Prose::Text("so".into())];

        assert_eq!(prose(r#"{"content":"so","reasoning_content":"hm"}"#), expected());
        assert_eq!(prose(r#"{"reasoning":"hm","content":"so","refusal":null}"#), expected());
        assert_eq!(
            prose(r#"{"reasoning":"hm","reasoning_content":"hm","content":"so"}"#),
            expected()
        );
        assert_eq!(
            prose(
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"so"}]}"#
            ),
            expected()
        );
        assert_eq!(prose(r#"{"role":"assistant","content":"","reasoning":""}"#), []);
    }
}
