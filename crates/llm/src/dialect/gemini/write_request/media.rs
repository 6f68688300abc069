//! Images, sounds, videos and documents for Google, which wants to know the type of each.

use super::super::media_type;
use super::super::part::{Blob, FileData, WirePart};
use crate::chat::{Media, Source};
use crate::dialect::{Dropped, Unsupported};

/// Of media that are not plain text.
pub(super) fn write<'a>(media: &'a Media, dropped: &mut Dropped) -> Result<WirePart<'a>, Unsupported> {
    let detail = media.detail.as_deref().filter(|detail| *detail != "auto");
    dropped.add_if(detail.is_some(), "image_url.detail");
    dropped.add_if(media.name.is_some(), "filename");
    let media_type = media.media_type.as_deref();
    let part = match &media.source {
        Source::Base64(data) => WirePart {
            inline_data: Some(Blob {
                mime_type: media_type.unwrap_or("application/octet-stream"),
                data,
            }),
            ..WirePart::default()
        },
        Source::Url(address) => {
            let Some(known) = media_type.or_else(|| media_type::of_address(address)) else {
                let problem = "this model needs the type of a file; give an address that ends in '.png' or the like, \
                               or send the file itself in base64";
                return Err(Unsupported::new("messages", problem));
            };
            of_file(Some(known), address)
        }
        // Google knows the types of the files it holds.
        Source::File(address) => of_file(media_type.or_else(|| media_type::of_address(address)), address),
        Source::Plain(text) => WirePart::text(text, None),
    };
    Ok(part)
}

fn of_file<'a>(mime_type: Option<&'a str>, file_uri: &'a str) -> WirePart<'a> {
    WirePart {
        file_data: Some(FileData { mime_type, file_uri }),
        ..WirePart::default()
    }
}
