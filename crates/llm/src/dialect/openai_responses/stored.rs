//! Conversations that a request only points to: `previous_response_id` and `conversation` mean something where the
//! responses are stored, which is the proxy's business. Here is what it needs of the dialect for that.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{ids, output, read_request};
use crate::BadRequest;
use crate::chat::{Chat, Json};
use crate::dialect::read::{self, Field};
use crate::json::Kind;

/// What a request says about storing, apart from what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The response that this one continues.
    pub previous: Option<Box<str>>,
    /// The conversation that this response is added to.
    pub conversation: Option<Box<str>>,
    /// Whether the response may be continued later: yes, unless the caller says no.
    pub store: bool,
    /// The provider answers before it has the response, which is asked for later.
    pub background: bool,
}

/// Reads what the request points to and leaves the rest of it unchecked but for its syntax.
pub fn links(body: &[u8]) -> Result<Links, BadRequest> {
    let mut links = Links {
        previous: None,
        conversation: None,
        store: true,
        background: false,
    };
    read::document(body, |name, field| {
        match name {
            "previous_response_id" => links.previous = Some(field.boxed()?),
            "conversation" => links.conversation = Some(conversation_id(&field)?),
            "store" => links.store = field.flag()?,
            "background" => links.background = field.flag()?,
            _ => {}
        }
        Ok(())
    })?;
    if links.previous.is_some() && links.conversation.is_some() {
        return Err(BadRequest::at(
            "previous_response_id",
            "'previous_response_id' and 'conversation' are both given; give one of them",
        ));
    }
    Ok(links)
}

/// The identifier of the response to a request.
pub fn response_id(request_id: &str) -> String {
    ids::response_id(request_id)
}

/// The response that an item belongs to, as its identifier tells: of items that were named here.
pub fn response_of(item_id: &str) -> Option<String> {
    ids::response_of(item_id)
}

/// The identifier of an item that is only named.
pub(crate) fn reference_of<'a>(item: &crate::json::Value<'a>) -> Option<Cow<'a, str>> {
    let kind = output::text(item, "type")?;
    output::text(item, "id").filter(|_| kind == "item_reference")
}

/// The identifier that an item has, whoever gave it.
pub fn item_id_of(item: &Json) -> Option<Box<str>> {
    let item = output::object(item.text().as_bytes()).ok()?;
    output::text(&item, "id").map(Into::into)
}

/// The identifier that a whole response has, whoever gave it.
pub fn id_of(response: &[u8]) -> Option<Box<str>> {
    let response = output::object(response).ok()?;
    output::text(&response, "id").map(Into::into)
}

/// Whether nothing about a whole response will change any more.
pub fn is_over(response: &[u8]) -> bool {
    let response = output::object(response).ok();
    let status = response.as_ref().and_then(|response| output::text(response, "status"));
    matches!(
        status.as_deref(),
        Some("completed" | "incomplete" | "failed" | "cancelled")
    )
}

/// The output of a whole response, item by item, as it can be put in front of a later request's input.
pub fn output_items(response: &[u8]) -> Vec<Json> {
    let response = output::object(response).ok();
    let items = response
        .iter()
        .flat_map(|response| output::elements(response, "output"));
    let texts = items.filter_map(|item| std::str::from_utf8(item.text).ok());
    texts.filter_map(Json::parse).collect()
}

/// The input of a request, item by item: in the long form, and each with an identifier, as callers may list it later.
pub fn input_items(body: &[u8], response_id: &str) -> Result<Vec<Json>, BadRequest> {
    let mut items = Vec::new();
    read::document(body, |name, field| match name {
        "input" if field.kind() == Kind::Array => field.elements(|item| {
            let told = serde_json::from_slice(item.raw()).map_err(|_| item.refuse("cannot be stored"))?;
            items.push(listed_item(told, response_id, items.len()));
            Ok(())
        }),
        "input" => {
            let message = json!({"role": "user", "content": &*field.text()?});
            items.push(listed_item(message, response_id, 0));
            Ok(())
        }
        _ => Ok(()),
    })?;
    Ok(items)
}

/// Reads a request that has the earlier conversation at the head of its input already. Instructions are not part of it:
/// each request gives its own.
pub(crate) fn read_continued(body: &[u8]) -> Result<Chat, BadRequest> {
    read_request::read_continued(body)
}

fn listed_item(mut item: Value, response_id: &str, index: usize) -> Json {
    if let Value::Object(members) = &mut item {
        if !members.contains_key("type") && members.contains_key("role") {
            members.insert("type".to_owned(), "message".into());
        }
        let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
        let (prefix, has_status) = match kind {
            "message" => ("msg", true),
            "function_call" => ("fc", true),
            "function_call_output" => ("fco", true),
            "custom_tool_call" => ("ctc", true),
            "custom_tool_call_output" => ("ctco", true),
            "reasoning" => ("rs", false),
            _ => ("item", false),
        };
        if !members.get("id").is_some_and(Value::is_string) {
            members.insert("id".to_owned(), ids::input_item_id(prefix, response_id, index).into());
        }
        if has_status {
            members.entry("status").or_insert_with(|| "completed".into());
        }
        let is_answer = members.get("role").and_then(Value::as_str) == Some("assistant");
        if let Some(content) = members.get_mut("content").filter(|content| content.is_string()) {
            let text = content.take();
            *content = match is_answer {
                true => json!([{"type": "output_text", "text": text, "annotations": []}]),
                false => json!([{"type": "input_text", "text": text}]),
            };
        }
    }
    Json::parse(&item.to_string()).expect("what was read as JSON is JSON again")
}

fn conversation_id(field: &Field<'_, '_>) -> Result<Box<str>, BadRequest> {
    if field.kind() == Kind::String {
        return field.boxed();
    }
    let mut id = None;
    field.members(|name, member| {
        if name == "id" {
            id = Some(member.boxed()?);
        }
        Ok(())
    })?;
    id.ok_or_else(|| field.lacks("id"))
}
