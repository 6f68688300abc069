//! The turns of a conversation as Bedrock takes them: blocks that are never blank, tool results before all else, a
//! point in the cache as a block of its own behind what is to be cached.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::media::{DocumentNames, MediaBlock};
use super::{CachePoint, is_blank, media, tools};
use crate::chat::{CacheMark, Chat, Maker, Media, MediaKind, Part, Role, Thinking, ToolCall, ToolResult, Turn};
use crate::dialect::bedrock::family::Family;
use crate::dialect::{Dropped, Unsupported};

#[derive(Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Block<'a> {
    Text(&'a str),
    Image(MediaBlock<'a>),
    Document(MediaBlock<'a>),
    Audio(MediaBlock<'a>),
    Video(MediaBlock<'a>),
    ToolUse(ToolUse<'a>),
    ToolResult(ToolResultBlock<'a>),
    ReasoningContent(ReasoningContent<'a>),
    CachePoint(CachePoint),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUse<'a> {
    tool_use_id: Cow<'a, str>,
    name: &'a str,
    input: Input<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Input<'a> {
    Object(&'a RawValue),
    Empty {},
    /// Bedrock takes objects only. This is how Anthropic advises to show a model what else it wrote.
    Other {
        #[serde(rename = "INVALID_JSON")]
        written: &'a str,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolResultBlock<'a> {
    tool_use_id: Cow<'a, str>,
    content: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ReasoningContent<'a> {
    ReasoningText { text: &'a str, signature: &'a str },
    RedactedContent(&'a str),
}

struct Writer<'d> {
    family: Family,
    names: DocumentNames,
    dropped: &'d mut Dropped,
}

pub(super) fn write<'a>(
    chat: &'a Chat,
    family: Family,
    dropped: &mut Dropped,
) -> Result<Vec<Message<'a>>, Unsupported> {
    let mut writer = Writer {
        family,
        names: DocumentNames::default(),
        dropped,
    };
    let mut messages: Vec<Message<'_>> = Vec::new();
    for turn in &chat.turns {
        let content = writer.turn(turn)?;
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        match messages.last_mut() {
            // A turn between them had nothing that Bedrock takes.
            Some(last) if last.role == role => last.content.extend(content),
            _ if content.is_empty() => {}
            _ => messages.push(Message { role, content }),
        }
    }
    Ok(messages)
}

impl Writer<'_> {
    fn turn<'a>(&mut self, turn: &'a Turn) -> Result<Vec<Block<'a>>, Unsupported> {
        let is_result = |part: &&Part| matches!(part, Part::ToolResult(_));
        let results = turn.parts.iter().filter(is_result);
        let others = turn.parts.iter().filter(|part| !is_result(part));
        let mut blocks = Vec::new();
        for part in results.chain(others) {
            let (block, mark) = self.part(part, turn.role)?;
            let Some(block) = block else { continue };
            blocks.push(block);
            let point = CachePoint::of(mark, self.family, self.dropped);
            blocks.extend(point.map(Block::CachePoint));
        }
        Ok(blocks)
    }

    fn part<'a>(&mut self, part: &'a Part, role: Role) -> Result<(Option<Block<'a>>, Option<CacheMark>), Unsupported> {
        Ok(match part {
            Part::Text(text) => (visible(&text.text), text.cache),
            Part::Refusal(text) => (visible(text), None),
            Part::Media(media) => {
                if role == Role::Assistant {
                    return Err(Unsupported::new(
                        "messages",
                        "this model's provider takes images and files from the user only",
                    ));
                }
                (Some(self.media(media)?), media.cache)
            }
            Part::ToolCall(call) => (Some(Block::ToolUse(tool_use(call)?)), call.cache),
            Part::ToolResult(result) => {
                let inner = result.parts.iter().find_map(mark_of);
                (Some(self.tool_result(result)?), result.cache.or(inner))
            }
            Part::Thinking(thinking) => (self.reasoning(thinking), None),
        })
    }

    fn media<'a>(&mut self, media: &'a Media) -> Result<Block<'a>, Unsupported> {
        let block = media::write(media, &mut self.names, self.dropped)?;
        Ok(match media.kind {
            MediaKind::Image => Block::Image(block),
            MediaKind::Document => Block::Document(block),
            MediaKind::Audio => Block::Audio(block),
            MediaKind::Video => Block::Video(block),
        })
    }

    fn tool_result<'a>(&mut self, result: &'a ToolResult) -> Result<Block<'a>, Unsupported> {
        let mut content = Vec::new();
        for part in &result.parts {
            match part {
                Part::Text(text) => content.extend(visible(&text.text)),
                Part::Refusal(text) => content.extend(visible(text)),
                Part::Media(media) if media.kind == MediaKind::Audio => {
                    return Err(Unsupported::new(
                        "messages",
                        "this model's provider takes no sounds as results of tools",
                    ));
                }
                Part::Media(media) => content.push(self.media(media)?),
                Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) => {}
            }
        }
        let can_fail = self.family.takes_failed_results();
        self.dropped.add_if(result.failed && !can_fail, "is_error");
        Ok(Block::ToolResult(ToolResultBlock {
            tool_use_id: tools::call_id(&result.call),
            content,
            status: (result.failed && can_fail).then_some("error"),
        }))
    }

    /// Thoughts go back to whom they came from, and signed ones only.
    fn reasoning<'a>(&self, thinking: &'a Thinking) -> Option<Block<'a>> {
        let signature = thinking.signature.as_ref()?;
        let is_claude = matches!(self.family, Family::Claude(_));
        let readable = ReasoningContent::ReasoningText {
            text: &thinking.text,
            signature: &signature.text,
        };
        let sealed = ReasoningContent::RedactedContent(&signature.text);
        let content = match signature.maker {
            Maker::Anthropic if is_claude => readable,
            Maker::AnthropicRedacted if is_claude => sealed,
            Maker::Bedrock if !is_claude && thinking.text.is_empty() => sealed,
            Maker::Bedrock if !is_claude => readable,
            Maker::Anthropic | Maker::AnthropicRedacted | Maker::Bedrock | Maker::Gemini | Maker::Openai => {
                return None;
            }
        };
        Some(Block::ReasoningContent(content))
    }
}

fn visible(text: &str) -> Option<Block<'_>> {
    (!is_blank(text)).then_some(Block::Text(text))
}

fn tool_use(call: &ToolCall) -> Result<ToolUse<'_>, Unsupported> {
    let written = call.arguments.trim();
    let input = match serde_json::from_str::<&RawValue>(written) {
        Ok(object) if written.starts_with('{') => Input::Object(object),
        _ if written.is_empty() => Input::Empty {},
        _ => Input::Other { written },
    };
    Ok(ToolUse {
        tool_use_id: tools::call_id(&call.id),
        name: tools::checked_name(&call.name)?,
        input,
    })
}

/// A point in the cache cannot be inside of a tool's result, but behind it.
fn mark_of(part: &Part) -> Option<CacheMark> {
    match part {
        Part::Text(text) => text.cache,
        Part::Media(media) => media.cache,
        Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => None,
    }
}
