//! The blocks of a request.

use std::borrow::Cow;

use serde::Serialize;

use crate::chat::{CacheMark, Json, Maker, Text, Thinking};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheMark>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheMark>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheMark>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Json,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheMark>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheMark>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    Text { media_type: &'static str, data: &'a str },
    File { file_id: &'a str },
}

impl<'a> Block<'a> {
    /// `None` for a text without a visible character, which would be refused.
    pub(super) fn text(text: &'a Text) -> Option<Self> {
        Self::words(&text.text, text.cache)
    }

    pub(super) fn words(text: &'a str, cache_control: Option<CacheMark>) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self::Text { text, cache_control })
    }

    /// `None` for thinking that another maker signed, or nobody: it would be refused.
    pub(super) fn thinking(thinking: &'a Thinking) -> Option<Self> {
        let signature = thinking.signature.as_ref()?;
        match signature.maker {
            Maker::Anthropic => Some(Self::Thinking {
                thinking: &thinking.text,
                signature: &signature.text,
            }),
            Maker::AnthropicRedacted => Some(Self::RedactedThinking { data: &signature.text }),
            Maker::Gemini | Maker::Openai | Maker::Bedrock => None,
        }
    }
}
