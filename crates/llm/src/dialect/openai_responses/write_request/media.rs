//! Writes the pieces of messages: texts, images and files.

use serde::Serialize;

use crate::chat::{Media, MediaKind, Source};
use crate::dialect::Unsupported;
use crate::dialect::data_uri;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content<'a> {
    InputText {
        text: &'a str,
    },
    OutputText {
        text: &'a str,
    },
    Refusal {
        refusal: &'a str,
    },
    InputImage {
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
        detail: &'a str,
    },
    InputFile {
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_data: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_url: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
    },
}

pub(super) fn write(media: &Media) -> Result<Content<'_>, Unsupported> {
    match media.kind {
        MediaKind::Image => write_image(media),
        MediaKind::Document => Ok(write_file(media)),
        MediaKind::Audio => Err(Unsupported::new(
            "messages",
            "this model takes no sound over the Responses API",
        )),
        MediaKind::Video => Err(Unsupported::new("messages", "this model takes no video")),
    }
}

fn write_image(media: &Media) -> Result<Content<'_>, Unsupported> {
    let (image_url, file_id) = match &media.source {
        Source::Base64(data) => {
            let media_type = media.media_type.as_deref().unwrap_or("image/png");
            (Some(data_uri::write(media_type, data)), None)
        }
        Source::Url(url) => (Some(url.to_string()), None),
        Source::File(id) => (None, Some(&**id)),
        Source::Plain(_) => return Err(Unsupported::new("messages", "an image cannot be given as plain text")),
    };
    Ok(Content::InputImage {
        image_url,
        file_id,
        detail: media.detail.as_deref().unwrap_or("auto"),
    })
}

fn write_file(media: &Media) -> Content<'_> {
    let filename = media.name.as_deref();
    let (mut file_data, mut file_url, mut file_id) = (None, None, None);
    match &media.source {
        // A document in plain text is read as text: a file of it would have to be in base64.
        Source::Plain(text) => return Content::InputText { text },
        Source::Base64(data) => {
            let media_type = media.media_type.as_deref().unwrap_or("application/pdf");
            file_data = Some(data_uri::write(media_type, data));
        }
        Source::Url(url) => file_url = Some(&**url),
        Source::File(id) => file_id = Some(&**id),
    }
    Content::InputFile {
        // OpenAI wants a name for data that it has no other name for.
        filename: filename.or(file_data.as_ref().map(|_| "document.pdf")),
        file_data,
        file_url,
        file_id,
    }
}
