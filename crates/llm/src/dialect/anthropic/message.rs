//! A message as callers get it, whole or as the beginning of a stream.

use std::borrow::Cow;

use serde::Serialize;

use super::usage::Usage;
use crate::chat::{Json, Maker, Signature};
use crate::dialect::ReplyFacts;

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<Block<'a>>,
    pub(super) stop_reason: Option<&'a str>,
    pub(super) stop_sequence: Option<&'a str>,
    pub(super) usage: Usage,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text { text: &'a str },
    Thinking { thinking: &'a str, signature: Cow<'a, str> },
    RedactedThinking { data: &'a str },
    ToolUse { id: &'a str, name: &'a str, input: Json },
}

impl<'a> Message<'a> {
    pub(super) fn new(id: &'a str, model: &'a str, usage: Usage) -> Self {
        Self {
            id,
            kind: "message",
            role: "assistant",
            model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage,
        }
    }
}

impl<'a> Block<'a> {
    pub(super) fn thinking(text: &'a str, signature: Option<&'a Signature>) -> Self {
        match signature {
            Some(sealed) if sealed.maker == Maker::AnthropicRedacted && text.is_empty() => {
                Self::RedactedThinking { data: &sealed.text }
            }
            signed => Self::Thinking {
                thinking: text,
                signature: signed
                    .map(|signature| signature.tagged(Maker::Anthropic))
                    .unwrap_or_default(),
            },
        }
    }
}

/// For answers whose provider gave no identifier.
pub(super) fn id_of(reply: &ReplyFacts<'_>) -> String {
    format!("msg_{}", reply.request_id)
}
