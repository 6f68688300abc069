//! Images and documents, and search results, which are documents for everybody else.

use super::{Unheld, read_cache_mark};
use crate::BadRequest;
use crate::chat::{CacheMark, Media, MediaKind, Source};
use crate::dialect::read::Field;
use crate::json::Kind;

pub(super) fn read_image(block: Field<'_, '_>, within: &str, unheld: &mut Unheld) -> Result<Media, BadRequest> {
    let mut source = None;
    let mut cache = None;
    block.members(|key, field| {
        match key {
            "type" => {}
            "source" => source = Some(read_source(field)?),
            "cache_control" => cache = Some(read_cache_mark(field)?),
            other => unheld.note(within, other),
        }
        Ok(())
    })?;
    let (source, media_type) = source.ok_or_else(|| block.lacks("source"))?;
    Ok(Media {
        media_type,
        ..media(MediaKind::Image, source, cache)
    })
}

pub(super) fn read_document(block: Field<'_, '_>, within: &str, unheld: &mut Unheld) -> Result<Media, BadRequest> {
    let mut source = None;
    let mut name = None;
    let mut cache = None;
    block.members(|key, field| {
        match key {
            "type" => {}
            "source" => source = Some(read_source(field)?),
            "title" => name = Some(field.boxed()?),
            "cache_control" => cache = Some(read_cache_mark(field)?),
            other => unheld.note(within, other),
        }
        Ok(())
    })?;
    let (source, media_type) = source.ok_or_else(|| block.lacks("source"))?;
    Ok(Media {
        media_type,
        name,
        ..media(MediaKind::Document, source, cache)
    })
}

pub(super) fn read_search_result(block: Field<'_, '_>, within: &str, unheld: &mut Unheld) -> Result<Media, BadRequest> {
    let mut text = None;
    let mut name = None;
    let mut cache = None;
    block.members(|key, field| {
        match key {
            "type" => {}
            "content" => text = Some(read_plain(field)?),
            "title" => name = Some(field.boxed()?),
            "cache_control" => cache = Some(read_cache_mark(field)?),
            other => unheld.note(within, other),
        }
        Ok(())
    })?;
    let source = Source::Plain(text.ok_or_else(|| block.lacks("content"))?);
    Ok(Media {
        name,
        media_type: Some("text/plain".into()),
        ..media(MediaKind::Document, source, cache)
    })
}

fn media(kind: MediaKind, source: Source, cache: Option<CacheMark>) -> Media {
    Media {
        kind,
        source,
        media_type: None,
        name: None,
        detail: None,
        cache,
    }
}

/// The source and its media type, where it has one.
fn read_source(field: Field<'_, '_>) -> Result<(Source, Option<Box<str>>), BadRequest> {
    let (mut media_type, mut data, mut url, mut file, mut content) = (None, None, None, None, None);
    field.members(|key, value| {
        match key {
            "media_type" => media_type = Some(value.boxed()?),
            "data" => data = Some(value.boxed()?),
            "url" => url = Some(value.boxed()?),
            "file_id" => file = Some(value.boxed()?),
            "content" => content = Some(read_plain(value)?),
            _ => {}
        }
        Ok(())
    })?;
    let lacking = |name| move || field.lacks(name);
    let plain_type = || Some("text/plain".into());
    match field.member_text("type").as_deref() {
        Some("base64") => {
            let media_type = media_type.ok_or_else(lacking("media_type"))?;
            let data = data.ok_or_else(lacking("data"))?;
            Ok((Source::Base64(data), Some(media_type)))
        }
        Some("url") => Ok((Source::Url(url.ok_or_else(lacking("url"))?), None)),
        Some("file") => Ok((Source::File(file.ok_or_else(lacking("file_id"))?), None)),
        Some("text") => Ok((Source::Plain(data.ok_or_else(lacking("data"))?), plain_type())),
        Some("content") => Ok((Source::Plain(content.ok_or_else(lacking("content"))?), plain_type())),
        Some(other) => Err(field.refuse(&format!(
            "is of type '{other}', which is not known; use 'base64', 'url', 'text', 'content' or 'file'"
        ))),
        None => Err(field.lacks("type")),
    }
}

/// A string or text blocks, as one text.
fn read_plain(field: Field<'_, '_>) -> Result<Box<str>, BadRequest> {
    if field.kind() == Kind::String {
        return field.boxed();
    }
    let mut texts = Vec::new();
    field.elements(|block| {
        let mut text = None;
        block.members(|key, value| {
            if key == "text" {
                text = Some(value.text()?);
            }
            Ok(())
        })?;
        // An image inside of a document, for instance.
        texts.push(text.ok_or_else(|| block.refuse("is no text; send it as a block of its own"))?);
        Ok(())
    })?;
    Ok(texts.join("\n\n").into())
}
