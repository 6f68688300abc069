//! Tools and which of them is to be used.

use super::{Unheld, read_cache_mark};
use crate::BadRequest;
use crate::chat::{Chat, Tool, ToolChoice};
use crate::dialect::read::Field;
use crate::json::Kind;

pub(super) fn read(field: Field<'_, '_>, unheld: &mut Unheld) -> Result<Vec<Tool>, BadRequest> {
    let mut tools = Vec::new();
    field.elements(|tool| {
        tools.push(read_tool(tool, unheld)?);
        Ok(())
    })?;
    Ok(tools)
}

fn read_tool(tool: Field<'_, '_>, unheld: &mut Unheld) -> Result<Tool, BadRequest> {
    let (mut name, mut description, mut parameters, mut strict, mut cache) = (None, None, None, None, None);
    if let Some(kind) = tool.member_text("type").filter(|kind| kind != "custom") {
        return Err(tool.refuse(&format!(
            "is of type '{kind}', which only Anthropic's own service understands; offer a tool of type 'custom'"
        )));
    }
    tool.members(|key, field| {
        match key {
            "type" => {}
            "name" => name = Some(field.boxed()?),
            "description" => description = Some(field.boxed()?),
            "input_schema" if field.kind() == Kind::Object => parameters = Some(field.json()?),
            "input_schema" => return Err(field.expected("an object")),
            "strict" => strict = Some(field.flag()?),
            "cache_control" => cache = Some(read_cache_mark(field)?),
            other => unheld.note("tools", other),
        }
        Ok(())
    })?;
    Ok(Tool {
        name: name.ok_or_else(|| tool.lacks("name"))?,
        description,
        parameters: Some(parameters.ok_or_else(|| tool.lacks("input_schema"))?),
        strict,
        cache,
    })
}

pub(super) fn read_choice(field: Field<'_, '_>, chat: &mut Chat, unheld: &mut Unheld) -> Result<(), BadRequest> {
    let mut name = None;
    let mut one_at_a_time = None;
    field.members(|key, value| {
        match key {
            "type" => {}
            "name" => name = Some(value.boxed()?),
            "disable_parallel_tool_use" => one_at_a_time = Some(value.flag()?),
            other => unheld.note("tool_choice", other),
        }
        Ok(())
    })?;
    chat.tool_choice = match field.member_text("type").as_deref() {
        Some("auto") => ToolChoice::Auto,
        Some("any") => ToolChoice::Required,
        Some("none") => ToolChoice::None,
        Some("tool") => ToolChoice::Named(name.ok_or_else(|| field.lacks("name"))?),
        Some(other) => {
            return Err(field.refuse(&format!(
                "is of type '{other}', which is not known; use 'auto', 'any', 'tool' or 'none'"
            )));
        }
        None => return Err(field.lacks("type")),
    };
    chat.parallel_tools = one_at_a_time.map(|one| !one);
    Ok(())
}
