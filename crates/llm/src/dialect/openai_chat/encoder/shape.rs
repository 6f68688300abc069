//! The shape of one chunk.

use serde::Serialize;

use crate::dialect::openai_chat::details::Entry;
use crate::dialect::openai_chat::usage::Usage;

#[derive(Serialize)]
pub(super) struct Chunk<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: &'a [Choice<'a>],
    /// Absent when the caller did not ask for usage, null when there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
pub(super) struct Choice<'a> {
    pub(super) index: u8,
    pub(super) delta: Delta<'a>,
    pub(super) logprobs: Option<()>,
    pub(super) finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) native_finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
pub(super) struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_details: Option<[Entry<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<[ToolDelta<'a>; 1]>,
}

#[derive(Serialize)]
pub(super) struct ToolDelta<'a> {
    pub(super) index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(flatten)]
    pub(super) called: CalledDelta<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CalledDelta<'a> {
    Function(FunctionDelta<'a>),
    Custom(CustomDelta<'a>),
}

#[derive(Serialize)]
pub(super) struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct CustomDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) input: &'a str,
}

pub(super) fn tool_delta(call: ToolDelta<'_>) -> Delta<'_> {
    Delta {
        tool_calls: Some([call]),
        ..Delta::default()
    }
}

pub(super) fn more_arguments(index: usize, arguments: &str) -> ToolDelta<'_> {
    ToolDelta {
        index,
        id: None,
        kind: None,
        called: CalledDelta::Function(FunctionDelta { name: None, arguments }),
    }
}

pub(super) fn more_input(index: usize, input: &str) -> ToolDelta<'_> {
    ToolDelta {
        index,
        id: None,
        kind: None,
        called: CalledDelta::Custom(CustomDelta { name: None, input }),
    }
}
