//! One part of a content: exactly one kind of data, and what is said about it.

use super::super::key::camel;
use super::super::{arguments, signature, tool_response};
use super::{leave_out, media};
use crate::BadRequest;
use crate::chat::{Chat, Media, Part, Signature};
use crate::dialect::read::Field;
use crate::json::Kind;

#[derive(Debug, Default)]
pub(super) struct ReadPart {
    pub(super) data: Option<Data>,
    pub(super) thought: bool,
    pub(super) signature: Option<Signature>,
}

#[derive(Debug)]
pub(super) enum Data {
    Text(Box<str>),
    Media(Media),
    Call(FunctionCall),
    Response(FunctionResponse),
}

#[derive(Debug, Default)]
pub(super) struct FunctionCall {
    pub(super) id: Option<Box<str>>,
    pub(super) name: Box<str>,
    pub(super) arguments: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct FunctionResponse {
    pub(super) id: Option<Box<str>>,
    pub(super) name: Box<str>,
    pub(super) parts: Vec<Part>,
    pub(super) failed: bool,
}

pub(super) fn read(field: Field<'_, '_>, chat: &mut Chat) -> Result<ReadPart, BadRequest> {
    let mut part = ReadPart::default();
    field.members(|key, member| {
        let data = match &*camel(key) {
            "text" => Data::Text(member.boxed()?),
            "inlineData" => Data::Media(media::read_inline(member)?),
            "fileData" => Data::Media(media::read_file(member)?),
            "functionCall" => Data::Call(read_call(member, chat)?),
            "functionResponse" => Data::Response(read_response(member, chat)?),
            "thought" => {
                part.thought = member.flag()?;
                return Ok(());
            }
            "thoughtSignature" => {
                part.signature = Some(signature::read(&member.text()?));
                return Ok(());
            }
            "executableCode" | "codeExecutionResult" | "toolCall" | "toolResponse" => {
                return Err(member.refuse("belongs to a tool on Google's servers; leave such parts out"));
            }
            name => {
                leave_out(chat, &format!("contents.parts.{name}"));
                return Ok(());
            }
        };
        if part.data.replace(data).is_some() {
            return Err(field.refuse("holds more than one kind of data; make a part of each"));
        }
        Ok(())
    })?;
    if part.data.is_none() && part.signature.is_none() {
        return Err(field.refuse("holds no data; give it 'text', 'inlineData' or another kind"));
    }
    Ok(part)
}

fn read_call(field: Field<'_, '_>, chat: &mut Chat) -> Result<FunctionCall, BadRequest> {
    let mut call = FunctionCall {
        arguments: "{}".into(),
        ..FunctionCall::default()
    };
    field.members(|key, member| {
        match &*camel(key) {
            "id" => call.id = Some(member.boxed()?).filter(|id| !id.is_empty()),
            "name" => call.name = member.boxed()?,
            "args" if member.kind() == Kind::Object => {
                call.arguments = arguments::compact(member.json()?.text()).into();
            }
            "args" => return Err(member.expected("an object")),
            name => leave_out(chat, &format!("contents.parts.functionCall.{name}")),
        }
        Ok(())
    })?;
    if call.name.is_empty() {
        return Err(field.lacks("name"));
    }
    Ok(call)
}

fn read_response(field: Field<'_, '_>, chat: &mut Chat) -> Result<FunctionResponse, BadRequest> {
    let mut response = FunctionResponse::default();
    let mut said = String::new();
    field.members(|key, member| {
        match &*camel(key) {
            "id" => response.id = Some(member.boxed()?).filter(|id| !id.is_empty()),
            "name" => response.name = member.boxed()?,
            "response" if member.kind() == Kind::Object => {
                (said, response.failed) = tool_response::read(member.json()?.text());
            }
            "response" => return Err(member.expected("an object")),
            "parts" => member.elements(|part| {
                let kind = "must hold 'inlineData' or 'fileData'";
                match read(part, chat)?.data {
                    Some(Data::Media(media)) => response.parts.push(Part::Media(media)),
                    Some(Data::Text(_) | Data::Call(_) | Data::Response(_)) | None => return Err(part.refuse(kind)),
                }
                Ok(())
            })?,
            name => leave_out(chat, &format!("contents.parts.functionResponse.{name}")),
        }
        Ok(())
    })?;
    if response.name.is_empty() {
        return Err(field.lacks("name"));
    }
    if !said.is_empty() {
        response.parts.insert(0, Part::text(said));
    }
    Ok(response)
}
