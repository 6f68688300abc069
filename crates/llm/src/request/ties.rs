//! What ties a request to others: the session and the user it names, the labels it carries, and how its conversation
//! begins. Parsing notes where the members lie; they are read when somebody asks.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;

use gatewright_types::api::Dialect;

use super::Request;
use crate::json::{Kind, Value};

/// Of each text at the beginning of a conversation, so many bytes and its length are looked at.
const LOOKED_AT_BYTES: usize = 2048;
/// Of the instructions and of the first message, so many parts at most.
const MOST_PARTS: usize = 16;
/// In between the parts of a user identifier of Claude Code: `user_…_account_…_session_…`.
const SESSION_MARK: &str = "_session_";

/// Where a body says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    user: Option<Range<usize>>,
    safety_identifier: Option<Range<usize>>,
    /// `metadata`, or Gemini's `labels`.
    metadata: Option<Range<usize>>,
    cache_key: Option<Range<usize>>,
    conversation: Option<Range<usize>>,
    /// What comes before the conversation.
    instructions: Option<Range<usize>>,
}

impl Places {
    /// Notes a member of the body, where it is one of these.
    pub(super) fn note(&mut self, name: &[u8], value: &Value<'_>) {
        let place = match name {
            b"user" => &mut self.user,
            b"safety_identifier" => &mut self.safety_identifier,
            b"metadata" | b"labels" => &mut self.metadata,
            b"prompt_cache_key" => &mut self.cache_key,
            b"conversation" => &mut self.conversation,
            b"system" | b"instructions" | b"systemInstruction" | b"system_instruction" => &mut self.instructions,
            _ => return,
        };
        *place = Some(value.start..value.end());
    }
}

impl Request {
    /// The session, as far as the body names one. The response before is none: it is another one each time.
    pub fn session(&self) -> Option<Cow<'_, str>> {
        let key = || text(self.tie(&self.ties.cache_key)?);
        let conversation = || {
            let conversation = self.tie(&self.ties.conversation)?;
            text(conversation).or_else(|| text(conversation.member("id")?))
        };
        let by_user = || session_of(&self.metadata("user_id")?).map(Cow::Owned);
        let metadata = || self.metadata("session_id");
        match self.dialect {
            Dialect::AnthropicMessages => by_user().or_else(metadata),
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
            | Dialect::GeminiGenerate
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_) => metadata().or_else(conversation).or_else(key),
        }
    }

    /// Whom the caller asks for, as it names its own users.
    pub fn end_user(&self) -> Option<Cow<'_, str>> {
        let identifier = || text(self.tie(&self.ties.safety_identifier)?);
        let user = || text(self.tie(&self.ties.user)?);
        let by_metadata = || self.metadata("user_id").map(without_session);
        identifier().or_else(user).or_else(by_metadata)
    }

    /// A label that the caller gave the request.
    pub fn metadata(&self, name: &str) -> Option<Cow<'_, str>> {
        text(self.tie(&self.ties.metadata)?.member(name)?)
    }

    /// The names of all labels that are texts.
    pub fn metadata_names(&self) -> Vec<String> {
        let Some(metadata) = self.tie(&self.ties.metadata) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        let mut members = metadata.members();
        while let Ok(Some(member)) = members.next_member() {
            if member.value.kind == Kind::String {
                names.push(String::from_utf8_lossy(&member.key).into_owned());
            }
        }
        names
    }

    /// The same number for requests whose conversations begin with the same instructions and the same first message of
    /// the user's. `None` where there is no conversation.
    pub fn beginning(&self) -> Option<u64> {
        let mut hash = DefaultHasher::new();
        if let Some(instructions) = self.tie(&self.ties.instructions) {
            add_texts(&instructions, &mut hash);
        }
        let content = Value::at(self.content(), 0..self.content().len())?;
        match content.kind {
            Kind::String => add_text(content.text, &mut hash),
            Kind::Array => {
                for message in content.elements() {
                    let role = message.member("role");
                    add_texts(&message, &mut hash);
                    // What has no role is a text to complete, or the user's.
                    if role.is_none_or(|role| role.string().is_some_and(|role| role == "user")) {
                        break;
                    }
                }
            }
            Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => return None,
        }
        Some(hash.finish())
    }

    fn tie(&self, place: &Option<Range<usize>>) -> Option<Value<'_>> {
        Value::at(&self.body, place.clone()?)
    }
}

/// Adds a text, or those of a message, an instruction or a list of parts. What else is in them (marks where to cache, above
/// all) may be another each time.
fn add_texts(value: &Value<'_>, hash: &mut DefaultHasher) {
    match value.kind {
        Kind::String => add_text(value.text, hash),
        Kind::Array => value
            .elements()
            .take(MOST_PARTS)
            .for_each(|part| add_texts(&part, hash)),
        Kind::Object => {
            for name in ["content", "parts", "text"] {
                if let Some(below) = value.member(name) {
                    add_texts(&below, hash);
                }
            }
        }
        Kind::Number | Kind::True | Kind::False | Kind::Null => {}
    }
}

fn add_text(text: &[u8], hash: &mut DefaultHasher) {
    hash.write_usize(text.len());
    hash.write(text.get(..LOOKED_AT_BYTES).unwrap_or(text));
}

fn text(value: Value<'_>) -> Option<Cow<'_, str>> {
    value.string().filter(|text| !text.is_empty())
}

/// Claude Code names its sessions within the user's identifier, in one of two forms.
fn session_of(user: &str) -> Option<String> {
    if let Some((_, session)) = user.split_once(SESSION_MARK) {
        return (!session.is_empty()).then(|| session.to_owned());
    }
    member_of(user, "session_id")
}

fn without_session(user: Cow<'_, str>) -> Cow<'_, str> {
    if let Some((user, _)) = user.split_once(SESSION_MARK) {
        return user.to_owned().into();
    }
    let account = ["account_uuid", "device_id"];
    match account.iter().find_map(|name| member_of(&user, name)) {
        Some(account) => account.into(),
        None => user,
    }
}

fn member_of(document: &str, name: &str) -> Option<String> {
    let document = Value::at(document.as_bytes(), 0..document.len()).filter(|value| value.kind == Kind::Object)?;
    text(document.member(name)?).map(Cow::into_owned)
}

#[cfg(test)]
mod tests;
