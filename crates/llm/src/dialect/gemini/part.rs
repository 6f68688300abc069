//! Contents and parts as Gemini's dialect writes them, in requests and in answers alike.

use std::borrow::Cow;

use serde::Serialize;

use super::arguments;
use crate::chat::{Json, ToolCall};

#[derive(Debug, Serialize)]
pub(super) struct Content<'a> {
    pub(super) parts: Vec<WirePart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
}

/// One of the first members, and a signature where there is one.
#[derive(Debug, Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct WirePart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inline_data: Option<Blob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<FileData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_response: Option<FunctionResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought_signature: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    pub(super) mime_type: &'a str,
    pub(super) data: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<&'a str>,
    pub(super) file_uri: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct FunctionCall<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) args: Json,
}

#[derive(Debug, Serialize)]
pub(super) struct FunctionResponse<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) response: Json,
    /// Media that belong to the result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<WirePart<'a>>,
}

/// The parts of one speaker, with a signature that waits for the text it belongs to.
#[derive(Debug, Default)]
pub(super) struct Speech<'a> {
    parts: Vec<WirePart<'a>>,
    held: Option<Cow<'a, str>>,
}

impl<'a> WirePart<'a> {
    pub(super) fn text(text: &'a str, signature: Option<Cow<'a, str>>) -> Self {
        Self {
            text: Some(text),
            thought_signature: signature,
            ..Self::default()
        }
    }

    pub(super) fn thought(text: &'a str, signature: Option<Cow<'a, str>>) -> Self {
        Self {
            thought: Some(true),
            ..Self::text(text, signature)
        }
    }

    pub(super) fn call(call: &'a ToolCall, signature: Option<Cow<'a, str>>) -> Self {
        Self {
            function_call: Some(FunctionCall {
                id: &call.id,
                name: &call.name,
                args: arguments::object(&call.arguments),
            }),
            thought_signature: signature,
            ..Self::default()
        }
    }
}

impl<'a> Speech<'a> {
    /// Text takes the signature that waits for it.
    pub(super) fn text(&mut self, text: &'a str) {
        let signature = self.held.take();
        self.parts.push(WirePart::text(text, signature));
    }

    pub(super) fn hold(&mut self, signature: Cow<'a, str>) {
        self.release();
        self.held = Some(signature);
    }

    pub(super) fn push(&mut self, part: WirePart<'a>) {
        self.release();
        self.parts.push(part);
    }

    pub(super) fn into_parts(mut self) -> Vec<WirePart<'a>> {
        self.release();
        self.parts
    }

    /// No text came: as at the end of Google's own streams, the signature stands with an empty one.
    fn release(&mut self) {
        if let Some(signature) = self.held.take() {
            self.parts.push(WirePart::text("", Some(signature)));
        }
    }
}
