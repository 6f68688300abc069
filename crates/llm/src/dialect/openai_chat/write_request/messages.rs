//! Writes the messages: instructions first, each tool result in a message of its own, directly after its call.

use std::borrow::Cow;

use serde::Serialize;

use super::media::{self, ContentPart, PartKind};
use crate::chat::{CacheMark, Chat, Part, Role, ToolCall, ToolResult, Turn};
use crate::dialect::openai_chat::details::{self, Entry};
use crate::dialect::openai_chat::fingerprint;
use crate::dialect::openai_chat::quirks::{CallIds, InstructionsRole, Quirks, ThoughtsBack};
use crate::dialect::{Dropped, Unsupported};

/// Characters of the longest identifier of a call that OpenAI takes.
const LONGEST_CALL_ID: usize = 40;

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub(super) enum Message<'a> {
    System {
        content: Content<'a>,
    },
    Developer {
        content: Content<'a>,
    },
    User {
        content: Content<'a>,
    },
    Assistant(Assistant<'a>),
    Tool {
        tool_call_id: Cow<'a, str>,
        content: Content<'a>,
    },
}

#[derive(Serialize)]
pub(super) struct Assistant<'a> {
    /// Null beside tool calls when nothing was said: some servers insist on the member.
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WrittenCall<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<ContentPart<'a>>),
}

#[derive(Serialize)]
struct WrittenCall<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: &'a str,
}

pub(super) fn write<'a>(
    chat: &'a Chat,
    quirks: &Quirks,
    dropped: &mut Dropped,
) -> Result<Vec<Message<'a>>, Unsupported> {
    let mut writer = Writer {
        quirks,
        dropped,
        messages: Vec::new(),
    };
    let texts = chat.instructions.iter();
    let instructions = texts
        .map(|text| writer.text(&text.text, text.cache))
        .collect::<Vec<_>>();
    if !instructions.is_empty() {
        let content = writer.content(instructions, "\n\n");
        writer.messages.push(match quirks.instructions {
            InstructionsRole::System => Message::System { content },
            InstructionsRole::Developer => Message::Developer { content },
        });
    }
    for turn in &chat.turns {
        match turn.role {
            Role::User => writer.user(turn)?,
            Role::Assistant => writer.assistant(turn)?,
        }
    }
    Ok(writer.messages)
}

struct Writer<'a, 'w> {
    quirks: &'w Quirks,
    dropped: &'w mut Dropped,
    messages: Vec<Message<'a>>,
}

