//! Tools and which of them is to be used.

use std::borrow::Cow;

use serde::Serialize;

use crate::chat::{CacheMark, Chat, Json, Tool, ToolChoice};

/// What a function without parameters has.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

#[derive(Serialize)]
pub(super) struct Written<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: Cow<'a, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheMark>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Choice<'a> {
    Auto {
        #[serde(skip_serializing_if = "Option::is_none")]
        disable_parallel_tool_use: Option<bool>,
    },
    Any {
        #[serde(skip_serializing_if = "Option::is_none")]
        disable_parallel_tool_use: Option<bool>,
    },
    Tool {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        disable_parallel_tool_use: Option<bool>,
    },
    None,
}

pub(super) fn write(chat: &Chat) -> Vec<Written<'_>> {
    chat.tools.iter().map(Written::of).collect()
}

/// A choice among no tools would be refused, and the usual one need not be said.
pub(super) fn choice(chat: &Chat) -> Option<Choice<'_>> {
    if chat.tools.is_empty() {
        return None;
    }
    let disable_parallel_tool_use = chat.parallel_tools.map(|parallel| !parallel);
    match &chat.tool_choice {
        ToolChoice::Auto => disable_parallel_tool_use.map(|_| Choice::Auto {
            disable_parallel_tool_use,
        }),
        ToolChoice::None => Some(Choice::None),
        ToolChoice::Required => Some(Choice::Any {
            disable_parallel_tool_use,
        }),
        ToolChoice::Named(name) => Some(Choice::Tool {
            name,
            disable_parallel_tool_use,
        }),
    }
}

impl<'a> Written<'a> {
    fn of(tool: &'a Tool) -> Self {
        Self {
            name: &tool.name,
            description: tool.description.as_deref(),
            input_schema: schema(tool.parameters.as_ref()),
            strict: tool.strict,
            cache_control: tool.cache,
        }
    }
}

/// Anthropic insists on an object's schema.
fn schema(parameters: Option<&Json>) -> Cow<'_, Json> {
    match parameters {
        Some(parameters) if parameters.text() != "{}" => Cow::Borrowed(parameters),
        Some(_) | None => Cow::Owned(Json::parse(NO_PARAMETERS).expect("it is JSON")),
    }
}
