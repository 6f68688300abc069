//! Images, documents, sounds and films as Bedrock takes them: the bytes themselves, with a word for their format. What
//! is in the web was fetched before; any other address is refused: Bedrock fetches nothing but objects of the account's
//! own storage, which callers have no business with.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use crate::chat::{Media, MediaKind, Source};
use crate::dialect::{Dropped, Unsupported};

/// Characters of the longest name a document may have.
const LONGEST_NAME: usize = 200;
const PARAM: &str = "messages";

#[derive(Serialize)]
pub(super) struct MediaBlock<'a> {
    format: &'static str,
    /// Documents have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    source: Bytes<'a>,
}

#[derive(Serialize)]
struct Bytes<'a> {
    /// In base64.
    bytes: Cow<'a, str>,
}

/// The names that documents were given: no two may have the same.
#[derive(Default)]
pub(super) struct DocumentNames(Vec<String>);

pub(super) fn write<'a>(
    media: &'a Media,
    names: &mut DocumentNames,
    dropped: &mut Dropped,
) -> Result<MediaBlock<'a>, Unsupported> {
    dropped.add_if(media.detail.is_some(), "image_url.detail");
    let bytes = match &media.source {
        Source::Base64(bytes) => Cow::Borrowed(&**bytes),
        Source::Plain(text) => Cow::Owned(BASE64.encode(text.as_bytes())),
        Source::Url(_) => {
            return refuse("this model's provider does not fetch from such addresses; send the file itself, in base64");
        }
        Source::File(_) => {
            return refuse("this model's provider does not know files by identifier; send the file itself, in base64");
        }
    };
    let Some(format) = format(media) else {
        let told = media.media_type.as_deref().unwrap_or("of unknown type");
        return refuse(&format!("this model's provider takes no {} {told}", kind(media.kind)));
    };
    let name = match media.kind {
        MediaKind::Document => Some(names.unique(media.name.as_deref())),
        MediaKind::Image | MediaKind::Audio | MediaKind::Video => None,
    };
    Ok(MediaBlock {
        format,
        name,
        source: Bytes { bytes },
    })
}

fn refuse<T>(message: &str) -> Result<T, Unsupported> {
    Err(Unsupported::new(PARAM, message))
}

const fn kind(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "sound",
        MediaKind::Document => "document",
        MediaKind::Video => "film",
    }
}

/// Bedrock's word for a format: told from the media type or, for documents sent without a telling one, from the name.
fn format(media: &Media) -> Option<&'static str> {
    let media_type = media.media_type.as_deref().unwrap_or_default();
    // `text/plain; charset=utf-8`
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    match media.kind {
        MediaKind::Image => image_format(&media_type),
        MediaKind::Audio => audio_format(&media_type),
        MediaKind::Video => video_format(&media_type),
        MediaKind::Document => document_format(&media_type)
            .or_else(|| matches!(media.source, Source::Plain(_)).then_some("txt"))
            .or_else(|| extension_format(media.name.as_deref()?)),
    }
}

fn image_format(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "image/png" => "png",
        "image/jpeg" | "image/jpg" => "jpeg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        _ => return None,
    })
}

fn audio_format(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/aac" => "aac",
        "audio/opus" => "opus",
        "audio/ogg" => "ogg",
        "audio/mp4" => "mp4",
        "audio/m4a" | "audio/x-m4a" => "m4a",
        "audio/webm" => "webm",
        "audio/pcm" | "audio/pcm16" | "audio/l16" => "pcm",
        _ => return None,
    })
}

fn video_format(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "video/mp4" => "mp4",
        "video/quicktime" | "video/mov" => "mov",
        "video/webm" => "webm",
        "video/x-matroska" => "mkv",
        "video/mpeg" | "video/mpg" => "mpeg",
        "video/x-flv" => "flv",
        "video/x-ms-wmv" | "video/wmv" => "wmv",
        "video/3gpp" => "three_gp",
        _ => return None,
    })
}

fn document_format(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "application/pdf" => "pdf",
        "text/csv" => "csv",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "text/html" => "html",
        "text/plain" => "txt",
        "text/markdown" | "text/x-markdown" => "md",
        _ => return None,
    })
}

fn extension_format(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 9] = ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];
    let (_, extension) = name.rsplit_once('.')?;
    KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(extension))
}

impl DocumentNames {
    /// The name with only what Bedrock allows in it, and with a number when it was given before.
    fn unique(&mut self, name: Option<&str>) -> String {
        let name = allowed(name.unwrap_or_default());
        let mut unique = name.clone();
        let mut count = 1;
        while self.0.contains(&unique) {
            count += 1;
            unique = format!("{name} ({count})");
        }
        self.0.push(unique.clone());
        unique
    }
}

/// Letters, digits, hyphens, brackets and single spaces, with room for a number.
fn allowed(name: &str) -> String {
    const ROOM: usize = 8;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']');
    let words = name.split(|c| !is_allowed(c)).filter(|word| !word.is_empty());
    let mut allowed = words.collect::<Vec<_>>().join(" ");
    allowed.truncate(LONGEST_NAME - ROOM);
    let allowed = allowed.trim_end();
    if allowed.is_empty() {
        "document".into()
    } else {
        allowed.into()
    }
}
