//! Writes turns as items: what is said as messages, calls and their results as items of their own.

use serde::Serialize;

use super::media::{self, Content};
use super::own_signature;
use crate::chat::{Chat, Part, Role, Text, Thinking, ToolCall, ToolResult, Turn};
use crate::dialect::{Dropped, Unsupported};

/// OpenAI caches by itself. Its own marks are refused by all but its newest models.
pub(super) const CACHE_MARK: &str = "cache_control";

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Message {
        role: &'static str,
        content: Vec<Content<'a>>,
    },
    Reasoning {
        summary: Vec<Summary<'a>>,
        encrypted_content: &'a str,
    },
    FunctionCall {
        call_id: &'a str,
        name: &'a str,
        arguments: &'a str,
    },
    FunctionCallOutput {
        call_id: &'a str,
        output: Output<'a>,
    },
}

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Output<'a> {
    Text(&'a str),
    Contents(Vec<Content<'a>>),
}

pub(super) fn write<'a>(chat: &'a Chat, dropped: &mut Dropped) -> Result<Vec<Item<'a>>, Unsupported> {
    let mut items = Vec::new();
    for turn in &chat.turns {
        write_turn(turn, &mut items, dropped)?;
    }
    Ok(items)
}

fn write_turn<'a>(turn: &'a Turn, items: &mut Vec<Item<'a>>, dropped: &mut Dropped) -> Result<(), Unsupported> {
    let mut said = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Text(text) => said.push(write_text(turn.role, text, dropped)),
            Part::Refusal(refusal) => said.push(Content::Refusal { refusal }),
            Part::Media(media) if turn.role == Role::User => {
                dropped.add_if(media.cache.is_some(), CACHE_MARK);
                said.push(media::write(media)?);
            }
            Part::Media(_) => {
                return Err(Unsupported::new(
                    "messages",
                    "this model cannot be shown images or files as its own words; let the user send them",
                ));
            }
            Part::Thinking(thinking) => {
                let Some(signature) = own_signature(thinking) else {
                    continue;
                };
                flush(turn.role, &mut said, items);
                items.push(Item::Reasoning {
                    summary: write_summary(thinking),
                    encrypted_content: &signature.text,
                });
            }
            Part::ToolCall(ToolCall {
                id,
                name,
                arguments,
                cache,
                signature: _,
            }) => {
                flush(turn.role, &mut said, items);
                dropped.add_if(cache.is_some(), CACHE_MARK);
                items.push(Item::FunctionCall {
                    call_id: id,
                    name,
                    arguments,
                });
            }
            Part::ToolResult(result) => {
                flush(turn.role, &mut said, items);
                items.push(write_result(result, dropped)?);
            }
        }
    }
    flush(turn.role, &mut said, items);
    Ok(())
}

/// What has been said so far becomes a message.
fn flush<'a>(role: Role, said: &mut Vec<Content<'a>>, items: &mut Vec<Item<'a>>) {
    if said.is_empty() {
        return;
    }
    let role = match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let content = std::mem::take(said);
    items.push(Item::Message { role, content });
}

fn write_text<'a>(role: Role, text: &'a Text, dropped: &mut Dropped) -> Content<'a> {
    dropped.add_if(text.cache.is_some(), CACHE_MARK);
    let text = &text.text;
    match role {
        Role::User => Content::InputText { text },
        Role::Assistant => Content::OutputText { text },
    }
}

fn write_summary(thinking: &Thinking) -> Vec<Summary<'_>> {
    if thinking.text.is_empty() {
        return Vec::new();
    }
    vec![Summary {
        kind: "summary_text",
        text: &thinking.text,
    }]
}

fn write_result<'a>(result: &'a ToolResult, dropped: &mut Dropped) -> Result<Item<'a>, Unsupported> {
    dropped.add_if(result.failed, "is_error");
    dropped.add_if(result.cache.is_some(), CACHE_MARK);
    let output = match result.parts.as_slice() {
        [] => Output::Text(""),
        [Part::Text(text)] => {
            dropped.add_if(text.cache.is_some(), CACHE_MARK);
            Output::Text(&text.text)
        }
        parts => Output::Contents(write_contents(parts, dropped)?),
    };
    Ok(Item::FunctionCallOutput {
        call_id: &result.call,
        output,
    })
}

fn write_contents<'a>(parts: &'a [Part], dropped: &mut Dropped) -> Result<Vec<Content<'a>>, Unsupported> {
    let mut contents = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Text(text) => contents.push(write_text(Role::User, text, dropped)),
            Part::Media(media) => contents.push(media::write(media)?),
            // Results hold texts and media only.
            Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => {}
        }
    }
    Ok(contents)
}
