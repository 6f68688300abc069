//! The functions that the model may call, and whether it has to.

use super::super::key::camel;
use super::super::schema;
use super::leave_out;
use crate::BadRequest;
use crate::chat::{Chat, Tool, ToolChoice};
use crate::dialect::read::Field;

pub(super) fn read(field: Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    field.elements(|tool| {
        tool.members(|key, member| match &*camel(key) {
            "functionDeclarations" => member.elements(|function| {
                let tool = read_function(function, chat)?;
                chat.tools.push(tool);
                Ok(())
            }),
            _ => Err(member.refuse(
                "is a tool on Google's servers, which this model cannot use; leave it out or ask a Gemini model",
            )),
        })
    })
}

fn read_function(field: Field<'_, '_>, chat: &mut Chat) -> Result<Tool, BadRequest> {
    let mut name = None;
    let mut description = None;
    let mut parameters = None;
    field.members(|key, member| {
        match &*camel(key) {
            "name" => name = Some(member.boxed()?),
            "description" => description = Some(member.boxed()?),
            "parameters" => parameters = Some(schema::read(member)?),
            "parametersJsonSchema" => parameters = Some(member.json()?),
            other => leave_out(chat, &format!("tools.functionDeclarations.{other}")),
        }
        Ok(())
    })?;
    Ok(Tool {
        name: name.ok_or_else(|| field.lacks("name"))?,
        description,
        parameters,
        strict: None,
        cache: None,
    })
}

pub(super) fn read_config(field: Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    field.members(|key, member| match &*camel(key) {
        "functionCallingConfig" => read_calling(member, chat),
        name => {
            leave_out(chat, &format!("toolConfig.{name}"));
            Ok(())
        }
    })
}

fn read_calling(field: Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    const PREFIX: &str = "toolConfig.functionCallingConfig";
    let mut allowed: Vec<Box<str>> = Vec::new();
    field.members(|key, member| {
        match &*camel(key) {
            "mode" => {
                chat.tool_choice = match member.text()?.to_ascii_uppercase().as_str() {
                    "AUTO" | "MODE_UNSPECIFIED" => ToolChoice::Auto,
                    "ANY" => ToolChoice::Required,
                    "NONE" => ToolChoice::None,
                    "VALIDATED" => {
                        leave_out(chat, &format!("{PREFIX}.mode"));
                        ToolChoice::Auto
                    }
                    _ => return Err(member.refuse("must be 'AUTO', 'ANY', 'NONE' or 'VALIDATED'")),
                };
            }
            "allowedFunctionNames" => member.elements(|name| {
                allowed.push(name.boxed()?);
                Ok(())
            })?,
            name => leave_out(chat, &format!("{PREFIX}.{name}")),
        }
        Ok(())
    })?;
    match (&chat.tool_choice, allowed.as_slice()) {
        (_, []) => {}
        (ToolChoice::Required, [only]) => chat.tool_choice = ToolChoice::Named(only.clone()),
        _ => leave_out(chat, &format!("{PREFIX}.allowedFunctionNames")),
    }
    Ok(())
}
