//! The tools a model may call, and the names Bedrock allows for tools and calls.

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{CachePoint, is_blank};
use crate::chat::{Chat, Json, Part, Tool, ToolChoice};
use crate::dialect::bedrock::family::Family;
use crate::dialect::{Dropped, Unsupported};

/// Bytes of the longest name or identifier.
const LONGEST: usize = 64;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    tools: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Entry<'a> {
    ToolSpec(ToolSpec<'a>),
    CachePoint(CachePoint),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolSpec<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: InputSchema<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
struct InputSchema<'a> {
    json: Parameters<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Parameters<'a> {
    Given(&'a Json),
    None(NoParameters),
}

#[derive(Serialize)]
struct NoParameters {
    #[serde(rename = "type")]
    kind: &'static str,
    properties: Empty,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Choice<'a> {
    Any(Empty),
    Tool { name: &'a str },
}

pub(super) fn write<'a>(
    chat: &'a Chat,
    family: Family,
    dropped: &mut Dropped,
) -> Result<Option<ToolConfig<'a>>, Unsupported> {
    let called = called_tools(chat);
    let is_needed = has_tool_blocks(chat);
    let is_unwanted = chat.tool_choice == ToolChoice::None;
    // Bedrock cannot be told to call none of the tools; but it insists on tools when the conversation has calls.
    dropped.add_if(is_unwanted && is_needed, "tool_choice");
    dropped.add_if(is_unwanted && !is_needed && !chat.tools.is_empty(), "tools");
    let mut tools = Vec::new();
    if !is_unwanted || is_needed {
        for tool in &chat.tools {
            tools.push(Entry::ToolSpec(spec(tool, family, dropped)?));
            tools.extend(cache_point(tool, family, dropped).map(Entry::CachePoint));
        }
    }
    if tools.is_empty() && is_needed {
        let specs = called.into_iter().map(|name| Ok(Entry::ToolSpec(bare(name)?)));
        tools = specs.collect::<Result<_, _>>()?;
    }
    if tools.is_empty() {
        return Ok(None);
    }
    let tool_choice = match &chat.tool_choice {
        _ if chat.tools.is_empty() => None,
        ToolChoice::Auto | ToolChoice::None => None,
        ToolChoice::Required => Some(Choice::Any(Empty {})),
        ToolChoice::Named(name) => Some(Choice::Tool { name }),
    };
    Ok(Some(ToolConfig { tools, tool_choice }))
}

fn spec<'a>(tool: &'a Tool, family: Family, dropped: &mut Dropped) -> Result<ToolSpec<'a>, Unsupported> {
    let strict = tool.strict.filter(|strict| *strict);
    dropped.add_if(strict.is_some() && !family.keeps_to_schemas(), "tools.strict");
    Ok(ToolSpec {
        description: tool.description.as_deref().filter(|text| !is_blank(text)),
        input_schema: InputSchema {
            json: tool.parameters.as_ref().map_or(NO_PARAMETERS, Parameters::Given),
        },
        strict: strict.filter(|_| family.keeps_to_schemas()),
        ..bare(&tool.name)?
    })
}

const NO_PARAMETERS: Parameters<'_> = Parameters::None(NoParameters {
    kind: "object",
    properties: Empty {},
});

fn bare(name: &str) -> Result<ToolSpec<'_>, Unsupported> {
    Ok(ToolSpec {
        name: checked_name(name)?,
        description: None,
        input_schema: InputSchema { json: NO_PARAMETERS },
        strict: None,
    })
}

fn cache_point(tool: &Tool, family: Family, dropped: &mut Dropped) -> Option<CachePoint> {
    if tool.cache.is_some() && !family.takes_cache_points_after_tools() {
        dropped.add("cache_control");
        return None;
    }
    CachePoint::of(tool.cache, family, dropped)
}

/// The names of the tools that were called so far, once each.
fn called_tools(chat: &Chat) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for part in chat.turns.iter().flat_map(|turn| &turn.parts) {
        let name = match part {
            Part::ToolCall(call) => &*call.name,
            Part::Text(_) | Part::Media(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn has_tool_blocks(chat: &Chat) -> bool {
    let mut parts = chat.turns.iter().flat_map(|turn| &turn.parts);
    parts.any(|part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_)))
}

/// A tool's name cannot be changed on the way: it would come back changed in the answer.
pub(super) fn checked_name(name: &str) -> Result<&str, Unsupported> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > LONGEST || !name.bytes().all(is_allowed) {
        return Err(Unsupported::new(
            "tools",
            format!(
                "this model's provider takes tool names of 1 to 64 letters, digits, '_' and '-'; '{name}' is not such a name"
            ),
        ));
    }
    Ok(name)
}

/// A call's identifier as Bedrock takes it: others are replaced, each always by the same.
pub(super) fn call_id(id: &str) -> Cow<'_, str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-');
    if !id.is_empty() && id.len() <= LONGEST && id.bytes().all(is_allowed) {
        return Cow::Borrowed(id);
    }
    let digest = hex::encode(Sha256::digest(id));
    Cow::Owned(format!("call_{}", digest.get(..32).unwrap_or(&digest)))
}
