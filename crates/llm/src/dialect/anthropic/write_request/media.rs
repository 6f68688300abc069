//! Images and documents, as far as Claude takes them where it is served.

use super::block::{Block, Source};
use crate::chat::{self, Media, MediaKind};
use crate::dialect::anthropic::Envelope;
use crate::dialect::{Dropped, Unsupported};

const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const PDF: &str = "application/pdf";

pub(super) fn write<'a>(media: &'a Media, envelope: Envelope, dropped: &mut Dropped) -> Result<Block<'a>, Unsupported> {
    dropped.add_if(media.detail.is_some(), "image_url.detail");
    let source = match &media.source {
        chat::Source::Base64(data) => Source::Base64 {
            media_type: media.media_type.as_deref().unwrap_or_default(),
            data,
        },
        chat::Source::Url(url) => Source::Url { url },
        chat::Source::Plain(data) => Source::Text {
            media_type: "text/plain",
            data,
        },
        chat::Source::File(file_id) => Source::File { file_id },
    };
    check_place(&source, envelope)?;
    let cache_control = media.cache;
    match media.kind {
        MediaKind::Image => {
            check_image(&source)?;
            Ok(Block::Image { source, cache_control })
        }
        MediaKind::Document => {
            check_document(&source)?;
            Ok(Block::Document {
                source,
                title: media.name.as_deref(),
                cache_control,
            })
        }
        MediaKind::Audio => Err(refuse("Claude takes no sound; send a transcript")),
        MediaKind::Video => Err(refuse("Claude takes no video; send single images")),
    }
}

/// Vertex and Bedrock fetch nothing and keep no files.
fn check_place(source: &Source<'_>, envelope: Envelope) -> Result<(), Unsupported> {
    match (source, envelope) {
        (Source::Url { .. } | Source::File { .. }, Envelope::Vertex | Envelope::Bedrock) => Err(refuse(
            "this provider fetches no images and documents from such addresses; send them in base64",
        )),
        (Source::Url { .. } | Source::File { .. }, Envelope::Direct)
        | (Source::Base64 { .. } | Source::Text { .. }, _) => Ok(()),
    }
}

fn check_image(source: &Source<'_>) -> Result<(), Unsupported> {
    match source {
        Source::Base64 { media_type, .. } if !IMAGE_TYPES.contains(media_type) => Err(refuse(format!(
            "Claude takes no images of the type '{media_type}'; send JPEG, PNG, GIF or WebP"
        ))),
        Source::Text { .. } => Err(refuse("a text cannot be an image")),
        Source::Base64 { .. } | Source::Url { .. } | Source::File { .. } => Ok(()),
    }
}

fn check_document(source: &Source<'_>) -> Result<(), Unsupported> {
    match source {
        Source::Base64 { media_type, .. } if *media_type != PDF => Err(refuse(format!(
            "Claude takes no documents of the type '{media_type}'; send PDF or plain text"
        ))),
        Source::Base64 { .. } | Source::Text { .. } | Source::Url { .. } | Source::File { .. } => Ok(()),
    }
}

fn refuse(message: impl Into<String>) -> Unsupported {
    Unsupported::new("messages", message)
}
