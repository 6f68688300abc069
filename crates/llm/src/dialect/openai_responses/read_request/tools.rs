//! Reads the tools that are offered and which of them may be called. Tools that run at OpenAI are refused, but for
//! looking things up on the web: agents offer that with every request, and whoever cannot still has an answer.

use crate::BadRequest;
use crate::chat::{Chat, Freeform, Namespaced, Tool, ToolChoice, note};
use crate::dialect::freeform::{self, Grammar};
use crate::dialect::read::Field;
use crate::json::Kind;

pub(super) fn read_tools(field: &Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    field.elements(|tool| match tool.member_text("type").as_deref() {
        Some("namespace") => read_namespace(&tool, chat),
        Some("web_search") => {
            note(&mut chat.unheld, "tools.web_search");
            Ok(())
        }
        _ => {
            let (read, freeform) = read_tool(&tool, &mut chat.unheld)?;
            chat.tools.push(read);
            chat.freeform.extend(freeform);
            Ok(())
        }
    })
}

fn read_namespace(field: &Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    let namespace = field.member_text("name").ok_or_else(|| field.lacks("name"))?;
    field.members(|name, member| match name {
        "type" | "name" => Ok(()),
        "tools" => member.elements(|tool| {
            let (mut tool, freeform) = read_tool(&tool, &mut chat.unheld)?;
            let namespaced = Namespaced::new(namespace.as_ref().into(), tool.name);
            tool.name = namespaced.whole.clone();
            chat.freeform.extend(freeform.map(|freeform| Freeform {
                name: tool.name.clone(),
                ..freeform
            }));
            chat.namespaced.push(namespaced);
            chat.tools.push(tool);
            Ok(())
        }),
        // What it says of all of its tools.
        other => {
            note(&mut chat.unheld, &format!("tools.namespace.{other}"));
            Ok(())
        }
    })
}

/// The function and, where it stands for a tool that takes a text, that.
fn read_tool(field: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<(Tool, Option<Freeform>), BadRequest> {
    if field.kind() != Kind::Object {
        return Err(field.expected("an object"));
    }
    match &*field.member_text("type").ok_or_else(|| field.lacks("type"))? {
        "function" => Ok((read_function(field, unheld)?, None)),
        "custom" => {
            let (tool, freeform) = read_freeform(field, unheld)?;
            Ok((tool, Some(freeform)))
        }
        kind => Err(not_a_function(field, kind)),
    }
}

fn read_function(field: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<Tool, BadRequest> {
    let mut tool = Tool {
        name: "".into(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
    };
    field.members(|name, member| {
        match name {
            "name" => tool.name = member.boxed()?,
            "description" => tool.description = Some(member.boxed()?),
            "parameters" if member.kind() == Kind::Object => tool.parameters = Some(member.json()?),
            "parameters" => return Err(member.expected("an object")),
            "strict" => tool.strict = Some(member.flag()?),
            "type" => {}
            other => note(unheld, &format!("tools.{other}")),
        }
        Ok(())
    })?;
    if tool.name.is_empty() {
        return Err(field.lacks("name"));
    }
    Ok(tool)
}

fn read_freeform(field: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<(Tool, Freeform), BadRequest> {
    let (mut tool_name, mut description, mut format) = (None, None, None);
    let (mut syntax, mut definition) = (None, None);
    field.members(|name, member| {
        match name {
            "name" => tool_name = Some(member.boxed()?),
            "description" => description = Some(member.boxed()?),
            "format" => {
                format = Some(member.json()?);
                member.members(|name, member| {
                    match name {
                        "syntax" => syntax = Some(member.text()?),
                        "definition" => definition = Some(member.text()?),
                        _ => {}
                    }
                    Ok(())
                })?;
            }
            "type" => {}
            other => note(unheld, &format!("tools.{other}")),
        }
        Ok(())
    })?;
    let freeform = Freeform {
        name: tool_name
            .filter(|name| !name.is_empty())
            .ok_or_else(|| field.lacks("name"))?,
        description,
        format,
    };
    let grammar = definition.as_deref().map(|definition| Grammar {
        syntax: syntax.as_deref().unwrap_or("lark"),
        definition,
    });
    if grammar.is_some() {
        note(unheld, "tools.format");
    }
    Ok((freeform::function(&freeform, grammar), freeform))
}

fn not_a_function(field: &Field<'_, '_>, kind: &str) -> BadRequest {
    field.refuse(&format!(
        "is of type '{kind}', which only OpenAI's own models know; offer tools of type 'function' or 'custom' to this model"
    ))
}

pub(super) fn read_choice(field: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<ToolChoice, BadRequest> {
    if field.kind() == Kind::String {
        return read_mode(field);
    }
    if field.kind() != Kind::Object {
        return Err(field.expected("a string or an object"));
    }
    let kind = field.member_text("type").ok_or_else(|| field.lacks("type"))?;
    let (mut named, mut mode) = (None, ToolChoice::Auto);
    field.members(|name, member| {
        match name {
            "name" => named = Some(member.boxed()?),
            "mode" => mode = read_mode(&member)?,
            _ => {}
        }
        Ok(())
    })?;
    match &*kind {
        "function" | "custom" => named.map(ToolChoice::Named).ok_or_else(|| field.lacks("name")),
        "allowed_tools" => {
            note(unheld, "tool_choice.allowed_tools");
            Ok(mode)
        }
        other => Err(not_a_function(field, other)),
    }
}

fn read_mode(field: &Field<'_, '_>) -> Result<ToolChoice, BadRequest> {
    match &*field.text()? {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        _ => Err(field.refuse("must be auto, none or required, or an object that names a function")),
    }
}
