//! Writes images, sounds and documents as parts of a message.

use serde::Serialize;

use crate::chat::{CacheMark, Media, MediaKind, Source};
use crate::dialect::data_uri;
use crate::dialect::openai_chat::quirks::{Documents, Quirks};
use crate::dialect::{Dropped, Unsupported};

#[derive(Debug, Serialize)]
pub(super) struct ContentPart<'a> {
    #[serde(flatten)]
    pub(super) kind: PartKind<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<CacheMark>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum PartKind<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl<'a> },
    InputAudio { input_audio: InputAudio<'a> },
    File { file: File<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct ImageUrl<'a> {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct InputAudio<'a> {
    data: &'a str,
    format: &'static str,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a str>,
}

pub(super) fn write<'a>(media: &'a Media, quirks: &Quirks, dropped: &mut Dropped) -> Result<PartKind<'a>, Unsupported> {
    match media.kind {
        MediaKind::Image => image(media, quirks, dropped),
        MediaKind::Audio => audio(media),
        MediaKind::Document => document(media, quirks),
        MediaKind::Video => unsupported("videos"),
    }
}

fn unsupported<T>(what: &str) -> Result<T, Unsupported> {
    let message = format!("the model you named does not take {what} here");
    Err(Unsupported::new("messages", message))
}

fn data_uri_of(media: &Media, data: &str) -> String {
    data_uri::write(media.media_type.as_deref().unwrap_or("application/octet-stream"), data)
}

fn image<'a>(media: &'a Media, quirks: &Quirks, dropped: &mut Dropped) -> Result<PartKind<'a>, Unsupported> {
    let url = match &media.source {
        Source::Base64(data) => data_uri_of(media, data),
        Source::Url(url) if quirks.image_addresses => url.clone().into(),
        Source::Url(_) => return unsupported("images by this address; send their bytes"),
        Source::File(_) => return unsupported("images that were uploaded to another provider; send their bytes"),
        Source::Plain(_) => return unsupported("images that are texts"),
    };
    let detail = media.detail.as_deref().filter(|_| quirks.image_detail);
    // Servers do by themselves what `auto` says.
    let is_lost = detail.is_none() && media.detail.as_deref().is_some_and(|detail| detail != "auto");
    dropped.add_if(is_lost, "image_url.detail");
    Ok(PartKind::ImageUrl {
        image_url: ImageUrl { url, detail },
    })
}

fn audio(media: &Media) -> Result<PartKind<'_>, Unsupported> {
    let data = match &media.source {
        Source::Base64(data) => data,
        Source::Url(_) | Source::File(_) | Source::Plain(_) => {
            return unsupported("sounds by their address; send their bytes");
        }
    };
    let format = match media.media_type.as_deref() {
        Some("audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave") => "wav",
        Some("audio/mpeg" | "audio/mp3") => "mp3",
        _ => return unsupported("sounds of this type; send WAV or MP3"),
    };
    Ok(PartKind::InputAudio {
        input_audio: InputAudio { data, format },
    })
}

fn document<'a>(media: &'a Media, quirks: &Quirks) -> Result<PartKind<'a>, Unsupported> {
    let filename = Some(media.name.as_deref().unwrap_or("document"));
    let file = match (&media.source, quirks.documents) {
        (Source::Plain(text), _) => return Ok(PartKind::Text { text }),
        (_, Documents::None) => return unsupported("documents; send their text"),
        (Source::Base64(data), Documents::Files | Documents::FilesAndUrls) => File {
            filename,
            file_data: Some(data_uri_of(media, data)),
            file_id: None,
        },
        (Source::Url(url), Documents::FilesAndUrls) => File {
            filename,
            file_data: Some(url.clone().into()),
            file_id: None,
        },
        (Source::File(id), Documents::Files) => File {
            file_id: Some(id),
            ..File::default()
        },
        (Source::Url(_), Documents::Files) => return unsupported("documents by their address; send their bytes"),
        (Source::File(_), Documents::FilesAndUrls) => {
            return unsupported("documents that were uploaded to another provider; send their bytes");
        }
    };
    Ok(PartKind::File { file })
}
