//! Asks for a prompt to be cached on behalf of a caller who did not: by marks in Anthropic's dialect, by a key in
//! OpenAI's. A few bytes are put in; all others stay as and where they were.

use bytes::Bytes;
use gatewright_types::api::Dialect;
use memchr::memmem;

use super::accent::written;
use super::{Edit, Request, object_start};
use crate::chat::SHORTEST_CACHED_BYTES;
use crate::dialect::PathFacts;
use crate::json::{Kind, Members, Value};
use crate::prompt_cache::{CachedBy, key, member};

const MARK: &str = r#""cache_control":{"type":"ephemeral"}"#;

/// What of a request in Anthropic's dialect may be marked, in the order in which prompts are put together.
#[derive(Default)]
struct Prompt<'a> {
    tools: Option<Value<'a>>,
    system: Option<Value<'a>>,
    messages: Option<Value<'a>>,
}

impl Request {
    /// The same request, asking that its beginning be cached. Absent where it says itself what it wants, where its
    /// dialect has no such thing, and where it is too short for any model to cache. `model` is the provider's name for it.
    pub fn cached(&self, by: CachedBy, organization: &str, model: &str) -> Option<Self> {
        let edits = match (by, self.dialect) {
            (CachedBy::Marks, Dialect::AnthropicMessages) => self.marks(),
            (CachedBy::Key, Dialect::OpenaiChat | Dialect::OpenaiResponses) => {
                self.key(organization, model).into_iter().collect()
            }
            (
                CachedBy::Marks | CachedBy::Key,
                Dialect::OpenaiChat
                | Dialect::OpenaiResponses
                | Dialect::OpenaiCompletions
                | Dialect::OpenaiEmbeddings
                | Dialect::AnthropicMessages
                | Dialect::GeminiGenerate
                | Dialect::GeminiEmbed
                | Dialect::GeminiBatchEmbed
                | Dialect::Native(_),
            ) => Vec::new(),
        };
        if edits.is_empty() {
            return None;
        }
        let cached = Self::parse(self.dialect, written(&self.body, edits), PathFacts::default()).ok()?;
        Some(Self {
            continues: self.continues,
            ..cached
        })
    }

    /// At the ends of the tools, the system prompt and the last of the user's messages: three of the four marks that a
    /// request may have.
    fn marks(&self) -> Vec<Edit> {
        if memmem::find(&self.body, br#""cache_control""#).is_some() {
            return Vec::new();
        }
        let prompt = Prompt::read(&self.body);
        let parts = [
            prompt.tools.map(|tools| (tools, last_tool(&tools))),
            prompt.system.map(|system| (system, end_of(&system, 0))),
            prompt.messages.map(|messages| (messages, last_of_user(&messages))),
        ];
        let mut bytes = 0;
        let mut edits = Vec::new();
        for (part, marks) in parts.into_iter().flatten() {
            bytes += part.text.len() as u64;
            if bytes >= SHORTEST_CACHED_BYTES {
                edits.extend(marks);
            }
        }
        edits
    }

    fn key(&self, organization: &str, model: &str) -> Option<Edit> {
        if memmem::find(&self.body, br#""prompt_cache_key""#).is_some() {
            return None;
        }
        let instructions = match self.dialect {
            Dialect::OpenaiResponses => member_of(&self.body, b"instructions").map(|value| value.text),
            _ => None,
        };
        let content = Value::at(self.content(), 0..self.content().len())?;
        let mut beginning: Vec<&[u8]> = instructions.into_iter().collect();
        match content.kind {
            Kind::Array => {
                for message in content.elements() {
                    beginning.push(message.text);
                    if is_user(&message) {
                        break;
                    }
                }
            }
            _ => beginning.push(content.text),
        }
        let at = object_start(&self.body);
        Some(Edit {
            at: at..at,
            text: member(&key(organization, model, beginning)).into(),
        })
    }
}

impl<'a> Prompt<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut prompt = Self::default();
        let Ok(mut members) = Members::of_document(body) else {
            return prompt;
        };
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                b"tools" => prompt.tools = Some(member.value),
                b"system" => prompt.system = Some(member.value),
                b"messages" => prompt.messages = Some(member.value),
                _ => {}
            }
        }
        prompt
    }
}

fn member_of<'a>(body: &'a [u8], name: &[u8]) -> Option<Value<'a>> {
    let mut members = Members::of_document(body).ok()?;
    while let Some(member) = members.next_member().ok()? {
        if &*member.key == name {
            return Some(member.value);
        }
    }
    None
}

fn is_user(message: &Value<'_>) -> bool {
    let role = message.member("role").and_then(|role| role.string());
    role.is_some_and(|role| role == "user")
}

/// A tool that is only loaded when it is looked for is no part of the beginning, and may not be marked.
fn last_tool(tools: &Value<'_>) -> Vec<Edit> {
    let last = tools.elements().last().filter(|last| last.kind == Kind::Object);
    let deferred = |tool: &Value<'_>| {
        tool.member("defer_loading")
            .is_some_and(|deferred| deferred.kind == Kind::True)
    };
    let marked = last.filter(|last| !deferred(last));
    marked.map(|last| inside(&last, tools.start)).into_iter().collect()
}

fn last_of_user(messages: &Value<'_>) -> Vec<Edit> {
    let Some(message) = messages.elements().filter(is_user).last() else {
        return Vec::new();
    };
    let content = message.member("content");
    content
        .map(|content| end_of(&content, messages.start + message.start))
        .unwrap_or_default()
}

/// Marks the last block of a content that begins so many bytes before the place its own is counted from. A text becomes
/// the block that it stands for.
fn end_of(content: &Value<'_>, before: usize) -> Vec<Edit> {
    let start = before + content.start;
    match content.kind {
        Kind::String if says_something(content) => {
            let put = |at, text: String| Edit {
                at: at..at,
                text: text.into(),
            };
            vec![
                put(start, r#"[{"type":"text","text":"#.to_owned()),
                put(before + content.end(), format!(",{MARK}}}]")),
            ]
        }
        Kind::Array => {
            let last = content.elements().last().filter(can_be_marked);
            last.map(|last| inside(&last, start)).into_iter().collect()
        }
        Kind::String | Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => Vec::new(),
    }
}

fn can_be_marked(block: &Value<'_>) -> bool {
    let kind = block.member("type").and_then(|kind| kind.string());
    match kind.as_deref() {
        Some("text") => block.member("text").is_some_and(|text| says_something(&text)),
        Some("thinking" | "redacted_thinking") | None => false,
        Some(_) => true,
    }
}

fn says_something(text: &Value<'_>) -> bool {
    text.string().is_some_and(|text| !text.trim().is_empty())
}

/// The mark as the last member of an object.
fn inside(object: &Value<'_>, before: usize) -> Edit {
    let at = before + object.end() - 1;
    let comma = if object.is_empty() { "" } else { "," };
    Edit {
        at: at..at,
        text: Bytes::from(format!("{comma}{MARK}")),
    }
}

#[cfg(test)]
mod tests;
