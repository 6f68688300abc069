//! Writes a whole answer as a response object.

use super::items::{Called, Content, Item, Status};
use super::response::{Head, Progress, Response};
use crate::chat::{Chat, Part, Thinking, ToolCall};
use crate::dialect::{ReplyFacts, freeform};
use crate::event::Answer;

pub(super) fn write_answer(answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
    let head = Head::new(reply, answer.model.as_deref());
    let has_refusal = answer.parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    let progress = Progress::of(&answer.stop, has_refusal);
    let output = items(&head.id, &answer.parts, reply.chat, progress.last_item());
    let response = Response::new(&head, reply.chat, progress, &output, answer.usage.as_ref());
    serde_json::to_vec(&response).expect("texts and numbers can always be written as JSON")
}

/// Texts and refusals in a row are one message. `last` is the last item's status.
fn items(response_id: &str, parts: &[Part], asked: &Chat, last: Status) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for part in parts {
        let index = items.len();
        match part {
            Part::Text(text) => add_content(&mut items, response_id, Content::text(text.text.to_string())),
            Part::Refusal(refusal) => {
                let refusal = refusal.to_string();
                add_content(&mut items, response_id, Content::Refusal { refusal });
            }
            Part::Thinking(Thinking { text, signature }) => {
                items.push(Item::reasoning(
                    response_id,
                    index,
                    text.to_string(),
                    signature.as_ref(),
                ));
            }
            Part::ToolCall(call) => add_call(&mut items, response_id, call, asked),
            // Models of this API do not answer with either.
            Part::Media(_) | Part::ToolResult(_) => {}
        }
    }
    if let Some(
        Item::Message { status, .. } | Item::FunctionCall { status, .. } | Item::CustomToolCall { status, .. },
    ) = items.last_mut()
    {
        *status = last;
    }
    items
}

fn add_content(items: &mut Vec<Item>, response_id: &str, piece: Content) {
    let index = items.len();
    match items.last_mut() {
        Some(Item::Message { content, .. }) => content.push(piece),
        _ => items.push(Item::message(response_id, index, Status::Completed, vec![piece])),
    }
}

fn add_call(items: &mut Vec<Item>, response_id: &str, call: &ToolCall, asked: &Chat) {
    if let Some(signature) = &call.signature {
        items.push(Item::reasoning(
            response_id,
            items.len(),
            String::new(),
            Some(signature),
        ));
    }
    let called = Called::of(&call.id, &call.name, asked);
    let given = match called.is_freeform {
        true => freeform::input(&call.arguments),
        false => call.arguments.to_string(),
    };
    items.push(Item::call(response_id, items.len(), Status::Completed, called, given));
}
