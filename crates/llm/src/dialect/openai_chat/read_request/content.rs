//! Reads what messages consist of: texts, images, sounds, files.

use super::leave;
use crate::BadRequest;
use crate::chat::{CacheMark, Chat, Media, MediaKind, Part, Source, Text};
use crate::dialect::data_uri::{self, check_base64};
use crate::dialect::read::Field;
use crate::json::Kind;

/// What the parts of a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    Texts,
    /// What a model said.
    TextsAndRefusals,
    TextsAndMedia,
}

/// `content`: one text, or a list of parts.
pub(super) fn read(chat: &mut Chat, content: &Field<'_, '_>, allowed: Allowed) -> Result<Vec<Part>, BadRequest> {
    if content.kind() == Kind::String {
        return Ok(vec![Part::text(content.boxed()?)]);
    }
    if content.kind() != Kind::Array {
        return Err(content.expected("a string or an array of parts"));
    }
    let mut parts = Vec::new();
    content.elements(|part| {
        parts.push(read_part(chat, &part, allowed)?);
        Ok(())
    })?;
    Ok(parts)
}

/// `cache_control` in Anthropic's notation, as aggregators take it in this dialect, too.
pub(super) fn read_cache_mark(mark: &Field<'_, '_>) -> Result<CacheMark, BadRequest> {
    if mark.kind() != Kind::Object {
        return Err(mark.expected("an object"));
    }
    if mark.member_text("type").as_deref() != Some("ephemeral") {
        return Err(mark.refuse("must have the 'type' 'ephemeral'"));
    }
    match mark.member_text("ttl").as_deref() {
        None | Some("5m") => Ok(CacheMark::FiveMinutes),
        Some("1h") => Ok(CacheMark::OneHour),
        Some(_) => Err(mark.refuse("has an unknown 'ttl'; use '5m' or '1h'")),
    }
}

fn read_part(chat: &mut Chat, part: &Field<'_, '_>, allowed: Allowed) -> Result<Part, BadRequest> {
    if part.kind() != Kind::Object {
        return Err(part.expected("an object"));
    }
    let kind = part.member_text("type").ok_or_else(|| part.lacks("type"))?;
    let mut read = None;
    let mut cache = None;
    part.members(|name, member| {
        match (name, &*kind) {
            ("type", _) => {}
            ("text", "text") => read = Some(Part::text(member.boxed()?)),
            ("refusal", "refusal") => read = Some(Part::Refusal(member.boxed()?)),
            ("image_url", "image_url") => read = Some(Part::Media(read_url(&member, MediaKind::Image)?)),
            ("video_url", "video_url") => read = Some(Part::Media(read_url(&member, MediaKind::Video)?)),
            ("input_audio", "input_audio") => read = Some(Part::Media(read_audio(&member)?)),
            ("file", "file") => read = Some(Part::Media(read_file(&member)?)),
            ("cache_control", _) => cache = Some(read_cache_mark(&member)?),
            ("prompt_cache_breakpoint", _) => cache = Some(read_breakpoint(&member)),
            (other, _) => leave(chat, format!("messages.content.{other}")),
        }
        Ok(())
    })?;
    match &*kind {
        "text" | "refusal" | "image_url" | "video_url" | "input_audio" | "file" => {}
        _ => return Err(part.refuse(&format!("has the type '{kind}', which is not known here"))),
    }
    let mut read = read.ok_or_else(|| part.lacks(&kind))?;
    let fits = match &read {
        Part::Text(_) => true,
        Part::Refusal(_) => allowed == Allowed::TextsAndRefusals,
        Part::Media(_) => allowed == Allowed::TextsAndMedia,
        Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) => false,
    };
    if !fits {
        return Err(part.refuse(&format!(
            "is of the type '{kind}', which messages of this role cannot have"
        )));
    }
    mark(&mut read, cache);
    Ok(read)
}

