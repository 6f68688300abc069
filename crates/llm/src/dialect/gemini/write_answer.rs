//! Our answers to callers of this dialect, whole; and the count of tokens they can ask for.

use serde::Serialize;

use super::part::{Blob, Content, FileData, Speech, WirePart};
use super::usage::{self, UsageMetadata};
use super::{finish, signature};
use crate::chat::{Maker, Media, Part, Source, Thinking};
use crate::dialect::ReplyFacts;
use crate::event::Answer;

/// A whole answer, or an event of a stream.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireResponse<'a> {
    pub(super) candidates: [Candidate<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_metadata: Option<UsageMetadata>,
    pub(super) model_version: &'a str,
    pub(super) response_id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenCount {
    total_tokens: u64,
}

pub(super) fn write_answer(answer: &Answer, reply: &ReplyFacts<'_>) -> Vec<u8> {
    let response = WireResponse {
        candidates: [Candidate::new(parts(answer), Some(finish::write(&answer.stop)))],
        usage_metadata: answer.usage.as_ref().map(usage::write),
        model_version: answer.model.as_deref().unwrap_or(reply.model),
        response_id: answer.id.as_deref().unwrap_or(reply.request_id),
    };
    serde_json::to_vec(&response).expect("an answer can always be written as JSON")
}

/// The answer to `countTokens`.
pub fn write_token_count(total: u64) -> Vec<u8> {
    serde_json::to_vec(&TokenCount { total_tokens: total }).expect("a number can always be written as JSON")
}

impl<'a> Candidate<'a> {
    /// Google's SDK takes an answer without parts for one that failed, and forgets the whole turn.
    pub(super) fn new(mut parts: Vec<WirePart<'a>>, finish_reason: Option<&'static str>) -> Self {
        if parts.is_empty() {
            parts.push(WirePart::text("", None));
        }
        Self {
            content: Content {
                parts,
                role: Some("model"),
            },
            finish_reason,
            index: 0,
        }
    }
}

fn parts(answer: &Answer) -> Vec<WirePart<'_>> {
    let mut speech = Speech::default();
    for part in &answer.parts {
        match part {
            Part::Text(text) => speech.text(&text.text),
            Part::Refusal(text) => speech.text(text),
            Part::Thinking(thinking) => add_thinking(thinking, &mut speech),
            Part::ToolCall(call) => {
                let signature = call.signature.as_ref().map(signature::write);
                speech.push(WirePart::call(call, signature));
            }
            Part::Media(media) => add_media(media, &mut speech),
            // Results are the application's, and never in an answer.
            Part::ToolResult(_) => {}
        }
    }
    speech.into_parts()
}

fn add_thinking<'a>(thinking: &'a Thinking, speech: &mut Speech<'a>) {
    let signature = thinking.signature.as_ref();
    let of_gemini = signature.is_some_and(|signature| signature.maker == Maker::Gemini);
    match signature.map(signature::write) {
        Some(signature) if of_gemini && thinking.text.is_empty() => speech.hold(signature),
        None if thinking.text.is_empty() => {}
        signature => speech.push(WirePart::thought(&thinking.text, signature)),
    }
}

fn add_media<'a>(media: &'a Media, speech: &mut Speech<'a>) {
    let media_type = media.media_type.as_deref();
    match &media.source {
        Source::Base64(data) => speech.push(WirePart {
            inline_data: Some(Blob {
                mime_type: media_type.unwrap_or("application/octet-stream"),
                data,
            }),
            ..WirePart::default()
        }),
        Source::Url(address) | Source::File(address) => speech.push(WirePart {
            file_data: Some(FileData {
                mime_type: media_type,
                file_uri: address,
            }),
            ..WirePart::default()
        }),
        Source::Plain(text) => speech.text(text),
    }
}