impl<'a> Writer<'a, '_> {
    /// Results may hold texts only: what else they hold comes in the user's message after them.
    fn user(&mut self, turn: &'a Turn) -> Result<(), Unsupported> {
        let mut parts = Vec::new();
        for part in &turn.parts {
            if let Part::ToolResult(result) = part {
                self.result(result, &mut parts)?;
            }
        }
        for part in &turn.parts {
            match part {
                Part::Text(text) => parts.push(self.text(&text.text, text.cache)),
                Part::Refusal(text) => parts.push(self.text(text, None)),
                Part::Media(media) => {
                    let kind = media::write(media, self.quirks, self.dropped)?;
                    parts.push(self.part(kind, media.cache));
                }
                Part::ToolResult(_) | Part::ToolCall(_) | Part::Thinking(_) => {}
            }
        }
        if !parts.is_empty() {
            let content = self.content(parts, "\n\n");
            self.messages.push(Message::User { content });
        }
        Ok(())
    }

    fn result(&mut self, result: &'a ToolResult, after: &mut Vec<ContentPart<'a>>) -> Result<(), Unsupported> {
        self.dropped.add_if(result.failed, "is_error");
        let mut texts = Vec::new();
        for part in &result.parts {
            match part {
                Part::Text(text) => texts.push(self.text(&text.text, text.cache)),
                Part::Refusal(text) => texts.push(self.text(text, None)),
                Part::Media(media) => {
                    let kind = media::write(media, self.quirks, self.dropped)?;
                    let part = self.part(kind, media.cache);
                    // A document may be written as a text.
                    match part.kind {
                        PartKind::Text { .. } => texts.push(part),
                        PartKind::ImageUrl { .. } | PartKind::InputAudio { .. } | PartKind::File { .. } => {
                            after.push(part);
                        }
                    }
                }
                Part::ToolResult(_) | Part::ToolCall(_) | Part::Thinking(_) => {}
            }
        }
        match texts.last_mut() {
            Some(last) if self.quirks.cache_marks => last.cache_control = result.cache.or(last.cache_control),
            _ => self.dropped.add_if(result.cache.is_some(), "cache_control"),
        }
        let content = self.content(texts, "\n\n");
        self.messages.push(Message::Tool {
            tool_call_id: self.call_id(&result.call),
            content,
        });
        Ok(())
    }

    fn assistant(&mut self, turn: &'a Turn) -> Result<(), Unsupported> {
        let mut message = Assistant {
            content: None,
            refusal: None,
            reasoning_content: None,
            reasoning_details: Vec::new(),
            tool_calls: Vec::new(),
        };
        let mut parts = Vec::new();
        for part in &turn.parts {
            match part {
                Part::Text(text) => parts.push(self.text(&text.text, text.cache)),
                Part::Refusal(text) if self.quirks.refusals => message.refusal.get_or_insert_default().push_str(text),
                Part::Refusal(text) => parts.push(self.text(text, None)),
                Part::ToolCall(call) => message.tool_calls.push(self.call(call)),
                Part::Thinking(thinking) => {
                    if self.quirks.thoughts_back == ThoughtsBack::Content && !thinking.text.is_empty() {
                        message
                            .reasoning_content
                            .get_or_insert_default()
                            .push_str(&thinking.text);
                    }
                }
                Part::Media(_) => {
                    let what =
                        "images, sounds and documents that an assistant made cannot go back to the model you named";
                    return Err(Unsupported::new("messages", what));
                }
                Part::ToolResult(_) => {}
            }
        }
        if self.quirks.thoughts_back == ThoughtsBack::Details {
            message.reasoning_details = details::written(&turn.parts, details::aggregators_format);
        }
        if !parts.is_empty() {
            message.content = Some(self.content(parts, ""));
        }
        // A turn of nothing but thoughts that do not go back is none.
        if message.content.is_some() || message.refusal.is_some() || !message.tool_calls.is_empty() {
            self.messages.push(Message::Assistant(message));
        }
        Ok(())
    }

    fn call(&mut self, call: &'a ToolCall) -> WrittenCall<'a> {
        self.dropped.add_if(call.cache.is_some(), "cache_control");
        WrittenCall {
            id: self.call_id(&call.id),
            kind: "function",
            function: Called {
                name: &call.name,
                arguments: &call.arguments,
            },
        }
    }

    fn call_id(&self, id: &'a str) -> Cow<'a, str> {
        let fits = match self.quirks.call_ids {
            CallIds::Short => id.len() <= LONGEST_CALL_ID,
            CallIds::NineLetters => fingerprint::is_one(id),
        };
        if fits {
            Cow::Borrowed(id)
        } else {
            Cow::Owned(fingerprint::of(id))
        }
    }

    fn text(&mut self, text: &'a str, cache: Option<CacheMark>) -> ContentPart<'a> {
        self.part(PartKind::Text { text }, cache)
    }

    fn part(&mut self, kind: PartKind<'a>, cache: Option<CacheMark>) -> ContentPart<'a> {
        self.dropped
            .add_if(cache.is_some() && !self.quirks.cache_marks, "cache_control");
        ContentPart {
            kind,
            cache_control: cache.filter(|_| self.quirks.cache_marks),
        }
    }

    /// One string where that says it all: every server takes it.
    fn content(&self, parts: Vec<ContentPart<'a>>, between: &str) -> Content<'a> {
        let texts: Option<Vec<&'a str>> = parts.iter().map(plain_text).collect();
        match texts.as_deref() {
            Some([]) => Content::Text(Cow::Borrowed("")),
            Some([one]) => Content::Text(Cow::Borrowed(one)),
            Some(several) if !self.quirks.text_parts => Content::Text(Cow::Owned(several.join(between))),
            _ => Content::Parts(parts),
        }
    }
}

fn plain_text<'a>(part: &ContentPart<'a>) -> Option<&'a str> {
    match part.kind {
        PartKind::Text { text } if part.cache_control.is_none() => Some(text),
        PartKind::Text { .. } | PartKind::ImageUrl { .. } | PartKind::InputAudio { .. } | PartKind::File { .. } => None,
    }
}
