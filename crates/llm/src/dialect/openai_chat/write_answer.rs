//! Writes a whole answer as a `chat.completion`.

use serde::Serialize;

use super::details::{self, Entry};
use super::finish::{self, Held};
use super::usage::Usage;
use crate::chat::{self, Chat, Maker, MediaKind, Part, Source};
use crate::dialect::{ReplyFacts, data_uri, freeform};
use crate::event::Answer;

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u8,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    native_finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Image>,
}

#[derive(Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) id: &'a str,
    #[serde(flatten)]
    pub(super) called: Called<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Called<'a> {
    Function { function: Function<'a> },
    Custom { custom: Custom<'a> },
}

/// A call of a tool that takes a text.
#[derive(Serialize)]
pub(super) struct Custom<'a> {
    name: &'a str,
    input: String,
}

#[derive(Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

/// Pictures that a model made, where aggregators put them.
#[derive(Serialize)]
struct Image {
    #[serde(rename = "type")]
    kind: &'static str,
    image_url: ImageUrl,
}

#[derive(Serialize)]
struct ImageUrl {
    url: String,
}

pub(super) fn write(answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
    let message = Message::of(&answer.parts, reply.chat);
    let held = Held {
        tool_calls: !message.tool_calls.is_empty(),
        refusal: message.refusal.is_some(),
    };
    let completion = Completion {
        id: answer.id.as_deref().unwrap_or(reply.request_id),
        object: "chat.completion",
        created: reply.created,
        model: answer.model.as_deref().unwrap_or(reply.model),
        choices: [Choice {
            index: 0,
            message,
            logprobs: None,
            finish_reason: finish::write(&answer.stop, held),
            native_finish_reason: finish::native(&answer.stop),
        }],
        usage: answer.usage.as_ref().map(Usage::of),
    };
    serde_json::to_vec(&completion).expect("texts and numbers can always be written as JSON")
}

/// The caller asked not to see what the model thinks.
pub(super) fn hides_thoughts(chat: &Chat) -> bool {
    chat.reasoning
        .as_ref()
        .is_some_and(|reasoning| reasoning.shown == Some(false))
}

impl<'a> Called<'a> {
    fn of(call: &'a chat::ToolCall, asked: &Chat) -> Self {
        match asked.freeform(&call.name) {
            None => Self::Function {
                function: Function {
                    name: &call.name,
                    arguments: &call.arguments,
                },
            },
            Some(_) => Self::Custom {
                custom: Custom {
                    name: &call.name,
                    input: freeform::input(&call.arguments),
                },
            },
        }
    }
}

impl<'a> Message<'a> {
    fn of(parts: &'a [Part], asked: &Chat) -> Self {
        let hides_thoughts = hides_thoughts(asked);
        let mut message = Self {
            role: "assistant",
            content: None,
            refusal: None,
            reasoning_content: None,
            reasoning_details: Vec::new(),
            tool_calls: Vec::new(),
            images: Vec::new(),
        };
        for part in parts {
            match part {
                Part::Text(text) => message.content.get_or_insert_default().push_str(&text.text),
                Part::Refusal(text) => message.refusal.get_or_insert_default().push_str(text),
                Part::Thinking(thinking) if !hides_thoughts && !thinking.text.is_empty() => {
                    message
                        .reasoning_content
                        .get_or_insert_default()
                        .push_str(&thinking.text);
                }
                Part::ToolCall(call) => message.tool_calls.push(ToolCall {
                    id: &call.id,
                    called: Called::of(call, asked),
                }),
                Part::Media(media) if media.kind == MediaKind::Image => {
                    let url = match (&media.source, &media.media_type) {
                        (Source::Base64(data), Some(media_type)) => data_uri::write(media_type, data),
                        (Source::Url(url), _) => url.clone().into(),
                        (Source::Base64(_) | Source::Plain(_) | Source::File(_), _) => continue,
                    };
                    message.images.push(Image {
                        kind: "image_url",
                        image_url: ImageUrl { url },
                    });
                }
                Part::Thinking(_) | Part::Media(_) | Part::ToolResult(_) => {}
            }
        }
        if message.tool_calls.is_empty() && message.refusal.is_none() {
            message.content.get_or_insert_default();
        }
        if is_signed(parts) {
            message.reasoning_details = details::written(parts, Maker::as_str);
            // Tools cannot go on without their calls' signatures; the thoughts themselves stay hidden.
            if hides_thoughts {
                message
                    .reasoning_details
                    .retain(|entry| matches!(entry, Entry::Sealed { id: Some(_), .. }));
            }
        }
        message
    }
}

/// Without a signature, `reasoning_content` says it all.
fn is_signed(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Thinking(thinking) => thinking.signature.is_some(),
        Part::ToolCall(call) => call.signature.is_some(),
        Part::Text(_) | Part::Media(_) | Part::ToolResult(_) | Part::Refusal(_) => false,
    })
}
