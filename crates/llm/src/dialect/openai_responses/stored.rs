//! Conversations that a request only points to: `previous_response_id` and `conversation` mean something where the
//! responses are stored, which is the proxy's business. Here is what it needs of the dialect for that.

use super::{ids, read_request};
use crate::BadRequest;
use crate::chat::{Chat, Turn};
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
}

/// Reads what the request points to and leaves the rest of it unchecked but for its syntax.
pub fn links(body: &[u8]) -> Result<Links, BadRequest> {
    let mut links = Links {
        previous: None,
        conversation: None,
        store: true,
    };
    read::document(body, |name, field| {
        match name {
            "previous_response_id" => links.previous = Some(field.boxed()?),
            "conversation" => links.conversation = Some(conversation_id(&field)?),
            "store" => links.store = field.flag()?,
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

/// Reads a request whose earlier conversation was found: `history` comes before its input. Instructions are not part of
/// a history: each request gives its own.
pub fn read_with_history(body: &[u8], history: Vec<Turn>) -> Result<Chat, BadRequest> {
    read_request::read_with_history(body, history)
}

/// The identifier of the response to a request.
pub fn response_id(request_id: &str) -> String {
    ids::response_id(request_id)
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
