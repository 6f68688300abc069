//! Finds what of a request a model reads, in whichever dialect it is: texts wherever they stand among messages, what is
//! offered as tools, and tokens that are given as numbers. Names of members and everything that steers the call are not
//! read by a model; pictures and files are, but how much of them is only known to the provider.

use super::vocabulary::{Counter, MOST_COUNTED};
use crate::json::{Kind, Members, Value};

/// Around each message, and before the answer: as OpenAI's cookbook counts its own.
const AROUND_MESSAGE: u64 = 3;
const BEFORE_ANSWER: u64 = 3;
/// A piece of media, whichever it is: what Google counts for a picture of usual size.
pub(crate) const MEDIA: u64 = 258;
/// More levels than any request has.
const DEEPEST: u32 = 64;

/// What a member holds, by its name.
enum Holds {
    /// Texts, or more members.
    Content,
    /// JSON that a model reads as it is.
    Json,
    /// A picture, a sound or a file, or where one is.
    Media,
    Nothing,
}

/// Adds all of a body; of what is no JSON, its bytes as a text.
pub(super) fn read(body: &[u8], counter: &mut Counter) {
    if read_members(body, counter).is_none() {
        let (text, rest) = body.split_at(body.len().min(MOST_COUNTED));
        counter.add(&String::from_utf8_lossy(text));
        counter.leave_out(rest.len() as u64);
    }
}

fn read_members(body: &[u8], counter: &mut Counter) -> Option<()> {
    let mut members = Members::of_document(body).ok()?;
    let mut found = Vec::new();
    while let Some(member) = members.next_member().ok()? {
        found.push(member);
    }
    let mut any_message = false;
    for member in found {
        match &*member.key {
            b"messages"
            | b"input"
            | b"prompt"
            | b"contents"
            | b"content"
            | b"system"
            | b"instructions"
            | b"systemInstruction"
            | b"system_instruction"
            | b"suffix"
            | b"texts"
            | b"inputs"
            | b"documents"
            | b"inputText"
            | b"requests"
            | b"instances"
            | b"generateContentRequest" => {
                any_message |= visit(&member.value, DEEPEST, counter);
            }
            b"tools" | b"functions" | b"toolConfig" | b"response_format" => add_json(&member.value, counter),
            _ => {}
        }
    }
    if any_message {
        counter.add_tokens(BEFORE_ANSWER);
    }
    Some(())
}

/// Whether there was a message in it.
fn visit(value: &Value<'_>, levels: u32, counter: &mut Counter) -> bool {
    let Some(levels) = levels.checked_sub(1) else {
        add_json(value, counter);
        return false;
    };
    match value.kind {
        Kind::String => {
            counter.add(&value.string().unwrap_or_default());
            false
        }
        Kind::Array => value.elements().fold(false, |any, element| {
            // Texts for embeddings may be given as tokens.
            counter.add_tokens(u64::from(element.kind == Kind::Number));
            visit(&element, levels, counter) || any
        }),
        Kind::Object => visit_members(value, levels, counter),
        Kind::Number | Kind::True | Kind::False | Kind::Null => false,
    }
}

fn visit_members(object: &Value<'_>, levels: u32, counter: &mut Counter) -> bool {
    let mut any_message = false;
    let mut members = object.members();
    while let Ok(Some(member)) = members.next_member() {
        if &*member.key == b"role" {
            counter.add_tokens(AROUND_MESSAGE);
            any_message = true;
        }
        match holds(&member.key, &member.value) {
            Holds::Content => any_message |= visit(&member.value, levels, counter),
            Holds::Json => add_json(&member.value, counter),
            Holds::Media => counter.add_tokens(MEDIA),
            Holds::Nothing => {}
        }
    }
    any_message
}

fn holds(name: &[u8], value: &Value<'_>) -> Holds {
    let is_text = value.kind == Kind::String;
    match name {
        b"id" | b"type" | b"call_id" | b"tool_call_id" | b"tool_use_id" | b"toolUseId" | b"model" | b"signature"
        | b"thoughtSignature" | b"thought_signature" | b"encrypted_content" | b"redactedContent" | b"media_type"
        | b"mediaType" | b"mimeType" | b"mime_type" | b"format" | b"detail" | b"cache_control" | b"cachePoint"
        | b"status" | b"filename" | b"task_type" | b"taskType" => Holds::Nothing,
        b"data"
        | b"bytes"
        | b"file_data"
        | b"fileUri"
        | b"file_uri"
        | b"file_id"
        | b"url"
        | b"image_url"
        | b"bytesBase64Encoded"
            if is_text =>
        {
            Holds::Media
        }
        b"input" | b"args" | b"json" | b"response" | b"parameters" if !is_text => Holds::Json,
        _ => Holds::Content,
    }
}

fn add_json(value: &Value<'_>, counter: &mut Counter) {
    counter.add(&String::from_utf8_lossy(value.text));
}
