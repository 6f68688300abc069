//! Writes the messages of a request. Tool results hold texts only: images in them go into the user's message after them.

use serde::Serialize;

use crate::chat::{Chat, Media, MediaKind, Part, Role, Source, ToolCall, ToolResult, Turn};
use crate::dialect::{Dropped, Unsupported};

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub(super) enum Message<'a> {
    System {
        content: Vec<Item<'a>>,
    },
    User {
        content: Vec<Item<'a>>,
    },
    Assistant(Assistant<'a>),
    Tool {
        tool_call_id: &'a str,
        content: Vec<Item<'a>>,
    },
}

#[derive(Default, Serialize)]
pub(super) struct Assistant<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    content: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    tool_plan: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WrittenCall<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Text { text: &'a str },
    Thinking { thinking: &'a str },
    ImageUrl { image_url: ImageUrl<'a> },
}

#[derive(Serialize)]
pub(super) struct ImageUrl<'a> {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct WrittenCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: &'a str,
}

pub(super) fn write<'a>(chat: &'a Chat, dropped: &mut Dropped) -> Result<Vec<Message<'a>>, Unsupported> {
    let mut messages = Vec::new();
    let instructions = chat.instructions.iter().map(|text| Item::Text { text: &text.text });
    let content: Vec<_> = instructions.collect();
    if !content.is_empty() {
        messages.push(Message::System { content });
    }
    dropped.add_if(
        chat.instructions.iter().any(|text| text.cache.is_some()),
        "cache_control",
    );
    for turn in &chat.turns {
        dropped.add_if(turn.parts.iter().any(has_mark), "cache_control");
        match turn.role {
            Role::User => write_user(turn, &mut messages, dropped)?,
            Role::Assistant => messages.extend(write_assistant(turn)?.map(Message::Assistant)),
        }
    }
    Ok(messages)
}

fn has_mark(part: &Part) -> bool {
    match part {
        Part::Text(text) => text.cache.is_some(),
        Part::Media(media) => media.cache.is_some(),
        Part::ToolCall(call) => call.cache.is_some(),
        Part::ToolResult(result) => result.cache.is_some() || result.parts.iter().any(has_mark),
        Part::Thinking(_) | Part::Refusal(_) => false,
    }
}

fn write_user<'a>(turn: &'a Turn, messages: &mut Vec<Message<'a>>, dropped: &mut Dropped) -> Result<(), Unsupported> {
    let mut content = Vec::new();
    for part in &turn.parts {
        if let Part::ToolResult(result) = part {
            messages.push(write_result(result, &mut content)?);
            dropped.add_if(result.failed, "is_error");
        }
    }
    for part in &turn.parts {
        match part {
            Part::Text(text) => content.push(Item::Text { text: &text.text }),
            Part::Refusal(text) => content.push(Item::Text { text }),
            Part::Media(media) => content.push(write_media(media)?),
            Part::ToolResult(_) | Part::ToolCall(_) | Part::Thinking(_) => {}
        }
    }
    if !content.is_empty() {
        messages.push(Message::User { content });
    }
    Ok(())
}

fn write_result<'a>(result: &'a ToolResult, after: &mut Vec<Item<'a>>) -> Result<Message<'a>, Unsupported> {
    let mut content = Vec::new();
    for part in &result.parts {
        match part {
            Part::Text(text) => content.push(Item::Text { text: &text.text }),
            Part::Refusal(text) => content.push(Item::Text { text }),
            Part::Media(media) => match write_media(media)? {
                image @ Item::ImageUrl { .. } => after.push(image),
                text @ (Item::Text { .. } | Item::Thinking { .. }) => content.push(text),
            },
            Part::ToolResult(_) | Part::ToolCall(_) | Part::Thinking(_) => {}
        }
    }
    Ok(Message::Tool {
        tool_call_id: &result.call,
        content,
    })
}

/// Beside calls, what was said is their plan. Thoughts that another maker signed are not Cohere's.
fn write_assistant(turn: &Turn) -> Result<Option<Assistant<'_>>, Unsupported> {
    let mut message = Assistant::default();
    let calls = turn.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    for part in &turn.parts {
        match part {
            Part::Text(text) if calls => message.tool_plan.push_str(&text.text),
            Part::Text(text) => message.content.push(Item::Text { text: &text.text }),
            Part::Refusal(text) => message.content.push(Item::Text { text }),
            Part::Thinking(thinking) if thinking.signature.is_none() && !thinking.text.is_empty() => {
                message.content.push(Item::Thinking {
                    thinking: &thinking.text,
                });
            }
            Part::ToolCall(call) => message.tool_calls.push(write_call(call)),
            Part::Media(_) => return unsupported("what an assistant made besides text"),
            Part::Thinking(_) | Part::ToolResult(_) => {}
        }
    }
    let is_empty = message.content.is_empty() && message.tool_calls.is_empty();
    Ok((!is_empty).then_some(message))
}

fn write_call(call: &ToolCall) -> WrittenCall<'_> {
    WrittenCall {
        id: &call.id,
        kind: "function",
        function: Called {
            name: &call.name,
            arguments: &call.arguments,
        },
    }
}

fn write_media(media: &Media) -> Result<Item<'_>, Unsupported> {
    let url = match (media.kind, &media.source) {
        (MediaKind::Document, Source::Plain(text)) => return Ok(Item::Text { text }),
        (MediaKind::Image, Source::Url(url)) => url.clone().into(),
        (MediaKind::Image, Source::Base64(data)) => {
            let media_type = media.media_type.as_deref().unwrap_or("image/png");
            format!("data:{media_type};base64,{data}")
        }
        (MediaKind::Image, Source::File(_) | Source::Plain(_)) => {
            return unsupported("images that were uploaded to another provider; send their bytes");
        }
        (MediaKind::Audio, _) => return unsupported("sounds"),
        (MediaKind::Document, _) => return unsupported("documents; send their text"),
        (MediaKind::Video, _) => return unsupported("videos"),
    };
    let detail = media.detail.as_deref();
    Ok(Item::ImageUrl {
        image_url: ImageUrl { url, detail },
    })
}

fn unsupported<T>(what: &str) -> Result<T, Unsupported> {
    let message = format!("the model you named does not take {what}");
    Err(Unsupported::new("messages", message))
}
