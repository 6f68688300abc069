//! The items of an output as callers get them.

use serde::Serialize;

use super::ids::item_id;
use crate::chat::{Chat, Maker, Signature};

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item {
    Message {
        id: String,
        status: Status,
        role: &'static str,
        content: Vec<Content>,
    },
    Reasoning {
        id: String,
        summary: Vec<Summary>,
        /// What has to come back with the next request: the thinking's signature, or that of the call beside.
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<String>,
    },
    FunctionCall {
        id: String,
        status: Status,
        call_id: Box<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<Box<str>>,
        name: Box<str>,
        arguments: String,
    },
    CustomToolCall {
        id: String,
        status: Status,
        call_id: Box<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<Box<str>>,
        name: Box<str>,
        input: String,
    },
}

/// A call, and its function by the names that the caller has for it.
#[derive(Debug, Clone)]
pub(super) struct Called {
    call_id: Box<str>,
    namespace: Option<Box<str>>,
    pub(super) name: Box<str>,
    /// It takes a text and not JSON.
    pub(super) is_freeform: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
}

/// A piece of a message.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content {
    OutputText {
        annotations: [(); 0],
        logprobs: [(); 0],
        text: String,
    },
    Refusal {
        refusal: String,
    },
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Summary {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
}

impl Item {
    pub(super) fn message(response_id: &str, index: usize, status: Status, content: Vec<Content>) -> Self {
        Self::Message {
            id: item_id("msg", response_id, index),
            status,
            role: "assistant",
            content,
        }
    }

    pub(super) fn reasoning(response_id: &str, index: usize, text: String, signature: Option<&Signature>) -> Self {
        let summary = if text.is_empty() {
            Vec::new()
        } else {
            vec![Summary::new(text)]
        };
        Self::Reasoning {
            id: item_id("rs", response_id, index),
            summary,
            encrypted_content: signature.map(|signature| signature.tagged(Maker::Openai).into_owned()),
        }
    }

    /// `given` is what it is called with, as the caller knows it.
    pub(super) fn call(response_id: &str, index: usize, status: Status, called: Called, given: String) -> Self {
        let Called {
            call_id,
            namespace,
            name,
            is_freeform,
        } = called;
        match is_freeform {
            true => Self::CustomToolCall {
                id: item_id("ctc", response_id, index),
                status,
                call_id,
                namespace,
                name,
                input: given,
            },
            false => Self::FunctionCall {
                id: item_id("fc", response_id, index),
                status,
                call_id,
                namespace,
                name,
                arguments: given,
            },
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Message { id, .. }
            | Self::Reasoning { id, .. }
            | Self::FunctionCall { id, .. }
            | Self::CustomToolCall { id, .. } => id,
        }
    }
}

impl Called {
    pub(super) fn of(call_id: &str, name: &str, asked: &Chat) -> Self {
        let namespaced = asked.namespaced.iter().find(|tool| &*tool.whole == name);
        Self {
            call_id: call_id.into(),
            namespace: namespaced.map(|tool| tool.namespace.clone()),
            name: namespaced.map_or_else(|| name.into(), |tool| tool.name.clone()),
            is_freeform: asked.freeform(name).is_some(),
        }
    }
}

impl Content {
    pub(super) fn text(text: String) -> Self {
        Self::OutputText {
            annotations: [],
            logprobs: [],
            text,
        }
    }
}

impl Summary {
    pub(super) fn new(text: String) -> Self {
        Self {
            kind: "summary_text",
            text,
        }
    }
}
