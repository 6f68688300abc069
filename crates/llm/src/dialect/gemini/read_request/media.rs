//! Images, sounds and documents: within the request, or elsewhere.

use super::super::key::camel;
use super::super::{base64, is_uploaded, media_type};
use crate::BadRequest;
use crate::chat::{Media, MediaKind, Source};
use crate::dialect::read::Field;

pub(super) fn read_inline(field: Field<'_, '_>) -> Result<Media, BadRequest> {
    let (mut media_type, mut data, mut name) = (None, None, None);
    field.members(|key, member| {
        match &*camel(key) {
            "mimeType" => media_type = Some(member.boxed()?),
            "data" => data = Some(base64::standard(member.text()?)),
            "displayName" => name = Some(member.boxed()?),
            _ => {}
        }
        Ok(())
    })?;
    let media_type = media_type.ok_or_else(|| field.lacks("mimeType"))?;
    let data = data.ok_or_else(|| field.lacks("data"))?;
    Ok(media(
        media_type::kind_of(&media_type),
        Source::Base64(data),
        Some(media_type),
        name,
    ))
}

pub(super) fn read_file(field: Field<'_, '_>) -> Result<Media, BadRequest> {
    let (mut media_type, mut address, mut name) = (None, None, None);
    field.members(|key, member| {
        match &*camel(key) {
            "mimeType" => media_type = Some(member.boxed()?),
            "fileUri" => address = Some(member.boxed()?),
            "displayName" => name = Some(member.boxed()?),
            _ => {}
        }
        Ok(())
    })?;
    let address = address.ok_or_else(|| field.lacks("fileUri"))?;
    let known = media_type.as_deref().or_else(|| media_type::of_address(&address));
    let kind = known.map_or(MediaKind::Document, media_type::kind_of);
    let elsewhere = address.starts_with("https://") || address.starts_with("http://");
    let source = if elsewhere && !is_uploaded(&address) {
        Source::Url(address)
    } else {
        Source::File(address)
    };
    Ok(media(kind, source, media_type, name))
}

fn media(kind: MediaKind, source: Source, media_type: Option<Box<str>>, name: Option<Box<str>>) -> Media {
    Media {
        kind,
        source,
        media_type,
        name,
        detail: None,
        cache: None,
    }
}
