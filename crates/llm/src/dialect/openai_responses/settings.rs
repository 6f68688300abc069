//! The members that a request and its response share: what was asked for, and what an answer repeats of it.

use serde::Serialize;

use crate::chat::{Amount, Chat, Effort, Format, Json, Text, Tool, ToolChoice};

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WrittenTool<'a> {
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: Parameters<'a>,
        strict: bool,
    },
    Custom {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<&'a Json>,
    },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Parameters<'a> {
    Told(&'a Json),
    None(NoParameters),
}

#[derive(Debug, Serialize)]
pub(super) struct NoParameters {
    #[serde(rename = "type")]
    kind: &'static str,
    properties: Empty,
}

/// `{}`.
#[derive(Debug, Serialize)]
pub(super) struct Empty {}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum WrittenChoice<'a> {
    Mode(&'static str),
    Named {
        #[serde(rename = "type")]
        kind: &'static str,
        name: &'a str,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WrittenFormat<'a> {
    Text,
    JsonObject,
    JsonSchema {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        schema: &'a Json,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

impl<'a> WrittenTool<'a> {
    pub(super) fn of(tool: &'a Tool) -> Self {
        Self::Function {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: tool.parameters.as_ref().map_or(
                Parameters::None(NoParameters {
                    kind: "object",
                    properties: Empty {},
                }),
                Parameters::Told,
            ),
            // Left out, it would be true here: in other dialects it is false, and a schema need not be fit for it.
            strict: tool.strict.unwrap_or(false),
        }
    }

    /// As the caller has it.
    pub(super) fn repeated(tool: &'a Tool, asked: &'a Chat) -> Self {
        match asked.freeform(&tool.name) {
            None => Self::of(tool),
            Some(freeform) => Self::Custom {
                name: &freeform.name,
                description: freeform.description.as_deref(),
                format: freeform.format.as_ref(),
            },
        }
    }
}

impl<'a> WrittenChoice<'a> {
    pub(super) fn of(choice: &'a ToolChoice) -> Self {
        match choice {
            ToolChoice::Auto => Self::Mode("auto"),
            ToolChoice::None => Self::Mode("none"),
            ToolChoice::Required => Self::Mode("required"),
            ToolChoice::Named(name) => Self::Named { kind: "function", name },
        }
    }

    /// As the caller has it.
    pub(super) fn repeated(asked: &'a Chat) -> Self {
        match &asked.tool_choice {
            ToolChoice::Named(name) if asked.freeform(name).is_some() => Self::Named { kind: "custom", name },
            choice => Self::of(choice),
        }
    }
}

impl<'a> WrittenFormat<'a> {
    pub(super) fn of(format: &'a Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::JsonObject,
            Format::Schema(schema) => Self::JsonSchema {
                name: &schema.name,
                description: schema.description.as_deref(),
                schema: &schema.schema,
                strict: schema.strict,
            },
        }
    }
}

/// System and developer messages as one text.
pub(super) fn instructions(chat: &Chat) -> Option<String> {
    let texts: Vec<&str> = chat.instructions.iter().map(|Text { text, .. }| &**text).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// `reasoning.effort`; absent when it is left to the model.
pub(super) fn effort(amount: Amount) -> Option<&'static str> {
    match amount {
        Amount::Off => Some("none"),
        Amount::Adaptive => None,
        Amount::Effort(effort) => Some(effort.as_str()),
        Amount::Budget(tokens) => Some(Effort::covering(tokens).as_str()),
    }
}
