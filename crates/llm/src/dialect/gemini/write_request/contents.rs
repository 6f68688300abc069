//! The conversation for Google: the user's and the model's contents in turn, results of calls with their tool's name.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::part::{Content, FunctionResponse, Speech, WirePart};
use super::super::{signature, tool_response};
use super::{is_of_first_generations, media};
use crate::chat::{Chat, Part, Role, Source, Text, Thinking, ToolCall, ToolResult, Turn};
use crate::dialect::{Dropped, TargetFacts, Unsupported};

struct Writer<'a, 'd> {
    /// The tools' names, by the calls of the conversation.
    tools: HashMap<&'a str, &'a str>,
    first_generations: bool,
    dropped: &'d mut Dropped,
}

pub(super) fn write<'a>(
    chat: &'a Chat,
    target: TargetFacts<'_>,
    dropped: &mut Dropped,
) -> Result<Vec<Content<'a>>, Unsupported> {
    let calls = chat.turns.iter().flat_map(|turn| &turn.parts);
    let mut writer = Writer {
        tools: calls
            .filter_map(|part| match part {
                Part::ToolCall(call) => Some((&*call.id, &*call.name)),
                Part::Text(_) | Part::Media(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => None,
            })
            .collect(),
        first_generations: is_of_first_generations(target.model),
        dropped,
    };
    let mut contents: Vec<Content<'a>> = Vec::with_capacity(chat.turns.len());
    for turn in &chat.turns {
        let parts = writer.turn(turn)?;
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "model",
        };
        match contents.last_mut() {
            _ if parts.is_empty() => {}
            // The turn between had nothing but thoughts of another maker.
            Some(last) if last.role == Some(role) => last.parts.extend(parts),
            _ => contents.push(Content {
                parts,
                role: Some(role),
            }),
        }
    }
    if contents.is_empty() {
        return Err(Unsupported::new(
            "messages",
            "this model needs a message of the user; instructions alone cannot be answered",
        ));
    }
    Ok(contents)
}

impl<'a> Writer<'a, '_> {
    fn turn(&mut self, turn: &'a Turn) -> Result<Vec<WirePart<'a>>, Unsupported> {
        let mut speech = Speech::default();
        let mut called = false;
        for part in &turn.parts {
            match part {
                Part::Text(Text { text, .. }) | Part::Refusal(text) if text.is_empty() => {}
                Part::Text(Text { text, .. }) | Part::Refusal(text) => speech.text(text),
                Part::Media(media) => match &media.source {
                    Source::Plain(text) => speech.text(text),
                    Source::Base64(_) | Source::Url(_) | Source::File(_) => {
                        speech.push(media::write(media, self.dropped)?);
                    }
                },
                Part::Thinking(thinking) => add_thinking(thinking, &mut speech),
                Part::ToolCall(call) => {
                    let signature = self.signature_of(call, called);
                    speech.push(WirePart::call(call, signature));
                    called = true;
                }
                Part::ToolResult(result) => self.result(result, &mut speech)?,
            }
        }
        Ok(speech.into_parts())
    }

    /// Newer models insist on a signature at the first call of each turn, also when another model made it.
    fn signature_of(&self, call: &'a ToolCall, after_another: bool) -> Option<Cow<'a, str>> {
        let own = signature::native(call.signature.as_ref());
        if own.is_some() || after_another || self.first_generations {
            return own;
        }
        Some(Cow::Borrowed(signature::PLACEHOLDER))
    }

    fn result(&mut self, result: &'a ToolResult, speech: &mut Speech<'a>) -> Result<(), Unsupported> {
        let named = self.tools.get(&*result.call).copied();
        let Some(name) = result.name.as_deref().or(named) else {
            let problem = format!(
                "the tool result for '{}' answers no call of the conversation",
                result.call
            );
            return Err(Unsupported::new("messages", problem));
        };
        let mut texts: Vec<&str> = Vec::new();
        let mut parts = Vec::new();
        for part in &result.parts {
            match part {
                Part::Text(Text { text, .. }) | Part::Refusal(text) => texts.push(text),
                Part::Media(media) => match &media.source {
                    Source::Plain(text) => texts.push(text),
                    Source::Base64(_) | Source::Url(_) | Source::File(_) => {
                        parts.push(media::write(media, self.dropped)?);
                    }
                },
                Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) => {}
            }
        }
        let beside = if self.first_generations {
            std::mem::take(&mut parts)
        } else {
            Vec::new()
        };
        speech.push(WirePart {
            function_response: Some(FunctionResponse {
                id: &result.call,
                name,
                response: tool_response::write(&texts.join("\n"), result.failed),
                parts,
            }),
            ..WirePart::default()
        });
        for part in beside {
            speech.push(part);
        }
        Ok(())
    }
}

/// Only what Google has signed goes back to it.
fn add_thinking<'a>(thinking: &'a Thinking, speech: &mut Speech<'a>) {
    match signature::native(thinking.signature.as_ref()) {
        None => {}
        Some(signature) if thinking.text.is_empty() => speech.hold(signature),
        Some(signature) => speech.push(WirePart::thought(&thinking.text, Some(signature))),
    }
}
