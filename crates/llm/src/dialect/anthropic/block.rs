//! A content block of an answer, whole or as a stream begins it. Blocks that only Anthropic's own tools bring are passed
//! over: callers of other dialects could not have asked for them.

use std::borrow::Cow;

use super::input;
use crate::chat::{Maker, Part, Signature, Text, Thinking, ToolCall};
use crate::event::Opening;
use crate::json::{Kind, Value};

#[derive(Debug, Default)]
pub(super) struct Block<'a> {
    kind: Option<Cow<'a, str>>,
    text: Option<Cow<'a, str>>,
    thinking: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    data: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    input: Option<Value<'a>>,
}

impl<'a> Block<'a> {
    pub(super) fn read(value: &Value<'a>) -> Self {
        let mut block = Self::default();
        let mut members = value.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"type" => block.kind = value.string(),
                b"text" => block.text = value.string(),
                b"thinking" => block.thinking = value.string(),
                b"signature" => block.signature = value.string(),
                b"data" => block.data = value.string(),
                b"id" => block.id = value.string(),
                b"name" => block.name = value.string(),
                b"input" => block.input = Some(value),
                _ => {}
            }
        }
        block
    }

    /// `None` for kinds that are passed over.
    pub(super) fn opening(&self) -> Option<Opening> {
        match self.kind.as_deref()? {
            "text" => Some(Opening::Text),
            "thinking" | "redacted_thinking" => Some(Opening::Thinking),
            "tool_use" => Some(Opening::ToolCall {
                id: self.id.as_deref().unwrap_or_default().into(),
                name: self.name.as_deref().unwrap_or_default().into(),
            }),
            _ => None,
        }
    }

    /// The text of it that is there; not a call's arguments.
    pub(super) fn text(&self) -> &str {
        let text = self.text.as_deref().or(self.thinking.as_deref());
        text.unwrap_or_default()
    }

    pub(super) fn signature(&self) -> Option<Signature> {
        let (maker, text) = match self.data.as_deref() {
            Some(data) => (Maker::AnthropicRedacted, data),
            None => (Maker::Anthropic, self.signature.as_deref()?),
        };
        (!text.is_empty()).then(|| Signature {
            maker,
            text: text.into(),
        })
    }

    /// A call's arguments as JSON text. Streams begin with an empty object, whatever follows.
    pub(super) fn arguments(&self) -> Box<str> {
        let object = self
            .input
            .filter(|input| input.kind == Kind::Object && !input.is_empty());
        let text = object.and_then(|input| std::str::from_utf8(input.text).ok());
        text.map_or_else(|| "{}".into(), |text| input::object(text).text().into())
    }

    pub(super) fn part(&self) -> Option<Part> {
        Some(match self.opening()? {
            Opening::Text => Part::Text(Text::new(self.text())),
            Opening::Refusal => Part::Refusal(self.text().into()),
            Opening::Thinking => Part::Thinking(Thinking {
                text: self.text().into(),
                signature: self.signature(),
            }),
            Opening::ToolCall { id, name } => Part::ToolCall(ToolCall {
                id,
                name,
                arguments: self.arguments(),
                signature: None,
                cache: None,
            }),
        })
    }
}