/// Marks a part, when there is a mark.
pub(super) fn mark(part: &mut Part, cache: Option<CacheMark>) {
    let place = match part {
        Part::Text(Text { cache, .. }) | Part::Media(Media { cache, .. }) => cache,
        Part::ToolCall(call) => &mut call.cache,
        Part::ToolResult(result) => &mut result.cache,
        Part::Thinking(_) | Part::Refusal(_) => return,
    };
    *place = cache.or(*place);
}

/// OpenAI's own mark. Its times are half an hour and twelve; the nearest that is known elsewhere stands for each.
fn read_breakpoint(mark: &Field<'_, '_>) -> CacheMark {
    match mark.member_text("ttl").as_deref() {
        Some("12h") => CacheMark::OneHour,
        _ => CacheMark::FiveMinutes,
    }
}

fn media(kind: MediaKind, source: Source, media_type: Option<Box<str>>) -> Media {
    Media {
        kind,
        source,
        media_type,
        name: None,
        detail: None,
        cache: None,
    }
}

fn read_url(described: &Field<'_, '_>, kind: MediaKind) -> Result<Media, BadRequest> {
    let (mut found, mut detail) = (None, None);
    described.members(|name, member| {
        match name {
            "url" => found = Some(read_address(&member, kind)?),
            "detail" => detail = Some(member.boxed()?),
            _ => {}
        }
        Ok(())
    })?;
    let found = found.ok_or_else(|| described.lacks("url"))?;
    Ok(Media { detail, ..found })
}

fn read_address(url: &Field<'_, '_>, kind: MediaKind) -> Result<Media, BadRequest> {
    let text = url.text()?;
    match data_uri::parse(&text) {
        Some(uri) => {
            let uri = uri.map_err(|problem| url.refuse(problem))?;
            let data = Source::Base64(uri.data.into());
            Ok(media(kind, data, Some(uri.media_type.into())))
        }
        None if text.contains("://") => Ok(media(kind, Source::Url(text.into()), None)),
        None => Err(url.refuse("must be an address such as 'https://…', or a data URI")),
    }
}

fn read_audio(audio: &Field<'_, '_>) -> Result<Media, BadRequest> {
    let (mut data, mut format) = (None, None);
    audio.members(|name, member| {
        match name {
            "data" => {
                let text = member.boxed()?;
                check_base64(&text).map_err(|problem| member.refuse(problem))?;
                data = Some(text);
            }
            "format" => format = Some(member.boxed()?),
            _ => {}
        }
        Ok(())
    })?;
    let data = data.ok_or_else(|| audio.lacks("data"))?;
    let format = format.ok_or_else(|| audio.lacks("format"))?;
    let media_type = match &*format {
        "mp3" => "audio/mpeg".into(),
        other => format!("audio/{other}").into(),
    };
    Ok(media(MediaKind::Audio, Source::Base64(data), Some(media_type)))
}

fn read_file(file: &Field<'_, '_>) -> Result<Media, BadRequest> {
    let (mut bytes, mut uploaded, mut file_name) = (None, None, None);
    file.members(|name, member| {
        match name {
            "file_data" => bytes = Some(read_address(&member, MediaKind::Document)?),
            "file_id" => uploaded = Some(member.boxed()?),
            "filename" => file_name = Some(member.boxed()?),
            _ => {}
        }
        Ok(())
    })?;
    let found = bytes.or_else(|| uploaded.map(|id| media(MediaKind::Document, Source::File(id), None)));
    let found = found.ok_or_else(|| file.lacks("file_data"))?;
    Ok(Media {
        kind: kind_of(found.media_type.as_deref()),
        name: file_name,
        ..found
    })
}

/// A file may be of any kind.
fn kind_of(media_type: Option<&str>) -> MediaKind {
    match media_type.and_then(|media_type| media_type.split_once('/')) {
        Some(("image", _)) => MediaKind::Image,
        Some(("audio", _)) => MediaKind::Audio,
        Some(("video", _)) => MediaKind::Video,
        _ => MediaKind::Document,
    }
}
