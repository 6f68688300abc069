//! Pictures, documents, sounds and films among what is asked. A search for the words that go with them comes first; only
//! where one is found is the conversation read, because a text may hold the words as well. A word that is spelled with
//! escapes is not found: its provider then says whether it takes it.

use gatewright_types::api::{Capability, Dialect};
use memchr::memmem;

use crate::Capabilities;
use crate::json::{Kind, Value};

/// More levels than any conversation has.
const DEEPEST: u32 = 64;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) pieces: u64,
    /// Of what they are written in.
    pub(super) bytes: u64,
    /// Some of it is an address, or the name of a file that its provider keeps.
    only_named: bool,
    pub(super) pictures: bool,
    pub(super) documents: bool,
    pub(super) sounds: bool,
    pub(super) films: bool,
}

impl Media {
    pub(super) fn of(dialect: Dialect, content: &[u8]) -> Self {
        let words = words(dialect);
        let mut media = Self::default();
        if words.iter().any(|word| memmem::find(content, word).is_some())
            && let Some(content) = Value::at(content, 0..content.len())
        {
            media.look(&content, DEEPEST);
        }
        media
    }

    pub(super) fn note(&self, capabilities: &mut Capabilities) {
        for (capability, needed) in [
            (Capability::Vision, self.pictures),
            (Capability::Documents, self.documents),
            (Capability::AudioInput, self.sounds),
            (Capability::VideoInput, self.films),
        ] {
            if needed {
                capabilities.set(capability, true);
            }
        }
    }

    /// Or nothing at all.
    pub(super) const fn only_pictures(&self) -> bool {
        !self.documents && !self.sounds && !self.films
    }

    fn look(&mut self, value: &Value<'_>, levels: u32) {
        let Some(levels) = levels.checked_sub(1) else { return };
        match value.kind {
            Kind::Array => value.elements().for_each(|element| self.look(&element, levels)),
            Kind::Object => self.look_at_object(value, levels),
            Kind::String | Kind::Number | Kind::True | Kind::False | Kind::Null => {}
        }
    }

    fn look_at_object(&mut self, object: &Value<'_>, levels: u32) {
        let mut members = object.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"type" => {
                    let kind = value.string();
                    if let Some(there) = self.kind(kind.as_deref().unwrap_or_default(), object) {
                        *there = true;
                        self.count(object);
                        return;
                    }
                }
                b"inlineData" | b"inline_data" | b"fileData" | b"file_data" if value.kind == Kind::Object => {
                    *self.of_type(&value) = true;
                    self.count(&value);
                }
                // JSON of a tool's, in which anything may be called anything.
                b"input" | b"args" | b"response" => {}
                _ => self.look(&value, levels),
            }
        }
    }

    /// What a part of this type is, if it is media. A document that is text is read as one.
    fn kind(&mut self, kind: &str, part: &Value<'_>) -> Option<&mut bool> {
        Some(match kind {
            "image_url" | "image" | "input_image" => &mut self.pictures,
            "input_audio" => &mut self.sounds,
            "video_url" => &mut self.films,
            "file" | "input_file" => &mut self.documents,
            "document" => {
                let source = part.member("source")?.member("type")?;
                let is_text = source.string().is_some_and(|kind| kind == "text" || kind == "content");
                (!is_text).then_some(&mut self.documents)?
            }
            _ => return None,
        })
    }

    /// Gemini's dialect says it by the media type; a file without one may be a film of YouTube's, and is read by whoever
    /// sees films.
    fn of_type(&mut self, data: &Value<'_>) -> &mut bool {
        let named = data.member("mimeType").or_else(|| data.member("mime_type"));
        let named = named.and_then(|named| named.string()).unwrap_or_default();
        match named.split('/').next().unwrap_or_default() {
            "image" => &mut self.pictures,
            "audio" => &mut self.sounds,
            "video" | "" => &mut self.films,
            _ => &mut self.documents,
        }
    }

    fn count(&mut self, part: &Value<'_>) {
        let source = part.member("source").and_then(|source| source.member("type"));
        let source = source.and_then(|kind| kind.string());
        self.only_named |= matches!(source.as_deref(), Some("url" | "file"));
        self.pieces += 1;
        self.bytes += part.text.len() as u64;
    }
}

/// Whether a conversation of Anthropic's dialect has media of which only a name is given.
pub(in crate::request) fn names_files(dialect: Dialect, content: &[u8]) -> bool {
    Media::of(dialect, content).only_named
}

/// One of these stands in every conversation of the dialect that has media in it.
fn words(dialect: Dialect) -> &'static [&'static [u8]] {
    match dialect {
        Dialect::OpenaiChat => &[b"_url\"", b"\"input_audio\"", b"\"file\""],
        Dialect::OpenaiResponses => &[b"\"input_image\"", b"\"input_file\"", b"\"input_audio\""],
        Dialect::AnthropicMessages => &[b"\"image\"", b"\"document\""],
        Dialect::GeminiGenerate => &[b"Data\"", b"_data\""],
        Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => &[],
    }
}
