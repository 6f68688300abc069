//! Reads the tools a request offers and which of them it wants called.

use super::content::read_cache_mark;
use super::leave;
use crate::BadRequest;
use crate::chat::{Chat, Freeform, Tool, ToolChoice};
use crate::dialect::freeform::{self, Grammar};
use crate::dialect::read::Field;
use crate::json::Kind;

/// Which tools are to be called, as far as that can be said before all tools are known.
#[derive(Default)]
pub(super) struct Choice {
    choice: ToolChoice,
    /// Only these of the tools offered.
    allowed: Option<Vec<Box<str>>>,
}

pub(super) fn read(chat: &mut Chat, tools: &Field<'_, '_>) -> Result<(), BadRequest> {
    tools.elements(|tool| {
        let kind = tool.member_text("type").ok_or_else(|| tool.lacks("type"))?;
        if !matches!(&*kind, "function" | "custom") {
            return Err(tool.refuse(&format!(
                "is a tool of type '{kind}', which the model you named does not have; offer tools of type 'function' or \
                 'custom'"
            )));
        }
        let mut read = None;
        let mut cache = None;
        tool.members(|name, member| {
            match name {
                "type" => {}
                "custom" if kind == name => read = Some(read_freeform(chat, &member)?),
                "function" if kind == name => read = Some(read_function(chat, &member)?),
                "cache_control" => cache = Some(read_cache_mark(&member)?),
                other => leave(chat, format!("tools.{other}")),
            }
            Ok(())
        })?;
        let read = read.ok_or_else(|| tool.lacks(&kind))?;
        chat.tools.push(Tool { cache, ..read });
        Ok(())
    })
}

fn read_function(chat: &mut Chat, function: &Field<'_, '_>) -> Result<Tool, BadRequest> {
    let (mut tool_name, mut description, mut parameters, mut strict) = (None, None, None, None);
    function.members(|name, member| {
        match name {
            "name" => tool_name = Some(member.boxed()?),
            "description" => description = Some(member.boxed()?),
            "parameters" if member.kind() == Kind::Object => parameters = Some(member.json()?),
            "parameters" => return Err(member.expected("an object")),
            "strict" => strict = Some(member.flag()?),
            other => leave(chat, format!("tools.function.{other}")),
        }
        Ok(())
    })?;
    Ok(Tool {
        name: tool_name.ok_or_else(|| function.lacks("name"))?,
        description,
        parameters,
        strict,
        cache: None,
    })
}

/// The function that stands for it.
fn read_freeform(chat: &mut Chat, custom: &Field<'_, '_>) -> Result<Tool, BadRequest> {
    let (mut tool_name, mut description, mut format) = (None, None, None);
    let (mut syntax, mut definition) = (None, None);
    custom.members(|name, member| {
        match name {
            "name" => tool_name = Some(member.boxed()?),
            "description" => description = Some(member.boxed()?),
            "format" => {
                format = Some(member.json()?);
                member.members(|name, grammar| match name {
                    "grammar" => grammar.members(|name, member| {
                        match name {
                            "syntax" => syntax = Some(member.text()?),
                            "definition" => definition = Some(member.text()?),
                            _ => {}
                        }
                        Ok(())
                    }),
                    _ => Ok(()),
                })?;
            }
            other => leave(chat, format!("tools.custom.{other}")),
        }
        Ok(())
    })?;
    let freeform = Freeform {
        name: tool_name.ok_or_else(|| custom.lacks("name"))?,
        description,
        format,
    };
    let grammar = definition.as_deref().map(|definition| Grammar {
        syntax: syntax.as_deref().unwrap_or("lark"),
        definition,
    });
    if grammar.is_some() {
        leave(chat, "tools.custom.format");
    }
    let function = freeform::function(&freeform, grammar);
    chat.freeform.push(freeform);
    Ok(function)
}

impl Choice {
    pub(super) fn read(choice: &Field<'_, '_>) -> Result<Self, BadRequest> {
        let of = |choice| Self { choice, allowed: None };
        if choice.kind() == Kind::String {
            return match &*choice.text()? {
                "auto" => Ok(of(ToolChoice::Auto)),
                "none" => Ok(of(ToolChoice::None)),
                // `any` is Mistral's word for it.
                "required" | "any" => Ok(of(ToolChoice::Required)),
                _ => Err(choice.refuse("must be 'auto', 'none', 'required' or an object that names a function")),
            };
        }
        if choice.kind() != Kind::Object {
            return Err(choice.expected("a string or an object"));
        }
        match choice.member_text("type").as_deref() {
            Some("function" | "custom") => Ok(of(ToolChoice::Named(name_of(choice)?))),
            Some("allowed_tools") => read_allowed(choice),
            Some(_) => Err(choice.refuse("is of an unknown 'type'; use 'function', 'custom' or 'allowed_tools'")),
            None => Err(choice.lacks("type")),
        }
    }

    pub(super) fn finish(self, chat: &mut Chat) -> Result<(), BadRequest> {
        chat.tool_choice = self.choice;
        let Some(allowed) = self.allowed else {
            return Ok(());
        };
        if let Some(unknown) = allowed
            .iter()
            .find(|name| chat.tools.iter().all(|tool| tool.name != **name))
        {
            return Err(BadRequest::at(
                "tool_choice",
                format!("'tool_choice' allows '{unknown}', which is not in 'tools'"),
            ));
        }
        chat.tools.retain(|tool| allowed.contains(&tool.name));
        Ok(())
    }
}

fn read_allowed(choice: &Field<'_, '_>) -> Result<Choice, BadRequest> {
    let mut read = None;
    choice.members(|name, member| {
        if name == "allowed_tools" {
            read = Some(read_allowed_tools(&member)?);
        }
        Ok(())
    })?;
    read.ok_or_else(|| choice.lacks("allowed_tools"))
}

fn read_allowed_tools(allowed: &Field<'_, '_>) -> Result<Choice, BadRequest> {
    let mut choice = ToolChoice::Auto;
    let mut names = Vec::new();
    allowed.members(|name, member| {
        match name {
            "mode" => {
                choice = match &*member.text()? {
                    "auto" => ToolChoice::Auto,
                    "required" => ToolChoice::Required,
                    _ => return Err(member.refuse("must be 'auto' or 'required'")),
                };
            }
            "tools" => member.elements(|tool| {
                names.push(name_of(&tool)?);
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(Choice {
        choice,
        allowed: Some(names),
    })
}

/// The name in `{"type":"function","function":{"name":…}}`, or in the same of a custom tool.
fn name_of(described: &Field<'_, '_>) -> Result<Box<str>, BadRequest> {
    let mut found = None;
    described.members(|name, function| {
        if matches!(name, "function" | "custom") {
            let mut inner = None;
            function.members(|name, member| {
                if name == "name" {
                    inner = Some(member.boxed()?);
                }
                Ok(())
            })?;
            found = Some(inner.ok_or_else(|| function.lacks("name"))?);
        }
        Ok(())
    })?;
    let kind = described.member_text("type");
    found.ok_or_else(|| described.lacks(kind.as_deref().unwrap_or("function")))
}
